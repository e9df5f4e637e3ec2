//! Questions of agents as people read them.

use serde::Deserialize;
use townwatch::core::reducer::stated_option;
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

/// The answer that these words choose: of a long one, the state that a person answers from has only the beginning.
pub(super) fn chosen<'a>(words: &'a str, options: &'a [String]) -> &'a str {
    let mut stated_so = options.iter().filter(|option| stated_option(option) == words);
    match (stated_so.next(), stated_so.next()) {
        (Some(option), None) => option,
        _ => words,
    }
}

/// A question that wants one of these answers.
pub(super) fn permission(detail: String, answers: &[Answer]) -> Asking {
    (QuestionKind::Permission, detail, answers.iter().map(|answer| answer.as_str().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_answer_is_chosen_by_its_beginning_if_that_is_its_own() {
        let long = |end: &str| format!("{} {end}", "Keep the old format and ".repeat(8));
        let options = ["yes".to_owned(), long("one"), "é".repeat(80)];
        for option in &options {
            assert_eq!(chosen(stated_option(option), &options), option);
            assert_eq!(chosen(option, &options), option);
        }
        for words in ["y", "Keep the old", "something else"] {
            assert_eq!(chosen(words, &options), words);
        }
        let alike = [long("one"), long("two")];
        assert_eq!(chosen(stated_option(&alike[0]), &alike), stated_option(&alike[0]));
    }
}
