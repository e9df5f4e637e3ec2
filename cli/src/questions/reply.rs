//! A person's answer, from the words of a command line or a terminal.

use townwatch_protocol::event::{Answer, PartAnswer, QuestionKind, QuestionPart};
use townwatch_protocol::wire::AnswerAgent;

use super::asked::ListedQuestion;
use crate::tail::plain;

/// An answer to a question. The server decides whether it fits.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) answer: Answer,
    pub(super) text: Option<String>,
    pub(super) answers: Vec<PartAnswer>,
}

impl Reply {
    /// The request with this answer.
    pub(super) fn to_request(&self, request_id: &str) -> AnswerAgent {
        let Self { answer, text, answers } = self;
        AnswerAgent { request_id: request_id.to_owned(), answer: *answer, text: text.clone(), answers: answers.clone() }
    }
}

/// The decision that a word means.
pub(super) fn decision(word: &str) -> Option<Answer> {
    match word {
        "once" | "allow" => Some(Answer::Once),
        "always" => Some(Answer::Always),
        "reject" => Some(Answer::Reject),
        _ => None,
    }
}

/// The answer of the command line; `None` if it has none.
pub(super) fn of(
    asked: &ListedQuestion,
    decision: Option<Answer>,
    choose: &[String],
    text: Option<&str>,
) -> Result<Option<Reply>, String> {
    let words = text.map(str::to_owned);
    match (decision, asked.question.kind) {
        (_, QuestionKind::Permission) | (Some(Answer::Reject), _) if !choose.is_empty() => {
            Err("there is nothing to choose with that answer; leave --choose out".to_owned())
        }
        (Some(Answer::Reject), _) => Ok(Some(Reply { answer: Answer::Reject, text: words, answers: Vec::new() })),
        (Some(answer), QuestionKind::Permission) => Ok(Some(Reply { answer, text: words, answers: Vec::new() })),
        (None, QuestionKind::Permission) if text.is_some() => {
            Err(format!("say what the answer is: {}", asked.question.options.join(", ")))
        }
        (Some(Answer::Always), QuestionKind::Input) => Err("it asks no permission; choose with --choose".to_owned()),
        (_, QuestionKind::Input) if !choose.is_empty() || text.is_some() => {
            let answers = part_answers(&asked.question.parts, choose, text)?;
            Ok(Some(Reply { answer: Answer::Once, text: None, answers }))
        }
        _ => Ok(None),
    }
}

fn part_answers(parts: &[QuestionPart], choose: &[String], text: Option<&str>) -> Result<Vec<PartAnswer>, String> {
    if let [part] = parts {
        let mut whole = PartAnswer { choices: Vec::new(), text: None };
        let picked = choose.iter().map(|value| picked(part, value)).chain(text.map(|text| Ok(words(text))));
        for picked in picked {
            let picked = picked?;
            whole.choices.extend(picked.choices);
            whole.text = match (whole.text, picked.text) {
                (Some(one), Some(other)) => Some(format!("{one}, {other}")),
                (one, other) => one.or(other),
            };
        }
        return Ok(vec![whole]);
    }
    if text.is_some() {
        return Err("it asks several things; give your words with the --choose of the one that they answer".to_owned());
    }
    if choose.len() != parts.len() {
        let (asked, given) = (parts.len(), choose.len());
        return Err(format!("it asks {asked} things and {given} are answered; give --choose for each, in their order"));
    }
    parts.iter().zip(choose).map(|(part, value)| picked(part, value)).collect()
}

/// The answer to a part, from one value: an option's own words, option numbers with commas between them (`1,3`), or
/// other words.
pub(super) fn picked(part: &QuestionPart, value: &str) -> Result<PartAnswer, String> {
    let value = value.trim();
    let labels: Vec<&str> = part.options.iter().map(|option| option.label.as_str()).collect();
    let one = |word: &str| {
        let by_label = labels.iter().find(|label| **label == word);
        let by_number = || word.parse::<usize>().ok().and_then(|number| labels.get(number.checked_sub(1)?));
        by_label.or_else(by_number).map(|label| (*label).to_owned())
    };
    let several = || value.split(',').map(|word| one(word.trim())).collect::<Option<Vec<_>>>();
    match one(value).map(|choice| vec![choice]).or_else(several) {
        Some(choices) => Ok(PartAnswer { choices, text: None }),
        None if part.free_text && !value.is_empty() => Ok(words(value)),
        None => {
            let offered =
                labels.iter().enumerate().map(|(index, label)| format!("{} {}", index + 1, plain::line(label, 100)));
            let offered = offered.collect::<Vec<_>>().join(", ");
            Err(format!("{:?} is none of its options: {offered}", plain::line(value, 100)))
        }
    }
}

fn words(text: &str) -> PartAnswer {
    PartAnswer { choices: Vec::new(), text: Some(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::super::shown::tests::{TWO_PARTS, asked};
    use super::*;

    fn told(choose: &[&str], text: Option<&str>, question: &str) -> Result<String, String> {
        let choose: Vec<String> = choose.iter().map(|value| (*value).to_owned()).collect();
        let reply = of(&asked(question), None, &choose, text)?.unwrap();
        Ok(serde_json::to_string(&reply.answers).unwrap())
    }

    #[test]
    fn options_are_chosen_by_number_or_word_and_other_words_are_words() {
        let two = |one: &str, other: &str| told(&[one, other], None, TWO_PARTS);
        let choices = |one: &str, others: &str| Ok(format!(r#"[{{"choices":["{one}"]}},{{"choices":[{others}]}}]"#));
        assert_eq!(two("2", "1,3"), choices("SQLite", r#""Login","Logging""#));
        assert_eq!(two("PostgreSQL", "Export, all"), choices("PostgreSQL", r#""Export, all""#));
        assert_eq!(two("1", "Login, 3"), choices("PostgreSQL", r#""Login","Logging""#));
        assert_eq!(two("1", "none of it").as_deref(), Ok(r#"[{"choices":["PostgreSQL"]},{"text":"none of it"}]"#));
        assert_eq!(two("3", "1"), Err("\"3\" is none of its options: 1 PostgreSQL, 2 SQLite".to_owned()));
        assert!(told(&["1"], None, TWO_PARTS).unwrap_err().starts_with("it asks 2 things and 1 are answered"));
        assert!(told(&[], Some("x"), TWO_PARTS).unwrap_err().starts_with("it asks several things"));
    }

    #[test]
    fn a_question_of_one_part_takes_all_that_is_said() {
        let one = r#"{"request_id":"q","kind":"input","detail":"","options":[],"parts":[{"text":"Which?","options":[{"label":"A"},{"label":"B"}],"multiple":true,"free_text":true}]}"#;
        assert_eq!(told(&["1", "B"], Some("and C"), one).as_deref(), Ok(r#"[{"choices":["A","B"],"text":"and C"}]"#));
        assert_eq!(told(&[], Some("C"), one).as_deref(), Ok(r#"[{"text":"C"}]"#));
        assert!(of(&asked(one), None, &[], None).unwrap().is_none());
        assert!(of(&asked(one), Some(Answer::Always), &[], None).is_err());
    }

    #[test]
    fn a_permission_takes_a_word() {
        let question = r#"{"request_id":"q","kind":"permission","detail":"May it?","options":["once","reject"]}"#;
        let reply = of(&asked(question), decision("allow"), &[], None).unwrap().unwrap();
        assert_eq!(serde_json::to_string(&reply.to_request("q")).unwrap(), r#"{"request_id":"q","answer":"once"}"#);
        assert!(of(&asked(question), decision("once"), &["1".into()], None).is_err());
        assert!(of(&asked(question), None, &[], Some("no!")).unwrap_err().contains("once, reject"));
    }
}
