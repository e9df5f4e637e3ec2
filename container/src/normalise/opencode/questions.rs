//! What the agent asks people, and what became of it.

use townwatch::event::{AgentQuestion, AgentQuestionAnswered, Answer, QuestionKind};

use super::wire::{Asked, AskedTool, Part, Replied};
use crate::normalise::asking::{self, Asking};
use crate::normalise::recent::Recent;
use crate::summary;

/// Questions that are open at once; the oldest go, as if they had been answered elsewhere.
const OPEN_MAX: usize = 64;

/// The questions of one run.
#[derive(Debug, Default, Clone)]
pub(super) struct Questions {
    open: Vec<Open>,
    /// Calls that have ended. The server goes on listing the questions of those that were interrupted.
    ended_calls: Recent<()>,
}

/// A question that nobody has answered yet.
#[derive(Debug, Clone)]
pub struct Open {
    request_id: String,
    /// What it is about.
    pub kind: QuestionKind,
    /// How many answers it wants.
    parts: usize,
    options: Vec<String>,
    /// The call that waits for the answer.
    call: Option<String>,
    /// Who is answering it now.
    by: Option<String>,
}

impl Questions {
    /// Whether none is open.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The open question of this name.
    pub(super) fn find(&self, request_id: &str) -> Option<&Open> {
        self.open.iter().find(|open| open.request_id == request_id)
    }

    /// Somebody answers: what the agent says of it next is that answer.
    pub(super) fn answering(&mut self, request_id: &str, by: Option<&str>) {
        for open in self.open.iter_mut().filter(|open| open.request_id == request_id) {
            open.by = by.map(str::to_owned);
        }
    }

    /// The agent asks; `None` for what it has asked already.
    pub(super) fn asked(&mut self, asked: &Asked, working_dir: Option<&str>) -> Option<AgentQuestion> {
        let request_id = asked.id.clone().filter(|id| self.find(id).is_none())?;
        let parts = asked.questions.as_ref().map_or(1, Vec::len);
        let call = asked.tool.as_ref().and_then(CallName::asked);
        if call.as_ref().is_some_and(|call| self.ended_calls.get(call).is_some()) {
            return None;
        }
        let (kind, detail, options) = match &asked.questions {
            Some(questions) => asking::input(questions),
            None => permission(asked, working_dir),
        };
        if self.open.len() >= OPEN_MAX {
            self.open.remove(0);
        }
        let open = Open { request_id: request_id.clone(), kind, parts, options: options.clone(), call, by: None };
        self.open.push(open);
        Some(AgentQuestion { request_id, kind, detail, options })
    }

    /// The agent has its answer. `by` is who answered if nobody here did.
    pub(super) fn replied(&mut self, replied: Replied, rejected: bool, by: &str) -> Option<AgentQuestionAnswered> {
        let request_id = replied.request_id?;
        let index = self.open.iter().position(|open| open.request_id == request_id)?;
        let open = self.open.remove(index);
        let said = replied.reply.as_deref().and_then(Answer::parse);
        let answer = if rejected { Answer::Reject } else { said.unwrap_or(Answer::Once) };
        Some(AgentQuestionAnswered { request_id, answer, by: open.by.unwrap_or_else(|| by.to_owned()) })
    }

    /// How far a call is. If it has ended, a question about it is open no more: it was answered where nobody here saw it,
    /// or its turn was interrupted.
    pub(super) fn call_is(&mut self, call: Option<CallName>, by: &str) -> Option<AgentQuestionAnswered> {
        let CallName { name, ended } = call?;
        let succeeded = ended?;
        self.ended_calls.insert(&name, ());
        let index = self.open.iter().position(|open| open.call.as_ref() == Some(&name))?;
        let request_id = self.open.remove(index).request_id;
        let answer = if succeeded { Answer::Once } else { Answer::Reject };
        Some(AgentQuestionAnswered { request_id, answer, by: by.to_owned() })
    }
}

impl Open {
    /// The answers that it wants, all of them in these words.
    pub fn answers<'a>(&'a self, words: &'a str) -> Vec<[&'a str; 1]> {
        vec![[asking::chosen(words, &self.options)]; self.parts]
    }
}

/// A call by its message and its own id, which alone need not be unique.
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
        Some(Self { name: format!("{}/{}", part.message_id.as_ref()?, part.call_id.as_ref()?), ended })
    }

    fn asked(tool: &AskedTool) -> Option<String> {
        Some(format!("{}/{}", tool.message_id.as_ref()?, tool.call_id.as_ref()?))
    }
}

fn permission(asked: &Asked, working_dir: Option<&str>) -> Asking {
    let what = asked.permission.as_deref().unwrap_or("something");
    let patterns = asked.patterns.as_ref().map_or(String::new(), |patterns| patterns.join(", "));
    let metadata = asked.metadata.as_ref();
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
    asking::permission(detail, &[Answer::Once, Answer::Always, Answer::Reject])
}
