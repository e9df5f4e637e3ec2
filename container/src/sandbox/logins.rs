//! The files of a person's HOME that a program needs in order to work as that person: its login and its settings.
//!
//! The list has files, and never whole folders. The folders also have the texts of other sessions, and hooks that would
//! run outside of the sandbox the next time that the person starts the program by hand.

use townwatch_protocol::event::Runtime;

/// The files of one program below HOME, where they exist.
pub(super) struct Login {
    /// The login, which the program may renew. The renewed login is the person's, too; otherwise the person would be
    /// signed out.
    pub(super) kept: &'static [&'static str],
    /// The files that are only read.
    pub(super) read: &'static [&'static str],
}

/// The files that a program gets to see. A plain command and a recording get none.
pub(super) fn login(runtime: Runtime) -> Login {
    match runtime {
        Runtime::ClaudeCode => {
            Login { kept: &[".claude/.credentials.json"], read: &[".claude/settings.json", ".claude/CLAUDE.md"] }
        }
        Runtime::Codex => Login { kept: &[".codex/auth.json"], read: &[".codex/config.toml", ".codex/AGENTS.md"] },
        Runtime::Gemini => Login {
            kept: &[".gemini/oauth_creds.json"],
            read: &[".gemini/settings.json", ".gemini/google_accounts.json", ".gemini/.env", ".gemini/GEMINI.md"],
        },
        Runtime::Opencode => Login {
            kept: &[".local/share/opencode/auth.json"],
            read: &[".config/opencode/opencode.json", ".config/opencode/opencode.jsonc", ".config/opencode/AGENTS.md"],
        },
        Runtime::Kilo => Login {
            kept: &[".local/share/kilo/auth.json"],
            read: &[".config/kilo/kilo.json", ".config/kilo/kilo.jsonc", ".config/kilo/AGENTS.md"],
        },
        Runtime::Process | Runtime::Replay => Login { kept: &[], read: &[] },
    }
}
