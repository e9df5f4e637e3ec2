//! The runtimes of a control server: one row for each, with all of its properties that more than one part needs.

use crate::wire_enum::wire_enum;

/// The properties of a runtime.
#[derive(Debug, Clone, Copy)]
pub struct Properties {
    /// The name that people see.
    pub title: &'static str,
    /// The work that an order of a run has to name.
    pub work: Work,
    /// The usage that the program reports of itself.
    pub usage: ReportedUsage,
    /// The way in which messages reach the program while it runs.
    pub messages: Messages,
    /// An example of a model's name; `None` for a runtime without models.
    pub model_example: Option<&'static str>,
    /// The behaviour of a run that has no sandbox around it, for people. `None` where there is nothing to say.
    pub without_sandbox: Option<&'static str>,
    /// The output that `townwatch send` reads under this name, in words for its help. `None` where it reads none.
    pub piped_output: Option<&'static str>,
    /// The program; `None` for a runtime that needs no installed one.
    pub program: Option<&'static Program>,
}

/// A program that has to be installed.
#[derive(Debug)]
pub struct Program {
    /// The command.
    pub command: &'static str,
    /// The package in npm's registry.
    pub package: &'static str,
    /// The version of the recordings. The tests and the image install it.
    pub version: &'static str,
    /// Whether the package puts its program in place by a script of its own when it is installed.
    pub has_install_script: bool,
    /// The files of the person's login and settings.
    pub home_files: HomeFiles,
}

/// The files of a person's HOME that a program needs in order to work as that person, as paths below HOME.
///
/// These are files, and never whole folders. The folders also have the texts of other sessions, and hooks that would
/// run outside of the sandbox the next time that the person starts the program by hand.
#[derive(Debug, Clone, Copy)]
pub struct HomeFiles {
    /// The login, as JSON. The program may renew it, and the renewed login is the person's, too; otherwise the person
    /// would be signed out.
    pub login: &'static [&'static str],
    /// The files that are only read.
    pub settings: &'static [&'static str],
}

/// The work that an order of a run names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A task in words.
    Prompt,
    /// A command line.
    Command,
    /// A bundled recording.
    Recording,
}

/// The usage that a program reports of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportedUsage {
    /// Its tokens and its cost.
    Cost,
    /// Its tokens only.
    Tokens,
    /// Nothing.
    Nothing,
    /// Not known before the run.
    Unknown,
}

/// The way in which messages reach a program while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Messages {
    /// There is none.
    None,
    /// Lines of its standard input.
    Lines,
    /// Requests; the program is a server.
    Requests,
}

impl Runtime {
    /// Whether messages, and answers to its questions, reach the program while it runs.
    pub fn takes_messages(self) -> bool {
        self.properties().messages != Messages::None
    }

    /// Whether the program is a server, to which requests are sent.
    pub fn is_served(self) -> bool {
        self.properties().messages == Messages::Requests
    }

    /// The program of the runtime; `None` where no program has to be installed.
    pub fn program(self) -> Option<&'static Program> {
        self.properties().program
    }
}

impl Program {
    /// The command that installs the program, in its newest version.
    pub fn install_command(&self) -> String {
        format!("npm install -g {}", self.package)
    }
}

const ASKS: &str =
    "Runs as you on this machine. Asks here before it changes files or runs commands, unless its settings allow that.";

macro_rules! runtimes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal: $properties:expr;)*) => {
        wire_enum! {
            /// The programs that the control server can run.
            Runtime { $($(#[$doc])* $variant = $name,)* }
        }

        impl Runtime {
            /// The row of the table. It is copied, so that a part which reads one property links no text of the others.
            #[inline]
            pub fn properties(self) -> Properties {
                match self { $(Self::$variant => $properties,)* }
            }
        }
    };
}

runtimes! {
    /// Claude Code.
    ClaudeCode = "claude_code": Properties {
        title: "Claude Code",
        work: Work::Prompt,
        usage: ReportedUsage::Cost,
        messages: Messages::Lines,
        model_example: Some("opus"),
        without_sandbox: Some(ASKS),
        piped_output: Some("`claude --output-format stream-json --verbose`"),
        program: Some(&Program {
            command: "claude",
            package: "@anthropic-ai/claude-code",
            version: "2.1.330",
            has_install_script: true,
            home_files: HomeFiles {
                login: &[".claude/.credentials.json"],
                settings: &[".claude/settings.json", ".claude/CLAUDE.md"],
            },
        }),
    };
    /// Codex.
    Codex = "codex": Properties {
        title: "Codex",
        work: Work::Prompt,
        usage: ReportedUsage::Tokens,
        messages: Messages::None,
        model_example: Some("gpt-5-codex"),
        without_sandbox: Some(
            "Runs as you on this machine, its commands in Codex's own sandbox: they write in the working directory \
             only and have no network. It can ask nobody, so all else is refused.",
        ),
        piped_output: Some("`codex exec --json`"),
        program: Some(&Program {
            command: "codex",
            package: "@openai/codex",
            version: "0.169.0",
            has_install_script: false,
            home_files: HomeFiles {
                login: &[".codex/auth.json"],
                settings: &[".codex/config.toml", ".codex/AGENTS.md"],
            },
        }),
    };
    /// Gemini CLI.
    Gemini = "gemini": Properties {
        title: "Gemini CLI",
        work: Work::Prompt,
        usage: ReportedUsage::Tokens,
        messages: Messages::None,
        model_example: Some("gemini-2.5-pro"),
        without_sandbox: Some(
            "Runs as you on this machine. Edits files of its working directory. It can ask nobody, so commands and \
             all else are refused.",
        ),
        piped_output: Some("`gemini --output-format stream-json`"),
        program: Some(&Program {
            command: "gemini",
            package: "@google/gemini-cli",
            version: "0.61.0",
            has_install_script: false,
            home_files: HomeFiles {
                login: &[".gemini/oauth_creds.json"],
                settings: &[
                    ".gemini/settings.json",
                    ".gemini/google_accounts.json",
                    ".gemini/.env",
                    ".gemini/GEMINI.md",
                ],
            },
        }),
    };
    /// OpenCode.
    Opencode = "opencode": Properties {
        title: "OpenCode",
        work: Work::Prompt,
        usage: ReportedUsage::Cost,
        messages: Messages::Requests,
        model_example: Some("anthropic/claude-sonnet-4-5"),
        without_sandbox: Some(ASKS),
        piped_output: Some("`opencode run --format json`"),
        program: Some(&Program {
            command: "opencode",
            package: "opencode-ai",
            version: "1.18.33",
            has_install_script: true,
            home_files: HomeFiles {
                login: &[".local/share/opencode/auth.json"],
                settings: &[
                    ".config/opencode/opencode.json",
                    ".config/opencode/opencode.jsonc",
                    ".config/opencode/AGENTS.md",
                ],
            },
        }),
    };
    /// Kilo.
    Kilo = "kilo": Properties {
        title: "Kilo",
        work: Work::Prompt,
        usage: ReportedUsage::Cost,
        messages: Messages::Requests,
        model_example: Some("anthropic/claude-sonnet-4-5"),
        without_sandbox: Some(ASKS),
        piped_output: Some(
            "`kilo run --format json`. Without a word it is read as that of OpenCode, which looks the same",
        ),
        program: Some(&Program {
            command: "kilo",
            package: "@kilocode/cli",
            version: "7.7.7",
            has_install_script: true,
            home_files: HomeFiles {
                login: &[".local/share/kilo/auth.json"],
                settings: &[".config/kilo/kilo.json", ".config/kilo/kilo.jsonc", ".config/kilo/AGENTS.md"],
            },
        }),
    };
    /// Any command; its lines are output.
    Process = "process": Properties {
        title: "Command",
        work: Work::Command,
        usage: ReportedUsage::Nothing,
        messages: Messages::None,
        model_example: None,
        without_sandbox: Some("Runs as you on this machine, and asks nothing."),
        piped_output: Some("Any text: each line is one output"),
        program: None,
    };
    /// A bundled recording of a real agent, printed by a child process.
    Replay = "replay": Properties {
        title: "Recording",
        work: Work::Recording,
        usage: ReportedUsage::Unknown,
        messages: Messages::None,
        model_example: None,
        without_sandbox: None,
        piped_output: None,
        program: None,
    };
}
