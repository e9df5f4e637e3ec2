//! Claude Code's control protocol: what the program asks whoever runs it, and how it is told things.
//!
//! With `--input-format stream-json --permission-prompt-tool stdio` it prints a `control_request` where it needs a
//! permission or an answer (`can_use_tool`), waits for the `control_response` with the same `request_id`, and prints a
//! `control_cancel_request` where it needs none any more. What a person says is a `user` line; one that comes during a
//! turn goes into that turn.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use townwatch::error::{Code, Error, Result};
use townwatch::event::{AgentQuestion, AgentQuestionAnswered, Answer, QuestionKind, ToolCategory};
use townwatch::protocol::AnswerAgent;

use crate::json::{if_readable, read};
use crate::normalise::asking::{self, AskedQuestion, Asking};
use crate::normalise::wire::{Asked, ControlRequest, category, lenient};
use crate::redact::is_redacted;
use crate::summary::{self, ToolInput};

/// Questions that are open at once: the agent's own and one for each of its sub-agents. The oldest go, as if they had been
/// answered elsewhere.
const OPEN_MAX: usize = 64;
/// A longer input is not kept, 16 MiB of them at most, nor one out of which a secret was taken: the answer then does not
/// repeat it, and the program takes what it asked for.
const INPUT_BYTES_MAX: usize = 256 << 10;
/// A longer name is none that the program makes.
const REQUEST_ID_BYTES_MAX: usize = 128;
/// Answers that the program is owed at once; further requests that nobody here knows stay without one.
const OWED_MAX: usize = 16;
/// What the agent reads where a person said no and nothing else.
const REFUSAL: &str = "A person who was asked said no.";

lenient! {
    /// The input of `AskUserQuestion`.
    QuestionInput { questions: Vec<AskedQuestion>, }
    /// The input of `ExitPlanMode`.
    PlanInput { plan: String, }
}

/// What the program waits for.
#[derive(Debug, Clone, Default)]
pub(super) struct Control {
    open: Vec<Open>,
    owed: VecDeque<String>,
}

#[derive(Debug, Clone)]
struct Open {
    request_id: String,
    kind: QuestionKind,
    /// The call that waits for the answer.
    tool_use_id: Option<String>,
    /// What the tool is to be called with, where it is not too long.
    input: Option<Box<RawValue>>,
    /// What would have to be allowed for good, so that it does not ask again.
    suggestions: Option<Box<RawValue>>,
    /// The questions that want words, and what they offer.
    questions: Vec<String>,
    options: Vec<String>,
}

/// What a request came to.
pub(super) enum Request {
    Question(AgentQuestion),
    /// It was made before.
    Repeat,
    Unknown,
    Malformed,
}

impl Control {
    /// Whether no question is open.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The program asks.
    pub(super) fn request(&mut self, line: &str, working_dir: Option<&str>) -> Request {
        let ControlRequest { request_id, request } = read(line).unwrap_or_default();
        let is_name = |id: &String| !id.is_empty() && id.len() <= REQUEST_ID_BYTES_MAX;
        let (Some(request_id), Some(asked)) = (request_id.filter(is_name), request) else { return Request::Malformed };
        if asked.subtype.as_deref() != Some("can_use_tool") {
            let subtype = asked.subtype.unwrap_or_default();
            let error = format!("nobody here knows control requests of the kind {subtype:?}");
            if self.owed.len() < OWED_MAX {
                self.owed.push_back(line_of(&json!({
                    "type": "control_response",
                    "response": {"subtype": "error", "request_id": request_id, "error": summary::line(&error)},
                })));
            }
            return Request::Unknown;
        }
        if self.open.iter().any(|open| open.request_id == request_id) {
            return Request::Repeat;
        }
        let (open, (kind, detail, options)) = question(request_id.clone(), asked, working_dir);
        if self.open.len() >= OPEN_MAX {
            self.open.remove(0);
        }
        self.open.push(open);
        Request::Question(AgentQuestion { request_id, kind, detail, options })
    }

    /// An open question is answered; the line that says so.
    pub(super) fn answer(&mut self, answer: &AnswerAgent) -> Result<String> {
        let AnswerAgent { request_id, answer, text } = answer;
        let index = self.open.iter().position(|open| open.request_id == *request_id).ok_or_else(|| {
            let message = format!("question {request_id} is not open: it was answered, or its call or run has ended");
            Error::new(Code::Conflict, message)
        })?;
        let open = &self.open[index];
        let message = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let response = match (answer, open.kind) {
            (Answer::Reject, _) => Decision::Deny { message: message.unwrap_or(REFUSAL) },
            (_, QuestionKind::Input) => {
                let words = message.ok_or_else(|| Error::invalid("text", "say what the answer is"))?;
                let updated_input = Some(open.with_answers(words).map_err(Error::internal)?);
                Decision::Allow { updated_input, updated_permissions: None }
            }
            (answer, QuestionKind::Permission) => {
                let updated_permissions = open.suggestions.clone().filter(|_| *answer == Answer::Always);
                Decision::Allow { updated_input: open.input.clone(), updated_permissions }
            }
        };
        let line = line_of(&Response {
            kind: "control_response",
            response: Success { subtype: "success", request_id, response },
        });
        self.open.remove(index);
        Ok(line)
    }

    /// The program needs no answer any more.
    pub(super) fn cancelled(&mut self, line: &str, by: &str) -> Option<AgentQuestionAnswered> {
        let request_id = read::<ControlRequest>(line)?.request_id?;
        self.close(|open| open.request_id == request_id, Answer::Reject, by)
    }

    /// A call has its result, so nobody has to be asked about it any more.
    pub(super) fn call_ended(&mut self, tool_use_id: &str, success: bool, by: &str) -> Option<AgentQuestionAnswered> {
        let answer = if success { Answer::Once } else { Answer::Reject };
        self.close(|open| open.tool_use_id.as_deref() == Some(tool_use_id), answer, by)
    }

    fn close(&mut self, is: impl Fn(&Open) -> bool, answer: Answer, by: &str) -> Option<AgentQuestionAnswered> {
        let open = self.open.remove(self.open.iter().position(is)?);
        Some(AgentQuestionAnswered { request_id: open.request_id, answer, by: by.to_owned() })
    }

    /// The next answer that the program is owed.
    pub(super) fn owed(&mut self) -> Option<String> {
        self.owed.pop_front()
    }
}

impl Open {
    /// The input with the answers to its questions, all of them in the same words.
    fn with_answers(&self, words: &str) -> serde_json::Result<Box<RawValue>> {
        let input = self.input.as_ref().and_then(|input| read(input.get()));
        let mut input: BTreeMap<String, Box<RawValue>> = input.unwrap_or_default();
        let words = asking::chosen(words, &self.options);
        let answers: BTreeMap<&str, &str> = self.questions.iter().map(|question| (question.as_str(), words)).collect();
        input.insert("answers".to_owned(), to_raw_value(&answers)?);
        to_raw_value(&input)
    }
}

/// The question that the program's request is.
fn question(request_id: String, asked: Asked, working_dir: Option<&str>) -> (Open, Asking) {
    let input = asked.input.unwrap_or_default();
    let tool = asked.tool_name.unwrap_or_default();
    let asked_for_words = (tool == "AskUserQuestion").then(|| read::<QuestionInput>(input.get())).flatten();
    let questions = asked_for_words.and_then(|input| input.questions).filter(|questions| !questions.is_empty());
    let suggestions = asked.permission_suggestions.filter(|raw| is_whole(raw) && raw.get() != "[]");
    let asking = if let Some(questions) = &questions {
        asking::input(questions)
    } else {
        let answers: &[Answer] = match suggestions {
            Some(_) => &[Answer::Once, Answer::Always, Answer::Reject],
            None => &[Answer::Once, Answer::Reject], // it would ask again all the same
        };
        asking::permission(may_it(&tool, asked.description.as_deref(), &input, working_dir), answers)
    };
    let open = Open {
        request_id,
        kind: asking.0,
        tool_use_id: asked.tool_use_id,
        input: Some(input).filter(|input| is_whole(input)),
        suggestions,
        questions: questions.into_iter().flatten().filter_map(|one| one.question).collect(),
        options: asking.2.clone(),
    };
    (open, asking)
}

/// Whether it can be repeated as the program said it.
fn is_whole(raw: &RawValue) -> bool {
    raw.get().len() <= INPUT_BYTES_MAX && !is_redacted(raw.get())
}

fn may_it(tool: &str, description: Option<&str>, input: &RawValue, working_dir: Option<&str>) -> String {
    let known: ToolInput = read(input.get()).unwrap_or_default();
    let path = known.file_path.as_deref().map(|path| summary::relative(path, working_dir));
    match (category(tool), &known.command, path, &known.url) {
        (ToolCategory::Bash, Some(command), ..) => format!("May it run `{command}`?"),
        (ToolCategory::Read, _, Some(path), _) => format!("May it read {path}?"),
        (ToolCategory::Write | ToolCategory::Edit, _, Some(path), _) => format!("May it change {path}?"),
        (ToolCategory::WebFetch, .., Some(url)) => format!("May it fetch {url}?"),
        _ if tool == "ExitPlanMode" => {
            let plan = read::<PlanInput>(input.get()).and_then(|input| input.plan);
            format!("May it do as it plans?\n{}", plan.unwrap_or_default()).trim_end().to_owned()
        }
        _ => match description.map(summary::line).filter(|text| !text.is_empty()) {
            Some(description) => format!("May it use {tool}: {description}?"),
            None => format!("May it use {tool}?"),
        },
    }
}

/// A person's words as the program reads them. It knows its session itself.
pub(crate) fn user_line(text: &str) -> String {
    line_of(&json!({
        "type": "user",
        "message": {"role": "user", "content": text},
        "parent_tool_use_id": null,
        "session_id": "",
    }))
}

/// The wish that the turn be broken off.
pub(super) fn interrupt_line() -> String {
    line_of(&json!({"type": "control_request", "request_id": "interrupt", "request": {"subtype": "interrupt"}}))
}

fn line_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default() + "\n"
}

#[derive(Serialize)]
struct Response<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    response: Success<'a>,
}

#[derive(Serialize)]
struct Success<'a> {
    subtype: &'static str,
    request_id: &'a str,
    response: Decision<'a>,
}

/// An answer as the program reads it.
#[derive(Serialize)]
#[serde(tag = "behavior", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum Decision<'a> {
    Allow {
        #[serde(skip_serializing_if = "Option::is_none")]
        updated_input: Option<Box<RawValue>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        updated_permissions: Option<Box<RawValue>>,
    },
    Deny {
        message: &'a str,
    },
}
