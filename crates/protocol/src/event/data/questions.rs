//! Questions of an agent, and their answers.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "schema")]
use ts_rs::TS;

use crate::event::{Answer, QuestionKind, SubjectKind};

data! {
    /// Data of `agent_question`.
    #[derive(PartialEq)]
    AgentQuestion {
        /// The id of the question, which its answer names.
        request_id: String,
        /// The subject, as a kind.
        kind: QuestionKind,
        /// The question, for a person.
        detail: String,
        /// The answers that are possible: of a permission `once`, `always`, `reject`; else the labels of all options.
        options: Vec<String>,
        /// The parts of the question; each needs an entry in the answer. Empty for a permission.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] #[cfg_attr(feature = "schema", ts(optional, as = "Option<Vec<QuestionPart>>"))]
        parts: Vec<QuestionPart>,
        /// The whole subject of a permission: the command, plan or difference.
        subject: Option<QuestionSubject>,
        /// The rule that `always` would add, in words; absent where `always` is not offered or the agent does not say.
        always: Option<String>,
        /// The call that waits for the answer.
        tool_use_id: Option<String>,
        /// The call whose sub-agent asks.
        parent_tool_use_id: Option<String>,
    }
    /// One of the things that a question asks.
    #[derive(PartialEq)]
    QuestionPart {
        /// A word or two that name it.
        header: Option<String>,
        /// The question itself.
        text: String,
        /// The answers on offer.
        options: Vec<QuestionOption>,
        /// Whether several of them can be.
        multiple: bool,
        /// Whether it can be answered in other words.
        free_text: bool,
    }
    /// One answer that a question offers.
    #[derive(PartialEq)]
    QuestionOption {
        /// The answer.
        label: String,
        /// The meaning of the answer.
        description: Option<String>,
        /// The agent's sketch of the result.
        preview: Option<String>,
    }
    /// The subject of a permission.
    #[derive(PartialEq)]
    QuestionSubject {
        /// The way to show it.
        kind: SubjectKind,
        /// The whole of it.
        text: String,
    }
    /// The answer to one part of a question.
    PartAnswer {
        /// The labels that were chosen.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] #[cfg_attr(feature = "schema", ts(optional, as = "Option<Vec<String>>"))]
        choices: Vec<String>,
        /// Other words.
        text: Option<String>,
    }
    /// Data of `agent_question_answered`.
    AgentQuestionAnswered {
        /// The question.
        request_id: String,
        /// The decision.
        answer: Answer,
        /// The one who answered: `operator`, or the program itself.
        by: String,
        /// Words with the answer: the reason of a refusal, for example.
        text: Option<String>,
        /// An entry for each part of the question.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] #[cfg_attr(feature = "schema", ts(optional, as = "Option<Vec<PartAnswer>>"))]
        answers: Vec<PartAnswer>,
    }
}

impl AgentQuestion {
    /// A question of which nothing is known but these.
    pub fn new(request_id: String, kind: QuestionKind, detail: String, options: Vec<String>) -> Self {
        Self {
            request_id,
            kind,
            detail,
            options,
            parts: Vec::new(),
            subject: None,
            always: None,
            tool_use_id: None,
            parent_tool_use_id: None,
        }
    }
}

impl AgentQuestionAnswered {
    /// An answer without words.
    pub fn new(request_id: String, answer: Answer, by: String) -> Self {
        Self { request_id, answer, by, text: None, answers: Vec::new() }
    }
}
