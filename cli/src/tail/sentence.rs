//! An event as one sentence for a person.

use anstyle::{AnsiColor, Style};
use townwatch::event::{
    AgentOutput, AgentToolResult, AgentUsage, EventData, FileAction, OutputStream, ProgressUpdate, Status,
};
use townwatch::protocol::TownEvent;

use super::ending;
use super::plain;

/// How much of a text is shown; `--json` has all of it.
const TEXT_CHARS_MAX: usize = 400;

/// What kind of thing is said, which is what a colour shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Said,
    Aside,
    Call,
    Good,
    Bad,
    Question,
}

/// A sentence without time and name.
#[derive(Debug)]
pub(super) struct Sentence {
    tone: Tone,
    text: String,
}

impl Sentence {
    /// The whole line.
    pub(super) fn line(&self, time: &str, name: &str, colours: bool) -> String {
        let text = plain::line(&self.text, TEXT_CHARS_MAX);
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
        };
        format!("{faint}{time}{faint:#}  {own}{name}{own:#}  {tone}{text}{tone:#}\n")
    }
}

/// What happened.
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
        EventData::ToolCall(data) => (Tone::Call, data.summary),
        EventData::ToolResult(data) => result(&data),
        EventData::Question(data) => (Tone::Question, format!("asks: {} [{}]", data.detail, data.options.join(", "))),
        EventData::QuestionAnswered(data) => {
            (Tone::Aside, format!("was answered {} by {}", data.answer.as_str(), data.by))
        }
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
        OutputStream::Assistant | OutputStream::Stdout => (Tone::Said, data.text),
        OutputStream::Thinking => (Tone::Aside, format!("thinks: {}", data.text)),
        OutputStream::Stderr => (Tone::Bad, data.text),
    }
}

fn result(data: &AgentToolResult) -> (Tone, String) {
    let first = data.content.lines().find(|line| !line.trim().is_empty()).unwrap_or("nothing");
    let more = format!("({}, {})", bytes(data.content_length), seconds(data.duration_ms));
    if data.success {
        (Tone::Aside, format!("→ {} {more}", plain::line(first, 120)))
    } else {
        (Tone::Bad, format!("→ failed: {} {more}", plain::line(first, 300)))
    }
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

/// Three digits are enough for a person.
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
        let usage = r#"{"message_id":"m","input_tokens":10,"output_tokens":5,"cache_read_input_tokens":90,"cost_usd":0.1234,"cumulative":true}"#;
        let cases = [
            ("agent_output", r#"{"text":"Hello\nthere","stream":"assistant"}"#, "Hello there"),
            ("agent_output", r#"{"text":"hm","stream":"thinking"}"#, "thinks: hm"),
            ("agent_tool_call", call, "Reading src/config.ts"),
            ("agent_tool_result", result, "→ failed: no such file (1.5 kB, 0.0 s)"),
            ("agent_usage", usage, "used 100 tokens in, 5 out, $0.12 in all"),
            ("agent.exited", r#"{"reason":"completed","exit_code":0}"#, "finished"),
            ("agent.exited", r#"{"reason":"failed","message":"out of memory"}"#, "failed: out of memory"),
            ("file_changed", r#"{"path":"a.rs","action":"modified","lines_added":3}"#, "modified a.rs (+3 −0)"),
            (
                "agent_question",
                r#"{"request_id":"q","kind":"permission","detail":"Run it?","options":["yes","no"]}"#,
                "asks: Run it? [yes, no]",
            ),
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
