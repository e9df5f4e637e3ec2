//! Claude Code's control protocol: requests of the program to its parent process, and messages to it.
//!
//! With `--input-format stream-json --permission-prompt-tool stdio` it prints a `control_request` where it needs a
//! permission or an answer (`can_use_tool`), waits for the `control_response` with the same `request_id`, and prints a
//! `control_cancel_request` where it needs none any more. A person's message is a `user` line; a message during a turn
//! joins that turn.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::event::{AgentQuestion, AgentQuestionAnswered, Answer, PartAnswer, QuestionKind, ToolCategory};
use townwatch_protocol::wire::AnswerAgent;

use super::{always, subject};
use crate::json::{if_readable, read};
use crate::normalise::answering::{self, ExpectedAnswer};
use crate::normalise::asking::{AskedQuestion, OPEN_MAX, QuestionDraft};
use crate::normalise::call_names::CallNames;
use crate::normalise::recent::Recent;
use crate::normalise::wire::{ControlRequestContent, ControlRequestLine, category, lenient};
use crate::redact::is_redacted;
use crate::summary::{self, ToolInput};

/// The longest tool input that is kept for the answer to an open question, 256 KiB. So all open questions together
/// keep 16 MiB at most. Two inputs are not kept: a longer one, and that of a permission if a secret was removed from
/// it. The answer then has no input, and the program uses the input that it asked about.
const INPUT_BYTES_MAX: usize = 256 << 10;
/// The longest request id. The program makes none that is longer.
const REQUEST_ID_BYTES_MAX: usize = 128;
/// Answers that the program is owed at once. Further unknown requests get none.
const OWED_MAX: usize = 16;
/// The text for the agent where a person refused without words.
const REFUSAL: &str = "A person who was asked said no.";

lenient! {
    /// The input of `AskUserQuestion`.
    QuestionInput { questions: Vec<AskedQuestion>, }
    /// The input of `ExitPlanMode`.
    PlanInput { plan: String, }
}

/// The open requests of the program.
#[derive(Debug, Clone, Default)]
pub(super) struct ControlRequests {
    open: Vec<OpenRequest>,
    owed: VecDeque<String>,
    /// The calls of sub-agents, each with the call that its sub-agent works for.
    parents: Recent<String>,
}

#[derive(Debug, Clone)]
struct OpenRequest {
    request_id: String,
    wanted: ExpectedAnswer,
    /// The call that waits for the answer.
    tool_use_id: Option<String>,
    /// The input of the tool, where it is not too long.
    input: Option<Box<RawValue>>,
    /// The permission rules that `always` would add.
    suggestions: Option<Box<RawValue>>,
}

/// The result of a request.
pub(super) enum Request {
    /// A new question, and the end of the oldest one if there were too many.
    Question(Box<AgentQuestion>, Option<AgentQuestionAnswered>),
    /// A repeated request.
    Repeat,
    Unknown,
    Malformed,
}

impl ControlRequests {
    /// Whether no question is open.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Notes the call of a sub-agent.
    pub(super) fn called(&mut self, tool_use_id: &str, parent: Option<&str>) {
        if let Some(parent) = parent {
            self.parents.insert(tool_use_id, parent.to_owned());
        }
    }

    /// Reads a request of the program.
    pub(super) fn request(&mut self, line: &str, names: &CallNames, working_dir: Option<&str>) -> Request {
        let ControlRequestLine { request_id, request } = read(line).unwrap_or_default();
        let is_name = |id: &String| !id.is_empty() && id.len() <= REQUEST_ID_BYTES_MAX;
        let (Some(request_id), Some(asked)) = (request_id.filter(is_name), request) else { return Request::Malformed };
        let asked = ControlRequestContent { tool_use_id: asked.tool_use_id.map(|id| names.told(id)), ..asked };
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
        let tool_use_id = asked.tool_use_id.clone();
        let parent = tool_use_id.as_deref().and_then(|id| self.parents.get(id)).cloned();
        let (open, question) = question(request_id, asked, parent, working_dir);
        let one_too_many = (self.open.len() >= OPEN_MAX).then(|| self.open.remove(0).request_id);
        if let Some(oldest) = one_too_many.as_deref().filter(|_| self.owed.len() < OWED_MAX) {
            let message = answering::TOO_MANY;
            self.owed.push_back(response_line(oldest, PermissionResult::Deny { message }));
        }
        self.open.push(open);
        Request::Question(Box::new(question), one_too_many.map(answering::one_too_many))
    }

    /// The line with the answer to an open question, and its event.
    pub(super) fn answer(&mut self, answer: &AnswerAgent, by: &str) -> Result<(String, AgentQuestionAnswered)> {
        let request_id = &answer.request_id;
        let is_it = |open: &OpenRequest| open.request_id == *request_id;
        let index = self.open.iter().position(is_it).ok_or_else(|| answering::not_open(request_id))?;
        let open = &self.open[index];
        let given = open.wanted.check(answer, by)?;
        let decision = match (given.answer, open.wanted.kind()) {
            (Answer::Reject, _) => PermissionResult::Deny { message: given.text.as_deref().unwrap_or(REFUSAL) },
            (_, QuestionKind::Input) => {
                let updated_input = Some(open.with_answers(&given.answers).map_err(Error::internal)?);
                PermissionResult::Allow { updated_input, updated_permissions: None }
            }
            (answer, QuestionKind::Permission) => {
                let updated_permissions = open.suggestions.clone().filter(|_| answer == Answer::Always);
                PermissionResult::Allow { updated_input: open.input.clone(), updated_permissions }
            }
        };
        let line = response_line(request_id, decision);
        self.open.remove(index);
        Ok((line, given.event(request_id.clone())))
    }

    /// The end of a question whose answer the program no longer needs.
    pub(super) fn cancelled(&mut self, line: &str, by: &str) -> Option<AgentQuestionAnswered> {
        let request_id = read::<ControlRequestLine>(line)?.request_id?;
        self.close(|open| open.request_id == request_id, Answer::Reject, by)
    }

    /// The end of a question whose call has its result.
    pub(super) fn call_ended(&mut self, tool_use_id: &str, success: bool, by: &str) -> Option<AgentQuestionAnswered> {
        let answer = if success { Answer::Once } else { Answer::Reject };
        self.close(|open| open.tool_use_id.as_deref() == Some(tool_use_id), answer, by)
    }

    fn close(&mut self, is: impl Fn(&OpenRequest) -> bool, answer: Answer, by: &str) -> Option<AgentQuestionAnswered> {
        let open = self.open.remove(self.open.iter().position(is)?);
        Some(answering::closed_by(open.request_id, answer, by))
    }

    /// The next answer that the program is owed.
    pub(super) fn owed(&mut self) -> Option<String> {
        self.owed.pop_front()
    }
}

impl OpenRequest {
    /// The input with the answers, by the text of each question. The questions stay in it.
    fn with_answers(&self, given: &[PartAnswer]) -> serde_json::Result<Box<RawValue>> {
        let input = self.input.as_ref().and_then(|input| read(input.get()));
        let mut input: BTreeMap<String, Box<RawValue>> = input.unwrap_or_default();
        let mut answers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (part, given) in self.wanted.parts().iter().zip(given) {
            answers.entry(&part.text).or_default().extend(answering::said(given)); // a question may stand there twice
        }
        let answers: BTreeMap<_, _> = answers.into_iter().map(|(question, said)| (question, said.join(", "))).collect();
        input.insert("answers".to_owned(), to_raw_value(&answers)?);
        to_raw_value(&input)
    }
}

/// The question of a request.
fn question(
    request_id: String,
    asked: ControlRequestContent,
    parent: Option<String>,
    working_dir: Option<&str>,
) -> (OpenRequest, AgentQuestion) {
    let input = asked.input.unwrap_or_default();
    let tool = asked.tool_name.unwrap_or_default();
    let asked_for_words = (tool == "AskUserQuestion").then(|| read::<QuestionInput>(input.get())).flatten();
    let questions = asked_for_words.and_then(|input| input.questions).filter(|questions| !questions.is_empty());
    let suggestions = asked.permission_suggestions.filter(|raw| is_whole(raw) && raw.get() != "[]");
    let asking = if let Some(questions) = &questions {
        QuestionDraft::input(questions)
    } else {
        let detail = may_it(&tool, asked.description.as_deref(), &input, working_dir);
        let answers: &[Answer] = match suggestions {
            Some(_) => &[Answer::Once, Answer::Always, Answer::Reject],
            None => &[Answer::Once, Answer::Reject], // it would ask again all the same
        };
        let always = suggestions.as_ref().map(|suggestions| always::in_words(suggestions));
        QuestionDraft::permission(detail, Some(subject::of(&tool, &input, working_dir)), answers, always)
    };
    let question = asking.event(request_id.clone(), asked.tool_use_id.clone(), parent);
    // Its questions have to be said again, with the marks of secrets if need be.
    let may_be_repeated = if questions.is_some() { input.get().len() <= INPUT_BYTES_MAX } else { is_whole(&input) };
    let open = OpenRequest {
        request_id,
        wanted: asking.expected_answer(),
        tool_use_id: asked.tool_use_id,
        input: Some(input).filter(|_| may_be_repeated),
        suggestions,
    };
    (open, question)
}

/// Whether an answer can repeat the input: the input is within the bound, and no secret was removed from it.
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

/// A person's message as the program reads it. The program itself knows its session.
pub fn user_line(text: &str) -> String {
    line_of(&json!({
        "type": "user",
        "message": {"role": "user", "content": text},
        "parent_tool_use_id": null,
        "session_id": "",
    }))
}

/// The request to interrupt the turn.
pub(super) fn interrupt_line() -> String {
    line_of(&json!({"type": "control_request", "request_id": "interrupt", "request": {"subtype": "interrupt"}}))
}

fn response_line(request_id: &str, response: PermissionResult<'_>) -> String {
    line_of(&Response { kind: "control_response", response: Success { subtype: "success", request_id, response } })
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
    response: PermissionResult<'a>,
}

/// An answer as the program reads it.
#[derive(Serialize)]
#[serde(tag = "behavior", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum PermissionResult<'a> {
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
