//! Answers of people: checked against their question, and in the words that agents read.

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::{AgentQuestionAnswered, Answer, PartAnswer, QuestionKind, QuestionPart};
use townwatch_protocol::state_text::stated_option;
use townwatch_protocol::wire::AnswerAgent;

use crate::summary;

/// The author of a refusal that closes the oldest of too many questions.
const TOWNWATCH: &str = "townwatch";
/// The words of that refusal.
pub(super) const TOO_MANY: &str =
    "More than 64 questions were open at once, so that this one could be answered no more.";

/// The answers that an open question accepts.
#[derive(Debug, Clone)]
pub(super) struct ExpectedAnswer {
    kind: QuestionKind,
    options: Vec<String>,
    parts: Vec<QuestionPart>,
}

/// An answer that was checked against its question.
#[derive(Debug, Clone)]
pub struct CheckedAnswer {
    /// The decision: yes or no.
    pub answer: Answer,
    /// The words with the answer.
    pub text: Option<String>,
    /// An entry for each part of the question; none for a refusal, and for a permission.
    pub answers: Vec<PartAnswer>,
    /// The one who answered.
    pub by: String,
}

impl CheckedAnswer {
    /// The event of the answer.
    pub(super) fn event(self, request_id: String) -> AgentQuestionAnswered {
        let Self { answer, text, answers, by } = self;
        AgentQuestionAnswered { request_id, answer, by, text, answers }
    }
}

/// The end of a question that was answered elsewhere, or not at all.
pub(super) fn closed_by(request_id: String, answer: Answer, by: &str) -> AgentQuestionAnswered {
    CheckedAnswer { answer, text: None, answers: Vec::new(), by: by.to_owned() }.event(request_id)
}

/// The end of the oldest of too many questions, by a refusal.
pub(super) fn one_too_many(request_id: String) -> AgentQuestionAnswered {
    let (text, by) = (Some(TOO_MANY.to_owned()), TOWNWATCH.to_owned());
    CheckedAnswer { answer: Answer::Reject, text, answers: Vec::new(), by }.event(request_id)
}

/// The refusal of an answer to a question that is not open.
pub(super) fn not_open(request_id: &str) -> Error {
    let message = format!("question {request_id} is not open: it was answered, or its call or run has ended");
    Error::new(Code::Conflict, message)
}

impl ExpectedAnswer {
    pub(super) fn new(kind: QuestionKind, options: Vec<String>, parts: Vec<QuestionPart>) -> Self {
        Self { kind, options, parts }
    }

    /// The kind of the question.
    pub(super) fn kind(&self) -> QuestionKind {
        self.kind
    }

    /// The parts of the question.
    pub(super) fn parts(&self) -> &[QuestionPart] {
        &self.parts
    }

    /// The checked answer.
    ///
    /// # Errors
    ///
    /// `invalid_request` for an answer that the question does not accept; the message names the field.
    pub(super) fn check(&self, answer: &AnswerAgent, by: &str) -> Result<CheckedAnswer> {
        let text = answer.text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let answers = match (self.kind, answer.answer) {
            (_, Answer::Reject) => Vec::new(),
            (QuestionKind::Permission, _) if !answer.answers.is_empty() => {
                let problem = "this question asks for a permission and has no parts; leave `answers` out";
                return Err(Error::invalid("answers", problem));
            }
            (QuestionKind::Permission, said) => {
                if !self.options.iter().any(|option| option == said.as_str()) {
                    let problem = format!("{} is not offered; it can be {}", said.as_str(), self.options.join(" or "));
                    return Err(Error::invalid("answer", problem));
                }
                Vec::new()
            }
            (QuestionKind::Input, Answer::Always) => {
                let problem = "this question asks for no permission; answer it with once";
                return Err(Error::invalid("answer", problem));
            }
            (QuestionKind::Input, Answer::Once) => self.part_answers(answer, text.as_deref())?,
        };
        Ok(CheckedAnswer { answer: answer.answer, text, answers, by: by.to_owned() })
    }

    fn part_answers(&self, answer: &AnswerAgent, text: Option<&str>) -> Result<Vec<PartAnswer>> {
        let parts = self.parts.len();
        let whole = PartAnswer { choices: Vec::new(), text: text.map(str::to_owned) };
        let given = match (answer.answers.as_slice(), text) {
            ([], None) if parts == 1 => return Err(Error::invalid("text", "say what the answer is")),
            ([], _) if parts == 1 => std::slice::from_ref(&whole),
            (given, Some(_)) if given.len() == parts => {
                let problem = "put the words into the entry of `answers` that they belong to";
                return Err(Error::invalid("text", problem));
            }
            (given, None) if given.len() == parts => given,
            (given, _) => {
                let problem =
                    format!("it asks {parts} things and {} are answered; give an entry for each", given.len());
                return Err(Error::invalid("answers", problem));
            }
        };
        let only_text = answer.answers.is_empty();
        let each = self.parts.iter().zip(given).enumerate();
        each.map(|(index, (part, given))| {
            let field = |name: &str| if only_text { "text".to_owned() } else { format!("answers.{index}{name}") };
            part_answer(part, given, field)
        })
        .collect()
    }
}

/// The answer to one part: each choice with its full label, and only labels that the part offers.
fn part_answer(part: &QuestionPart, given: &PartAnswer, field: impl Fn(&str) -> String) -> Result<PartAnswer> {
    let labels: Vec<&str> = part.options.iter().map(|option| option.label.as_str()).collect();
    let offered = || format!("choose from: {}", labels.join(", "));
    let mut choices: Vec<String> = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    for choice in &given.choices {
        match chosen(choice, &labels) {
            Some(label) if choices.iter().any(|other| other == label) => {}
            Some(label) => choices.push(label.to_owned()),
            None if part.free_text && !choice.trim().is_empty() => words.push(choice.trim()),
            None => {
                let problem = format!("{:?} is none of the answers; {}", summary::line(choice), offered());
                return Err(Error::invalid(&field(".choices"), problem));
            }
        }
    }
    if let Some(text) = given.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        match chosen(text, &labels) {
            Some(label) if choices.iter().any(|other| other == label) => {}
            Some(label) if choices.is_empty() => choices.push(label.to_owned()),
            _ if part.free_text => words.push(text),
            _ => {
                let problem = format!("other words are no answer here; {}", offered());
                return Err(Error::invalid(&field(".text"), problem));
            }
        }
    }
    if choices.len() > 1 && !part.multiple {
        let problem = format!("only one can be chosen here, not {}", choices.len());
        return Err(Error::invalid(&field(".choices"), problem));
    }
    if choices.is_empty() && words.is_empty() {
        let problem = if labels.is_empty() { "say what the answer is".to_owned() } else { offered() };
        return Err(Error::invalid(&field(""), problem));
    }
    let text = Some(words.join(", ")).filter(|words| !words.is_empty());
    Ok(PartAnswer { choices, text })
}

/// The words of an answer to a part, as the agent reads them.
pub(super) fn said(answer: &PartAnswer) -> Vec<&str> {
    answer.choices.iter().chain(&answer.text).map(String::as_str).collect()
}

/// An answer to a part from the words that the agent itself reports: labels of options, or other words.
pub(super) fn heard(part: &QuestionPart, said: &[String]) -> PartAnswer {
    let is_option = |words: &&String| part.options.iter().any(|one| one.label == **words);
    let (choices, others): (Vec<&String>, Vec<&String>) = said.iter().partition(is_option);
    let text = others.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    PartAnswer { choices: choices.into_iter().cloned().collect(), text: Some(text).filter(|text| !text.is_empty()) }
}

/// The option that these words choose. A person may have only the beginning of a long label, because the state cuts it.
fn chosen<'a>(words: &str, labels: &[&'a str]) -> Option<&'a str> {
    if let Some(label) = labels.iter().find(|label| **label == words) {
        return Some(label);
    }
    let mut stated_so = labels.iter().filter(|label| stated_option(label) == words);
    match (stated_so.next(), stated_so.next()) {
        (Some(label), None) => Some(label),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::asking::{AskedQuestion, QuestionDraft};

    #[test]
    fn a_long_answer_is_chosen_by_its_beginning_if_that_is_its_own() {
        let long = |end: &str| format!("{} {end}", "Keep the old format and ".repeat(8));
        let (one, two, three) = ("yes".to_owned(), long("one"), "é".repeat(80));
        let options = [one.as_str(), &two, &three];
        for option in options {
            assert_eq!(chosen(stated_option(option), &options), Some(option));
            assert_eq!(chosen(option, &options), Some(option));
        }
        for words in ["y", "Keep the old", "something else"] {
            assert_eq!(chosen(words, &options), None);
        }
        let alike = [long("one"), long("two")];
        let alike = [alike[0].as_str(), &alike[1]];
        assert_eq!(chosen(stated_option(alike[0]), &alike), None);
        assert_eq!(chosen(alike[1], &alike), Some(alike[1]));
    }

    /// Two parts: one of two colours and no other words; any of three sizes, or other words.
    fn wanted() -> ExpectedAnswer {
        let questions: Vec<AskedQuestion> = serde_json::from_str(
            r#"[{"question":"Which colour?","options":[{"label":"red"},{"label":"blue"}],"custom":false},
                {"question":"Which sizes?","options":[{"label":"S"},"M",{"label":"L"},7],"multiSelect":true}]"#,
        )
        .unwrap();
        QuestionDraft::input(&questions).expected_answer()
    }

    fn check(wanted: &ExpectedAnswer, answer: &str) -> std::result::Result<String, String> {
        let answer: AnswerAgent = serde_json::from_str(&format!(r#"{{"request_id":"q",{answer}}}"#)).unwrap();
        let given = wanted.check(&answer, "operator").map_err(|error| error.message)?;
        Ok(serde_json::to_string(&given.answers).unwrap())
    }

    #[test]
    fn an_answer_fits_its_question_or_it_is_said_why_not() {
        let wanted = wanted();
        let once = |answers: &str| check(&wanted, &format!(r#""answer":"once","answers":{answers}"#));
        let both = r#"[{"choices":["red"]},{"choices":["S","L"],"text":"and one to measure"}]"#;
        assert_eq!(once(both).as_deref(), Ok(both));
        let own_words = once(r#"[{"text":" blue "},{"choices":["L","L","huge"]}]"#);
        assert_eq!(own_words.as_deref(), Ok(r#"[{"choices":["blue"]},{"choices":["L"],"text":"huge"}]"#));
        for (answers, problem) in [
            (r#"[{"choices":["red"]}]"#, "answers: it asks 2 things and 1 are answered; give an entry for each"),
            (
                r#"[{"choices":["green"]},{"choices":["S"]}]"#,
                "answers.0.choices: \"green\" is none of the answers; choose from: red, blue",
            ),
            (
                r#"[{"text":"green"},{"choices":["S"]}]"#,
                "answers.0.text: other words are no answer here; choose from: red, blue",
            ),
            (
                r#"[{"choices":["red","blue"]},{"choices":["S"]}]"#,
                "answers.0.choices: only one can be chosen here, not 2",
            ),
            (r#"[{"choices":["red"]},{"text":" "}]"#, "answers.1: choose from: S, M, L"),
        ] {
            assert_eq!(once(answers), Err(problem.to_owned()));
        }
        assert!(check(&wanted, r#""answer":"once","text":"red""#).unwrap_err().starts_with("answers: it asks 2"));
        assert_eq!(check(&wanted, r#""answer":"reject","text":"Not now.""#).as_deref(), Ok("[]"));
    }

    #[test]
    fn a_permission_takes_what_it_offers() {
        let wanted =
            QuestionDraft::permission("May it?".into(), None, &[Answer::Once, Answer::Reject], None).expected_answer();
        assert_eq!(check(&wanted, r#""answer":"once""#).as_deref(), Ok("[]"));
        let problem = "answer: always is not offered; it can be once or reject";
        assert_eq!(check(&wanted, r#""answer":"always""#), Err(problem.to_owned()));
        assert!(check(&wanted, r#""answer":"once","answers":[{"text":"yes"}]"#).is_err());
    }
}
