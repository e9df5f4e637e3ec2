//! A question as text for a terminal. No part is left out, and no character in it can control the terminal.

use townwatch_protocol::event::{QuestionKind, QuestionPart};

use super::asked::ListedQuestion;
use crate::tail::plain;

/// The characters of a title line. The whole question stands below it.
const TITLE_CHARS_MAX: usize = 200;

/// The agent and its question, in one line.
pub(super) fn title(asked: &ListedQuestion) -> String {
    let detail = plain::line(&asked.question.detail, TITLE_CHARS_MAX);
    format!("{}  {} asks: {detail}", name_in_shell(asked), plain::line(&asked.name, 60))
}

/// The whole question, and the command that answers it.
pub(super) fn whole(asked: &ListedQuestion, now_ms: i64) -> String {
    format!("{}\n  {}\n", body(asked, now_ms), command(asked))
}

/// The whole question.
pub(super) fn body(asked: &ListedQuestion, now_ms: i64) -> String {
    let question = &asked.question;
    let whose = match asked.sub_agent.as_deref() {
        None => String::new(),
        Some("") => " for a sub-agent".to_owned(),
        Some(work) => format!(" for its sub-agent \"{}\"", plain::line(work, 80)),
    };
    let ago = ago(now_ms - asked.since.millis());
    let mut lines = vec![format!("{} asks{whose}, {ago}:", plain::line(&asked.name, 60))];
    if question.parts.is_empty() {
        match &question.subject {
            Some(subject) => {
                lines.push(format!("  {}", plain::line(&question.detail, TITLE_CHARS_MAX)));
                lines.push(String::new());
                lines.extend(indented(&subject.text, "    "));
                lines.push(String::new());
            }
            None => lines.extend(indented(&question.detail, "  ")),
        }
    }
    let several = question.parts.len() > 1;
    for (index, asked_for) in question.parts.iter().enumerate() {
        lines.extend(part(asked_for, several.then_some(index + 1)));
    }
    if question.options.iter().any(|option| option == "always") {
        let what = question
            .always
            .as_deref()
            .map_or_else(|| "the agent does not say what".to_owned(), |always| plain::line(always, 2_000));
        lines.push(format!("  \"always\" allows from now on: {what}"));
    }
    if asked.cut {
        lines.push("  (this is not all of it: the rest is no longer kept)".to_owned());
    }
    lines.join("\n") + "\n"
}

/// One part of a question, its options numbered from 1.
pub(super) fn part(part: &QuestionPart, number: Option<usize>) -> Vec<String> {
    let number = number.map_or_else(String::new, |number| format!("{number}. "));
    let header = part.header.as_ref().map_or_else(String::new, |header| format!("{}: ", plain::line(header, 60)));
    let mut texts = plain::lines(&part.text);
    let mut lines = vec![format!("  {number}{header}{}", texts.next().unwrap_or_default())];
    lines.extend(texts.map(|text| format!("     {text}")));
    for (index, option) in part.options.iter().enumerate() {
        let description =
            option.description.as_ref().map_or_else(String::new, |text| format!("  {}", plain::line(text, 2_000)));
        lines.push(format!("     {}  {}{description}", index + 1, plain::line(&option.label, 2_000)));
        lines.extend(option.preview.iter().flat_map(|preview| indented(preview, "          | ")));
    }
    let how = match (part.multiple, part.free_text, part.options.is_empty()) {
        (_, _, true) => "in your own words",
        (true, true, _) => "one or several, or your own words",
        (true, false, _) => "one or several",
        (false, true, _) => "one, or your own words",
        (false, false, _) => "one",
    };
    lines.push(format!("     ({how})"));
    lines
}

/// The command that answers the question.
fn command(asked: &ListedQuestion) -> String {
    let name = name_in_shell(asked);
    let question = &asked.question;
    match question.kind {
        QuestionKind::Permission => {
            format!("townwatch answer {name} {}   (--text \"why not\")", question.options.join("|"))
        }
        QuestionKind::Input => {
            let each = question.parts.iter().map(|part| match (part.options.len(), part.multiple) {
                (0, _) => "--choose \"your words\"",
                (1, _) | (_, false) => "--choose 1",
                (_, true) => "--choose 1,2",
            });
            format!("townwatch answer {name} {}   (or reject)", each.collect::<Vec<_>>().join(" "))
        }
    }
}

/// The arguments that name the question in a shell.
fn name_in_shell(asked: &ListedQuestion) -> String {
    let id = &asked.question.request_id;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
    if !id.is_empty() && !id.starts_with('-') && id.bytes().all(is_plain) {
        id.clone()
    } else {
        format!("--agent {}", asked.agent_id)
    }
}

fn indented<'a>(text: &'a str, indent: &'a str) -> impl Iterator<Item = String> + 'a {
    plain::lines(text).map(move |line| format!("{indent}{line}"))
}

fn ago(ms: i64) -> String {
    match ms / 1_000 {
        ..5 => "just now".to_owned(),
        seconds @ 5..120 => format!("{seconds} s ago"),
        seconds @ 120..7_200 => format!("{} min ago", seconds / 60),
        seconds => format!("{} h ago", seconds / 3_600),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::questions) fn asked(question: &str) -> ListedQuestion {
        ListedQuestion {
            agent_id: serde_json::from_str("\"lisa\"").unwrap(),
            name: "Lisa".into(),
            sub_agent: None,
            since: serde_json::from_str("\"2026-11-22T14:46:39.000Z\"").unwrap(),
            cut: false,
            question: serde_json::from_str(question).unwrap(),
        }
    }

    pub(in crate::questions) const TWO_PARTS: &str = r#"{"request_id":"q-1","kind":"input","detail":"","options":[],"parts":[
        {"header":"Database","text":"Which database?","options":[{"label":"PostgreSQL","description":"relational"},{"label":"SQLite","preview":"a\nb"}],"multiple":false,"free_text":false},
        {"text":"Which features?","options":[{"label":"Login"},{"label":"Export, all"},{"label":"Logging"}],"multiple":true,"free_text":true}]}"#;

    #[test]
    fn the_whole_of_a_permission_is_shown() {
        let command = "rm -rf build && ".repeat(200);
        let question = format!(
            r#"{{"request_id":"p","kind":"permission","detail":"May it run `{command}`?","options":["once","always","reject"],"always":"`rm:*` with Bash","subject":{{"kind":"command","text":"{command}\n\u001b[2Jx"}}}}"#
        );
        let mut one = asked(&question);
        one.sub_agent = Some("build it".into());
        let shown = whole(&one, one.since.millis() + 61_000);
        assert!(shown.starts_with("Lisa asks for its sub-agent \"build it\", 61 s ago:\n  May it run"), "{shown}");
        assert!(shown.contains(&format!("\n    {command}\n    ␛[2Jx\n")), "{shown}");
        assert!(shown.contains("\"always\" allows from now on: `rm:*` with Bash\n"), "{shown}");
        assert!(shown.ends_with("\n  townwatch answer p once|always|reject   (--text \"why not\")\n"), "{shown}");
    }

    #[test]
    fn the_parts_of_a_question_are_numbered_and_so_are_their_options() {
        let one = asked(TWO_PARTS);
        let expected = "Lisa asks, just now:\n  1. Database: Which database?\n     1  PostgreSQL  relational\n     2  SQLite\n          \
                        | a\n          | b\n     (one)\n  2. Which features?\n     1  Login\n     2  Export, all\n     3  Logging\n     \
                        (one or several, or your own words)\n\n  townwatch answer q-1 --choose 1 --choose 1,2   (or reject)\n";
        assert_eq!(whole(&one, one.since.millis()), expected);
        let mut odd = asked(TWO_PARTS);
        odd.question.request_id = "$(reboot)".into();
        assert!(whole(&odd, 0).contains("townwatch answer --agent lisa --choose"));
    }
}
