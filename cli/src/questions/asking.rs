//! The dialogue in a terminal that asks a person part by part.

use std::io::{self, BufRead, Write};

use townwatch_protocol::event::{Answer, QuestionKind};

use super::asked::ListedQuestion;
use super::reply::{self, Reply};
use super::shown;

/// Shows the question, and reads the person's answer.
pub(super) fn ask(
    asked: &ListedQuestion,
    now_ms: i64,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> io::Result<Reply> {
    match asked.question.kind {
        QuestionKind::Permission => permission(asked, now_ms, input, output),
        QuestionKind::Input => parts(asked, now_ms, input, output),
    }
}

fn permission(
    asked: &ListedQuestion,
    now_ms: i64,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> io::Result<Reply> {
    writeln!(output, "{}", shown::body(asked, now_ms))?;
    let options = asked.question.options.join(", ");
    loop {
        let answer_line = line(&format!("{options}? "), input, output)?;
        let Some(answer) = reply::decision(&answer_line)
            .filter(|answer| asked.question.options.iter().any(|one| one == answer.as_str()))
        else {
            writeln!(output, "Please say one of: {options}.")?;
            continue;
        };
        let text = match answer {
            Answer::Reject => {
                Some(line("Why not? (Enter for no reason) ", input, output)?).filter(|why| !why.is_empty())
            }
            Answer::Once | Answer::Always => None,
        };
        return Ok(Reply { answer, text, answers: Vec::new() });
    }
}

fn parts(asked: &ListedQuestion, now_ms: i64, input: &mut impl BufRead, output: &mut impl Write) -> io::Result<Reply> {
    writeln!(output, "{}", shown::body(asked, now_ms))?;
    let several = asked.question.parts.len() > 1;
    let mut answers = Vec::new();
    for (index, part) in asked.question.parts.iter().enumerate() {
        let prompt = if several { format!("{}. ", index + 1) } else { "Your answer: ".to_owned() };
        loop {
            let answer_line = line(&prompt, input, output)?;
            if answer_line == "reject" {
                return Ok(Reply { answer: Answer::Reject, text: None, answers: Vec::new() });
            }
            match reply::picked(part, &answer_line) {
                Ok(picked) if part.multiple || picked.choices.len() <= 1 => {
                    answers.push(picked);
                    break;
                }
                Ok(_) => writeln!(output, "Only one can be chosen here.")?,
                Err(problem) => writeln!(output, "{problem}. Or say `reject`.")?,
            }
        }
    }
    Ok(Reply { answer: Answer::Once, text: None, answers })
}

fn line(prompt: &str, input: &mut impl BufRead, output: &mut impl Write) -> io::Result<String> {
    write!(output, "{prompt}")?;
    output.flush()?;
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the input ended"));
    }
    Ok(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::shown::tests::{TWO_PARTS, asked};
    use super::*;

    fn talk(question: &str, typed: &str) -> (io::Result<String>, String) {
        let mut output = Vec::new();
        let reply = ask(&asked(question), 0, &mut typed.as_bytes(), &mut output);
        let request = reply.map(|reply| serde_json::to_string(&reply.to_request("q")).unwrap());
        (request, String::from_utf8(output).unwrap())
    }

    #[test]
    fn each_part_is_asked_until_it_is_answered() {
        let (request, said) = talk(TWO_PARTS, "1,2\nnone\n2\nmine\n");
        let expected = r#"{"request_id":"q","answer":"once","answers":[{"choices":["SQLite"]},{"text":"mine"}]}"#;
        assert_eq!(request.unwrap(), expected);
        assert!(
            said.contains("Which database?") && said.contains("Only one can be chosen") && said.contains("is none of")
        );
        assert_eq!(talk(TWO_PARTS, "1\nreject\n").0.unwrap(), r#"{"request_id":"q","answer":"reject"}"#);
        assert!(talk(TWO_PARTS, "1\n").0.is_err());
    }

    #[test]
    fn a_permission_is_asked_until_one_of_its_answers_is_given() {
        let question = r#"{"request_id":"q","kind":"permission","detail":"May it?","options":["once","reject"]}"#;
        let (request, said) = talk(question, "always\nreject\nNot here.\n");
        assert_eq!(request.unwrap(), r#"{"request_id":"q","answer":"reject","text":"Not here."}"#);
        assert!(said.contains("Please say one of: once, reject."), "{said}");
        assert_eq!(talk(question, "allow\n").0.unwrap(), r#"{"request_id":"q","answer":"once"}"#);
    }
}
