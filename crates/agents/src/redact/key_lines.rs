//! Private keys that are printed line by line.

use std::borrow::Cow;

use memchr::memmem::Finder;
use townwatch_redaction::keys::{BEGINS, KIND, is_body, label_end};
use townwatch_redaction::{Redactor, mark};

use super::open_text::OpenText;
use crate::lines::Line;

/// A stream of lines, in which a private key may span several lines. The last line may come in parts, before its end.
#[derive(Debug)]
pub struct KeyLines {
    begins: Finder<'static>,
    in_key: bool,
    /// The line that comes in parts.
    open: Option<OpenText>,
}

impl Default for KeyLines {
    fn default() -> Self {
        Self { begins: Finder::new(BEGINS), in_key: false, open: None }
    }
}

impl KeyLines {
    /// The next part of an unfinished line, redacted. Text that may become a secret is held back, and so is a line
    /// inside a key. `in_text` is the redactor for texts that are not JSON.
    pub fn part(&mut self, in_text: &Redactor, part: &str) -> String {
        let open = self.open.get_or_insert_default();
        if self.in_key {
            open.hold_back(part);
            return String::new();
        }
        open.add(in_text, part)
    }

    /// Whether a part of a line was held back.
    pub fn holds_back(&self) -> bool {
        self.open.as_ref().is_some_and(OpenText::holds_back)
    }

    /// The next line, redacted; the rest of it if it came in parts.
    pub fn clean<'l>(&mut self, redactor: &Redactor, line: Line<'l>) -> Line<'l> {
        let line = match (self.open.take(), line) {
            (Some(mut open), Line::Text(rest)) => {
                open.hold_back(&rest);
                if !self.in_key {
                    self.see_key(open.held_back());
                    return Line::Text(open.end(redactor).into());
                }
                Line::Text(open.held_back().to_owned().into())
            }
            (_, line) => line, // a rest that is too long goes, and with it what was held back
        };
        match line {
            Line::Text(text) => {
                let Cow::Owned(clean) = self.text(redactor, &text) else { return Line::Text(text) };
                Line::Text(clean.into())
            }
            Line::Oversized { bytes, sample } => Line::Oversized { bytes, sample: redactor.beginning(&sample) },
        }
    }

    fn text<'t>(&mut self, redactor: &Redactor, line: &'t str) -> Cow<'t, str> {
        if self.in_key {
            let body = line.trim_start_matches(|character: char| !character.is_ascii_alphabetic());
            if body.trim_end().bytes().all(is_body) && !body.is_empty() {
                return mark(KIND).into();
            }
            self.in_key = line.trim().is_empty() || line.contains(": ");
        }
        self.see_key(line);
        redactor.text(line)
    }

    /// Notes whether the next lines belong to a key.
    fn see_key(&mut self, line: &str) {
        // Forwards, since that is the fast way to find that there is none.
        if let Some(at) = self.begins.find_iter(line.as_bytes()).last()
            && let Some(end) = label_end(line.as_bytes(), at + BEGINS.len())
        {
            self.in_key = line[end..].trim().is_empty();
        }
    }
}
