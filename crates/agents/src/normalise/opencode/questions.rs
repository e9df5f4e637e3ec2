//! Questions of the agent, and their ends.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::event::{
    AgentQuestion, AgentQuestionAnswered, Answer, PartAnswer, QuestionKind, QuestionSubject, SubjectKind,
};
use townwatch_protocol::wire::AnswerAgent;

use super::wire::{Asked, AskedMetadata, AskedTool, Part, Replied};
use crate::json::read;
use crate::normalise::answering::{self, CheckedAnswer, ExpectedAnswer};
use crate::normalise::asking::{self, OPEN_MAX, QuestionDraft};
use crate::normalise::recent::Recent;
use crate::summary;

/// The questions of one run.
#[derive(Debug, Default, Clone)]
pub(super) struct Questions {
    open: Vec<PendingQuestion>,
    /// The calls that have ended. The server still lists the questions of interrupted calls.
    ended_calls: Recent<()>,
    /// The questions that were closed because there were too many. The server still lists them.
    dropped: Recent<()>,
}

/// A question that nobody has answered yet.
#[derive(Debug, Clone)]
struct PendingQuestion {
    request_id: String,
    wanted: ExpectedAnswer,
    /// The call that waits for the answer.
    call: Option<String>,
    /// The answer that is being sent.
    given: Option<CheckedAnswer>,
}

/// The origin of a question.
pub(super) struct QuestionOrigin<'a> {
    pub(super) working_dir: Option<&'a str>,
    /// The call that waits, by its reported name.
    pub(super) tool_use_id: Option<String>,
    /// The call whose sub-agent asks.
    pub(super) parent: Option<String>,
}

/// A new question, and the end of the oldest one if there were too many.
pub(super) type NewQuestion = (AgentQuestion, Option<AgentQuestionAnswered>);

impl Questions {
    /// Whether none is open.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    fn find(&self, request_id: &str) -> Option<&PendingQuestion> {
        self.open.iter().find(|open| open.request_id == request_id)
    }

    /// The kind of an open question, and the checked answer.
    ///
    /// # Errors
    ///
    /// `conflict` for a question that is not open or is being answered; `invalid_request` for an answer that does not
    /// fit.
    pub(super) fn check(&self, answer: &AnswerAgent, by: &str) -> Result<(QuestionKind, CheckedAnswer)> {
        let request_id = &answer.request_id;
        let open = self.find(request_id).ok_or_else(|| answering::not_open(request_id))?;
        match &open.given {
            Some(given) => Err(Error::answered(request_id, given.answer, &given.by)),
            None => Ok((open.wanted.kind(), open.wanted.check(answer, by)?)),
        }
    }

    /// Notes the answer that is being sent: the agent's next report about the question is this answer. `None` takes it
    /// back, because the agent refused it.
    pub(super) fn answering(&mut self, request_id: &str, given: Option<CheckedAnswer>) {
        if let Some(open) = self.open.iter_mut().find(|open| open.request_id == request_id) {
            open.given = given;
        }
    }

    /// The new question of a frame; `None` for a repeated one.
    pub(super) fn asked(&mut self, asked: &Asked, from: QuestionOrigin<'_>) -> Option<NewQuestion> {
        let is_new = |id: &String| self.find(id).is_none() && !self.dropped.contains(id);
        let request_id = asked.id.clone().filter(is_new)?;
        let call = asked.tool.as_ref().and_then(CallName::asked);
        if call.as_ref().is_some_and(|call| self.ended_calls.get(call).is_some()) {
            return None;
        }
        let asking = match &asked.questions {
            Some(questions) => QuestionDraft::input(questions),
            None => permission(asked, from.working_dir),
        };
        let one_too_many = (self.open.len() >= OPEN_MAX).then(|| self.open.remove(0).request_id);
        if let Some(oldest) = &one_too_many {
            self.dropped.insert(oldest, ());
        }
        let question = asking.event(request_id.clone(), from.tool_use_id, from.parent);
        self.open.push(PendingQuestion { request_id, wanted: asking.expected_answer(), call, given: None });
        Some((question, one_too_many.map(answering::one_too_many)))
    }

    /// The end of a question that the agent reports as answered. `by` is the author if no answer was sent from here.
    pub(super) fn replied(&mut self, replied: Replied, rejected: bool, by: &str) -> Option<AgentQuestionAnswered> {
        let request_id = replied.request_id?;
        let index = self.open.iter().position(|open| open.request_id == request_id)?;
        let open = self.open.remove(index);
        if let Some(given) = open.given {
            return Some(given.event(request_id));
        }
        let said = replied.reply.as_deref().and_then(Answer::parse);
        let answer = if rejected { Answer::Reject } else { said.unwrap_or(Answer::Once) };
        let parts = open.wanted.parts();
        let heard = replied.answers.unwrap_or_default();
        // What it heard counts by the question's parts: it may be anything.
        let answers: Vec<PartAnswer> =
            heard.iter().zip(parts).map(|(said, part)| answering::heard(part, said)).collect();
        Some(CheckedAnswer { answer, text: None, answers, by: by.to_owned() }.event(request_id))
    }

    /// The end of a question whose call has ended: it was answered elsewhere, or its turn was interrupted.
    pub(super) fn call_is(&mut self, call: Option<CallName>, by: &str) -> Option<AgentQuestionAnswered> {
        let CallName { name, ended } = call?;
        let succeeded = ended?;
        self.ended_calls.insert(&name, ());
        let index = self.open.iter().position(|open| open.call.as_ref() == Some(&name))?;
        let PendingQuestion { request_id, given, .. } = self.open.remove(index);
        if let Some(given) = given {
            return Some(given.event(request_id)); // it has the answer, though its own word of that was not heard
        }
        let answer = if succeeded { Answer::Once } else { Answer::Reject };
        Some(answering::closed_by(request_id, answer, by))
    }
}

/// The name of a call: its message's and its own id, because its own id may not be unique.
pub(super) struct CallName {
    name: String,
    /// Whether it succeeded, once it has ended.
    ended: Option<bool>,
}

impl CallName {
    /// The call of a tool part.
    pub(super) fn of(part: &Part) -> Option<Self> {
        let ended = match part.state.as_ref()?.status.as_deref() {
            Some("completed") => Some(true),
            Some("error") => Some(false),
            _ => None,
        };
        Some(Self { name: Self::join(part.message_id.as_deref(), part.call_id.as_deref())?, ended })
    }

    /// The name of a call from its message's and its own id.
    pub(super) fn join(message_id: Option<&str>, call_id: Option<&str>) -> Option<String> {
        Some(format!("{}/{}", message_id?, call_id?))
    }

    fn asked(tool: &AskedTool) -> Option<String> {
        Self::join(tool.message_id.as_deref(), tool.call_id.as_deref())
    }
}

fn permission(asked: &Asked, working_dir: Option<&str>) -> QuestionDraft {
    let what = asked.permission.as_deref().unwrap_or("something");
    let patterns = asked.patterns.as_ref().map_or(String::new(), |patterns| patterns.join(", "));
    let metadata: Option<AskedMetadata> = asked.metadata.as_ref().and_then(|raw| read(raw.get()));
    let metadata = metadata.as_ref();
    let command = metadata.and_then(|metadata| metadata.command.as_deref());
    let path = metadata.and_then(|metadata| metadata.filepath.as_deref());
    let url = metadata.and_then(|metadata| metadata.url.as_deref());
    let detail = match (what, command, path, url) {
        ("bash", Some(command), ..) => format!("May it run `{command}`?"),
        ("edit", _, Some(path), _) => format!("May it change {}?", summary::relative(path, working_dir)),
        ("webfetch", .., Some(url)) => format!("May it fetch {url}?"),
        ("external_directory", ..) => format!("May it reach outside its directory: {patterns}?"),
        ("doom_loop", ..) => "It repeats itself. May it go on?".to_owned(),
        _ => format!("May it use {what}: {patterns}?"),
    };
    let always = asked.always.as_deref();
    let answers: &[Answer] = match always {
        Some([]) => &[Answer::Once, Answer::Reject], // it would ask again all the same
        _ => &[Answer::Once, Answer::Always, Answer::Reject],
    };
    let always = always.filter(|patterns| !patterns.is_empty()).map(|patterns| from_now_on(what, patterns));
    QuestionDraft::permission(detail, Some(subject(asked)), answers, always)
}

/// The whole subject: the command, the difference, or the known facts.
fn subject(asked: &Asked) -> QuestionSubject {
    let metadata = asked.metadata.as_ref().map_or("{}", |raw| raw.get());
    let AskedMetadata { command, diff, url, .. } = read(metadata).unwrap_or_default();
    let patterns = || asked.patterns.as_ref().map_or_else(String::new, |patterns| patterns.join("\n"));
    match (command, diff, url) {
        (Some(command), ..) => asking::subject(SubjectKind::Command, command),
        (_, Some(diff), _) => asking::subject(SubjectKind::Difference, diff),
        (.., Some(url)) => asking::subject(SubjectKind::Text, url),
        _ if metadata == "{}" => asking::subject(SubjectKind::Text, patterns()),
        _ => asking::subject(SubjectKind::Text, metadata),
    }
}

/// The words for the rule that `always` adds until the server ends.
fn from_now_on(what: &str, patterns: &[String]) -> String {
    let all = patterns.iter().any(|pattern| pattern == "*");
    let of = if all { "everything".to_owned() } else { format!("`{}`", patterns.join("`, `")) };
    format!("{of} with {what}, until this run ends")
}
