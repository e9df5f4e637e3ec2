//! Questions of agents as people read them.

use serde::Deserialize;
use townwatch::event::{Answer, QuestionKind};

use super::wire::lenient;
use crate::json::if_readable;

lenient! {
    /// One question of several.
    AskedQuestion {
        question: String,
        options: Vec<AskedOption>,
    }
    /// One answer to it.
    AskedOption { label: String, }
}

/// What kind of question it is, the question, and what can be answered.
pub(super) type Asking = (QuestionKind, String, Vec<String>);

/// Questions that want words.
pub(super) fn input(questions: &[AskedQuestion]) -> Asking {
    let texts: Vec<_> = questions.iter().filter_map(|one| one.question.as_deref()).collect();
    let options = questions.iter().filter_map(|one| one.options.as_ref()).flatten();
    (QuestionKind::Input, texts.join("\n"), options.filter_map(|option| option.label.clone()).collect())
}

/// A question that wants one of these answers.
pub(super) fn permission(detail: String, answers: &[Answer]) -> Asking {
    (QuestionKind::Permission, detail, answers.iter().map(|answer| answer.as_str().to_owned()).collect())
}
