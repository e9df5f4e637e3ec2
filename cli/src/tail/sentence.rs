//! An event as one sentence for a person.

use anstyle::{AnsiColor, Style};
use townwatch_protocol::event::{
    AgentOutput, AgentQuestion, AgentQuestionAnswered, AgentToolResult, AgentUsage, Attachment, AttachmentKind,
    EventData, FileAction, MessageSource, OutputStream, PartAnswer, ProgressUpdate, Status, UserMessage,
};
use townwatch_protocol::wire::TownEvent;

use super::ending;
use super::plain;

/// The characters of a text that are shown. `--json` has all of them.
const TEXT_CHARS_MAX: usize = 400;
/// The characters of a question or of a person's words that are shown.
const PERSON_CHARS_MAX: usize = 8_000;

/// The kind of a sentence, which its colour shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Said,
    Aside,
    Call,
    Good,
    Bad,
    /// Text that a person has to read completely, and text of persons.
    Question,
    Person,
}

/// A sentence, without time and name.
#[derive(Debug)]
pub(super) struct Sentence {
    tone: Tone,
    text: String,
}

impl Sentence {
    /// The complete line.
    pub(super) fn line(&self, time: &str, name: &str, colours: bool) -> String {
        let chars_max = match self.tone {
            Tone::Question | Tone::Person => PERSON_CHARS_MAX,
            _ => TEXT_CHARS_MAX,
        };
        let text = plain::line(&self.text, chars_max);
        if !colours {
            return format!("{time}  {name}  {text}\n");
        }
        let (faint, own) = (Style::new().dimmed(), Style::new().bold());
        let tone = match self.tone {
            Tone::Said => Style::new(),
            Tone::Aside => Style::new().dimmed(),
            Tone::Call => AnsiColor::Cyan.on_default(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Bad => AnsiColor::Red.on_default(),
            Tone::Question => AnsiColor::Yellow.on_default().bold(),
            Tone::Person => Style::new().bold(),
        };
        format!("{faint}{time}{faint:#}  {own}{name}{own:#}  {tone}{text}{tone:#}\n")
    }
}

/// A line of a program's output, which has its own colours.
pub(super) fn printed(text: &str, time: &str, name: &str, colours: bool) -> String {
    if !colours {
        return format!("{time}  {name}  {text}\n");
    }
    let (faint, own) = (Style::new().dimmed(), Style::new().bold());
    format!("{faint}{time}{faint:#}  {own}{name}{own:#}  {text}\n")
}

/// The sentence for an event.
pub(super) fn of(event: &TownEvent) -> Sentence {
    let (tone, text) = match EventData::read(&event.event, &event.data) {
        EventData::Status(data) => (Tone::Aside, standing(data.status).to_owned()),
        EventData::Exited(data) => match ending::problem(&data) {
            None => (Tone::Good, "finished".to_owned()),
            Some(problem) => (Tone::Bad, problem),
        },
        EventData::Session(data) => {
            let parts = [("with ", data.model), ("in ", data.working_dir), ("on branch ", data.branch)];
            let parts: String =
                parts.into_iter().filter_map(|(word, what)| Some(format!(" {word}{}", what?))).collect();
            (Tone::Aside, format!("began a session{parts}"))
        }
        EventData::Output(data) => output(data),
        EventData::UserMessage(data) => (Tone::Person, person(&data)),
        EventData::Notice(data) => (Tone::Aside, data.message),
        EventData::TaskStarted(data) => (Tone::Call, format!("in the background: {}", data.description)),
        EventData::TaskEnded(data) => {
            let summary = data.summary.map_or_else(String::new, |summary| format!(": {summary}"));
            (Tone::Aside, format!("background work {} {}{summary}", data.task_id, data.outcome.as_str()))
        }
        EventData::ToolCall(data) => (Tone::Call, data.summary),
        EventData::ToolResult(data) => result(&data),
        EventData::Question(data) => (Tone::Question, question(&data)),
        EventData::QuestionAnswered(data) => (Tone::Person, answered(&data)),
        EventData::Usage(data) => (Tone::Aside, usage(&data)),
        EventData::Error(data) => (Tone::Bad, format!("error: {}", data.message)),
        EventData::FileChanged(data) => {
            let action = match data.action {
                FileAction::Renamed => format!("renamed {} to", data.from.as_deref().unwrap_or("a file")),
                action => action.as_str().to_owned(),
            };
            let lines = match (data.lines_added, data.lines_removed) {
                (None, None) => String::new(),
                (added, removed) => format!(" (+{} −{})", added.unwrap_or(0), removed.unwrap_or(0)),
            };
            (Tone::Good, format!("{action} {}{lines}", data.path))
        }
        EventData::Progress(data) => (Tone::Aside, progress(&data)),
        EventData::RunStarted(data) => (Tone::Aside, format!("began run {}", data.run_number)),
        EventData::RunIteration(data) => {
            let passed =
                data.verification_passed.map_or("", |passed| if passed { ", passed" } else { ", did not pass" });
            (Tone::Aside, format!("ended iteration {} of {}{passed}", data.iteration_number, data.total_iterations))
        }
        EventData::RunCompleted(data) => (Tone::Good, format!("completed run {}", data.run_number)),
        EventData::RunFailed(data) => (Tone::Bad, format!("failed in run {}: {}", data.run_number, data.error)),
        EventData::WorkOrderCreated(data) => {
            (Tone::Aside, format!("got work order {}: {}", data.work_order_id, data.prompt.unwrap_or(data.status)))
        }
        EventData::WorkOrderUpdated(data) => {
            (Tone::Aside, format!("work order {} is {}", data.work_order_id, data.status))
        }
        EventData::ParserNotice(data) => {
            (Tone::Bad, format!("printed {} {} line(s): {}", data.count, data.kind.as_str(), data.sample))
        }
        EventData::SourceGap(data) => {
            let count = data.count.map_or_else(|| "some".to_owned(), |count| count.to_string());
            (Tone::Bad, format!("{count} events were lost at {}", data.source))
        }
        EventData::Other(name, data) => (Tone::Aside, format!("{name} {}", data.get())),
    };
    Sentence { tone, text }
}

fn person(data: &UserMessage) -> String {
    let to = if data.parent_tool_use_id.is_some() { " to its sub-agent" } else { "" };
    match data.source {
        MessageSource::Command => format!("{} runs: {}", data.by, data.text),
        MessageSource::Prompt | MessageSource::Message => format!("{} says{to}: {}", data.by, data.text),
    }
}

fn question(data: &AgentQuestion) -> String {
    let whose = if data.parent_tool_use_id.is_some() { "asks for its sub-agent" } else { "asks" };
    if data.parts.is_empty() {
        return format!("{whose}: {} [{}]", data.detail, data.options.join(", "));
    }
    let several = data.parts.len() > 1;
    let parts = data.parts.iter().enumerate().map(|(index, part)| {
        let number = if several { format!("({}) ", index + 1) } else { String::new() };
        let labels: Vec<_> = part.options.iter().map(|option| option.label.as_str()).collect();
        let how = if part.multiple { ", one or several" } else { "" };
        format!("{number}{} [{}{how}]", part.text, labels.join(" | "))
    });
    format!("{whose}: {}", parts.collect::<Vec<_>>().join(" "))
}

fn answered(data: &AgentQuestionAnswered) -> String {
    let said = |part: &PartAnswer| part.choices.iter().chain(&part.text).cloned().collect::<Vec<_>>().join(", ");
    let parts: Vec<_> = data.answers.iter().map(said).collect();
    let words = match (parts.is_empty(), &data.text) {
        (false, _) => format!(": {}", parts.join("; ")),
        (true, Some(text)) => format!(": {text}"),
        (true, None) => String::new(),
    };
    format!("was answered {} by {}{words}", data.answer.as_str(), data.by)
}

fn standing(status: Status) -> &'static str {
    match status {
        Status::Idle => "is idle",
        Status::Starting => "is starting",
        Status::Running => "is at work",
        Status::Waiting => "waits",
        Status::Stopping => "is stopping",
        Status::Exited => "has ended",
        Status::Failed => "has failed",
    }
}

fn output(data: AgentOutput) -> (Tone, String) {
    match data.stream {
        // What a program prints goes through the terminal model (printed.rs) before it comes to a sentence.
        OutputStream::Assistant | OutputStream::Stdout | OutputStream::Stderr => (Tone::Said, data.text),
        OutputStream::Thinking => (Tone::Aside, format!("thinks: {}", data.text)),
    }
}

fn result(data: &AgentToolResult) -> (Tone, String) {
    let first = data.content.lines().find(|line| !line.trim().is_empty());
    let beside = attachments(&data.attachments);
    let first = match (first, beside.is_empty()) {
        (Some(first), _) => townwatch_terminal::plain(first).into_owned(),
        (None, true) => "nothing".to_owned(),
        (None, false) => String::new(),
    };
    let more = format!("({}, {})", bytes(data.content_length), seconds(data.duration_ms));
    if data.success {
        (Tone::Aside, words(&["→", &plain::line(&first, 120), &beside, &more]))
    } else {
        (Tone::Bad, words(&["→ failed:", &plain::line(&first, 300), &beside, &more]))
    }
}

/// Attachments of one result that are named. Further ones are counted.
const ATTACHMENTS_NAMED_MAX: usize = 3;

/// `[picture image/png, 12.3 kB]`, one for each part that is not text.
fn attachments(all: &[Attachment]) -> String {
    let mut named: Vec<String> = all.iter().take(ATTACHMENTS_NAMED_MAX).map(attachment).collect();
    if all.len() > named.len() {
        named.push(format!("[{} more]", all.len() - named.len()));
    }
    named.join(" ")
}

fn attachment(one: &Attachment) -> String {
    let kind = match one.kind {
        AttachmentKind::Image => "picture",
        AttachmentKind::Audio => "sound",
        AttachmentKind::Document => "file",
        AttachmentKind::Link => "link",
    };
    let what = one.name.as_deref().or(one.uri.as_deref()).map(|name| plain::line(name, 80));
    let what = words(&[kind, what.as_deref().unwrap_or(""), one.media_type.as_deref().unwrap_or("")]);
    let size = one.size_bytes.map_or_else(String::new, |size| format!(", {}", bytes(size)));
    let problem = one.problem.as_deref().map_or_else(String::new, |problem| format!(": {problem}"));
    format!("[{what}{size}{problem}]")
}

fn words(all: &[&str]) -> String {
    let all: Vec<&str> = all.iter().copied().filter(|one| !one.is_empty()).collect();
    all.join(" ")
}

fn usage(data: &AgentUsage) -> String {
    let read =
        data.input_tokens + data.cache_read_input_tokens.unwrap_or(0) + data.cache_creation_input_tokens.unwrap_or(0);
    let cost = data.cost_usd.map_or(String::new(), |cost| format!(", ${cost:.2}"));
    let total = if data.cumulative { " in all" } else { "" };
    format!("used {read} tokens in, {} out{cost}{total}", data.output_tokens)
}

fn progress(data: &ProgressUpdate) -> String {
    match data.percentage {
        Some(percentage) => format!("{percentage:.0} %: {}", data.current_phase),
        None => format!("{} calls so far: {}", data.tool_call_count, data.current_phase),
    }
}

/// A size with three digits: `12.3 kB`.
#[allow(clippy::cast_precision_loss)]
fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

#[allow(clippy::cast_precision_loss)] // as above
fn seconds(ms: u64) -> String {
    format!("{:.1} s", ms as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(event: &str, data: &str, colours: bool) -> String {
        let at = "2026-11-22T14:46:39.000Z";
        let json = format!(r#"{{"id":1,"agent_id":"a","event":"{event}","data":{data},"at":"{at}"}}"#);
        of(&serde_json::from_str(&json).unwrap()).line("14:46:39", "Lisa", colours)
    }

    #[test]
    fn each_event_is_a_sentence() {
        let call =
            r#"{"tool_use_id":"t","tool":"Read","category":"Read","input":{},"summary":"Reading src/config.ts"}"#;
        let result = r#"{"tool_use_id":"t","success":false,"content":"\n no such file\nx","content_length":1500,"duration_ms":40}"#;
        let shown = r#"{"tool_use_id":"t","success":true,"content":"","content_length":0,"duration_ms":40,"attachments":[{"kind":"image","media_type":"image/png","size_bytes":12300,"image_id":"0a"},{"kind":"image","size_bytes":6,"problem":"It is no picture."},{"kind":"link","uri":"file:///r.pdf"},{"kind":"audio"},{"kind":"audio"}]}"#;
        let usage = r#"{"message_id":"m","input_tokens":10,"output_tokens":5,"cache_read_input_tokens":90,"cost_usd":0.1234,"cumulative":true}"#;
        let cases = [
            ("agent_output", r#"{"text":"Hello\nthere","stream":"assistant"}"#, "Hello there"),
            ("agent_output", r#"{"text":"hm","stream":"thinking"}"#, "thinks: hm"),
            ("agent_tool_call", call, "Reading src/config.ts"),
            ("agent_tool_result", result, "→ failed: no such file (1.5 kB, 0.0 s)"),
            (
                "agent_tool_result",
                shown,
                "→ [picture image/png, 12.3 kB] [picture, 6 bytes: It is no picture.] [link file:///r.pdf] [2 more] (0 bytes, 0.0 s)",
            ),
            ("agent_usage", usage, "used 100 tokens in, 5 out, $0.12 in all"),
            ("agent.exited", r#"{"reason":"completed","exit_code":0}"#, "finished"),
            ("agent.exited", r#"{"reason":"failed","message":"out of memory"}"#, "failed: out of memory"),
            ("file_changed", r#"{"path":"a.rs","action":"modified","lines_added":3}"#, "modified a.rs (+3 −0)"),
            (
                "agent_question",
                r#"{"request_id":"q","kind":"permission","detail":"Run it?","options":["yes","no"]}"#,
                "asks: Run it? [yes, no]",
            ),
            (
                "agent_question",
                r#"{"request_id":"q","kind":"input","detail":"","options":[],"parent_tool_use_id":"t","parts":[{"text":"Which?","options":[{"label":"A"},{"label":"B"}],"multiple":true,"free_text":true},{"text":"Why?","options":[],"multiple":false,"free_text":true}]}"#,
                "asks for its sub-agent: (1) Which? [A | B, one or several] (2) Why? []",
            ),
            (
                "agent_question_answered",
                r#"{"request_id":"q","answer":"once","by":"operator","answers":[{"choices":["A","B"],"text":"both"},{"text":"because"}]}"#,
                "was answered once by operator: A, B, both; because",
            ),
            (
                "agent_question_answered",
                r#"{"request_id":"q","answer":"reject","by":"operator","text":"Not here."}"#,
                "was answered reject by operator: Not here.",
            ),
            ("user_message", r#"{"text":"Fix\nit","by":"operator","source":"prompt"}"#, "operator says: Fix it"),
            ("user_message", r#"{"text":"make all","by":"operator","source":"command"}"#, "operator runs: make all"),
            ("my.note", r#"{"a": "\u001b[2J"}"#, r#"my.note {"a": "\u001b[2J"}"#),
            ("agent_output", r#"{"text":"\u001b[2Jgone","stream":"stdout"}"#, "␛[2Jgone"),
        ];
        for (event, data, expected) in cases {
            assert_eq!(line(event, data, false), format!("14:46:39  Lisa  {expected}\n"));
        }
    }

    #[test]
    fn colours_are_only_the_programs_own() {
        let coloured = line("agent_error", r#"{"code":"c","message":"\u001b[0mfine"}"#, true);
        assert_eq!(coloured, "\x1b[2m14:46:39\x1b[0m  \x1b[1mLisa\x1b[0m  \x1b[31merror: ␛[0mfine\x1b[0m\n");
    }
}
