//! Questions of agents, as people read them.

use serde::Deserialize;
use serde_json::value::RawValue;
use townwatch_protocol::event::{
    AgentQuestion, Answer, EventData, MessageSource, QuestionKind, QuestionOption, QuestionPart, QuestionSubject,
    SubjectKind, UserMessage,
};

use super::answering::ExpectedAnswer;
use super::wire::lenient;
use crate::json::{if_readable, read};

/// Questions of a run that are open at once, 64. One more closes the oldest with a refusal. Besides the agent, each of
/// its sub-agents may ask some.
pub(super) const OPEN_MAX: usize = 64;

lenient! {
    /// One question of several.
    AskedQuestion {
        question: String,
        header: String,
        options: Vec<Box<RawValue>>,
        #[serde(alias = "multiSelect")] multiple: bool,
        custom: bool, // OpenCode's: whether other words are an answer, too, which they are where it does not say
    }
    /// One offered answer.
    AskedOption {
        label: String,
        description: String,
        preview: String,
    }
}

impl AskedQuestion {
    fn part(&self) -> QuestionPart {
        let options = self.options.iter().flatten().filter_map(|raw| option(raw));
        let options: Vec<_> = options.collect();
        QuestionPart {
            header: self.header.clone().filter(|header| !header.trim().is_empty()),
            text: self.question.clone().unwrap_or_default(),
            multiple: self.multiple == Some(true),
            free_text: self.custom != Some(false) || options.is_empty(),
            options,
        }
    }
}

fn option(raw: &RawValue) -> Option<QuestionOption> {
    let asked: AskedOption = read(raw.get()).unwrap_or_default();
    let label = asked.label.or_else(|| read(raw.get()))?;
    let said = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    Some(QuestionOption { label, description: said(asked.description), preview: said(asked.preview) })
}

/// The content of a question, before it has an id.
pub(super) struct QuestionDraft {
    kind: QuestionKind,
    detail: String,
    options: Vec<String>,
    parts: Vec<QuestionPart>,
    subject: Option<QuestionSubject>,
    always: Option<String>,
}

impl QuestionDraft {
    /// A question for input.
    pub(super) fn input(questions: &[AskedQuestion]) -> Self {
        let parts: Vec<_> = questions.iter().map(AskedQuestion::part).collect();
        let texts: Vec<_> = parts.iter().map(|part| part.text.as_str()).filter(|text| !text.is_empty()).collect();
        Self {
            kind: QuestionKind::Input,
            detail: texts.join("\n"),
            options: parts.iter().flat_map(|part| &part.options).map(|option| option.label.clone()).collect(),
            parts,
            subject: None,
            always: None,
        }
    }

    /// A question for a permission, with the possible answers. `always` says which rule that answer would add.
    pub(super) fn permission(
        detail: String,
        subject: Option<QuestionSubject>,
        answers: &[Answer],
        always: Option<String>,
    ) -> Self {
        let subject = subject.filter(|subject| !subject.text.trim().is_empty());
        let options = answers.iter().map(|answer| answer.as_str().to_owned()).collect();
        Self { kind: QuestionKind::Permission, detail, options, parts: Vec::new(), subject, always }
    }

    /// The event of the question. `call` waits for the answer; `parent` is the call whose sub-agent asks.
    pub(super) fn event(&self, request_id: String, call: Option<String>, parent: Option<String>) -> AgentQuestion {
        AgentQuestion {
            request_id,
            kind: self.kind,
            detail: self.detail.clone(),
            options: self.options.clone(),
            parts: self.parts.clone(),
            subject: self.subject.clone(),
            always: self.always.clone(),
            tool_use_id: call,
            parent_tool_use_id: parent,
        }
    }

    /// The answers that the question accepts.
    pub(super) fn expected_answer(self) -> ExpectedAnswer {
        ExpectedAnswer::new(self.kind, self.options, self.parts)
    }
}

/// The event of a person's message to a running agent.
pub(super) fn message(text: &str, by: &str) -> EventData {
    let (text, by, source) = (text.to_owned(), by.to_owned(), MessageSource::Message);
    UserMessage { text, by, source, message_id: None, parent_tool_use_id: None }.into()
}

/// The whole subject of a permission.
pub(super) fn subject(kind: SubjectKind, text: impl Into<String>) -> QuestionSubject {
    QuestionSubject { kind, text: text.into() }
}
