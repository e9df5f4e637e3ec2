//! Redaction: secrets are removed before a text is stored or sent. Each becomes `‹redacted:kind›`.
//!
//! Three kinds of secrets are found: tokens of a well-known format ([`formats`]), private keys ([`keys`]), and the
//! values that a run knows and nobody may see ([`secrets`]), also in base64. One pass finds the places where a secret
//! may begin; each of them is then read closely. The input may be JSON text: a secret always lies within one string and
//! does not split an escape, so JSON stays JSON.
//!
//! The control server redacts the output of agents, the town redacts prompts and messages, and a rig redacts posts.

mod base64;
mod beginnings;
mod escapes;
mod formats;
pub mod keys;
mod secrets;
mod variables;
mod ways;

use std::borrow::Cow;
use std::iter;
use std::ops::Range;

use townwatch_protocol::error::Result;

use self::beginnings::{BeginningMatch, Beginnings};
use self::formats::{FORMATS, SecretFormat};

pub use self::secrets::SecretValues;
use self::variables::is_secret;
pub use self::variables::is_secret_name;

/// The beginning of a mark. The kind and [`MARK_END`] follow.
const MARK: &str = "‹redacted:";
const MARK_END: char = '›';

/// Whether a text contains a mark.
pub fn is_redacted(text: &str) -> bool {
    text.contains(MARK)
}

/// A finder of secrets in texts.
#[derive(Debug)]
pub struct Redactor {
    beginnings: Beginnings,
    /// Whether a beginning has this first byte.
    first_bytes: [bool; 256],
    /// The rule of each beginning, in the order of the beginnings.
    rules: Vec<Rule>,
}

#[derive(Debug)]
enum Rule {
    Format(&'static SecretFormat),
    Key,
    /// A secret that was redacted before.
    Mark,
    /// The values with this beginning and the names of their variables, the longest first.
    Values(String, Vec<(String, String)>),
}

/// The candidate for a secret at a place.
#[derive(Debug, Default)]
struct Candidate<'r> {
    /// The part of the text to redact, or a mark of an earlier redaction, with its kind.
    found: Option<(Range<usize>, &'r str)>,
    /// Whether more text after this one could change the result.
    is_open: bool,
    /// The end of the token's characters, even of a token that is too long. Another secret may begin among them.
    end: usize,
}

impl Redactor {
    /// A finder of the well-known formats and of these values.
    pub fn new(secrets: SecretValues) -> Result<Self> {
        let mut rules: Vec<Rule> = FORMATS.iter().map(Rule::Format).chain([Rule::Key, Rule::Mark]).collect();
        rules.extend(secrets.by_beginning().into_iter().map(|(beginning, values)| Rule::Values(beginning, values)));
        let mut first_bytes = [false; 256];
        for rule in &rules {
            first_bytes[usize::from(rule.beginning().as_bytes()[0])] = true;
        }
        let beginnings = Beginnings::new(rules.iter().map(Rule::beginning))?;
        Ok(Self { beginnings, first_bytes, rules })
    }

    /// The text with its secrets redacted.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.tell(text, 0..text.len(), |_| {})
    }

    /// The beginning of a longer text, redacted. An end that may be the beginning of a secret is left out.
    pub fn beginning(&self, text: &str) -> String {
        self.tell(text, 0..self.settled(text, 0), |_| {}).into_owned()
    }

    /// A part of a text, redacted. No secret may cross the end of the part. `tell` is called with the kind of each mark
    /// in the result.
    pub fn tell<'t>(&self, text: &'t str, part: Range<usize>, mut tell: impl FnMut(&str)) -> Cow<'t, str> {
        let (mut clean, mut copied) = (String::new(), part.start);
        for (_, candidate) in self.candidates(text, part.start).take_while(|(start, _)| *start < part.end) {
            let Some((range, kind)) = candidate.found else { continue };
            tell(kind);
            if !text[range.clone()].starts_with(MARK) {
                clean.push_str(&text[copied..range.start]);
                clean.push_str(&mark(kind));
                copied = range.end;
            }
        }
        if copied == part.start {
            return text[part].into();
        }
        clean.push_str(&text[copied..part.end]);
        clean.into()
    }

    /// The end of the settled part of a text that will go on. No secret, and nothing that can become one, crosses that
    /// place.
    pub fn settled(&self, text: &str, from: usize) -> usize {
        let mut candidates = self.candidates(text, from);
        let open = candidates.find(|(_, candidate)| candidate.is_open);
        let (begun, from) = (candidates.begun, candidates.begun.max(from));
        let settled = begun + self.before_half_a_beginning(&text[begun..], from - begun);
        open.map_or(settled, |(start, _)| settled.min(start))
    }

    fn candidates<'a>(&'a self, text: &'a str, from: usize) -> Candidates<'a> {
        Candidates { redactor: self, text, begun: 0, at: from }
    }

    /// The place of an incomplete beginning at the end of the text; without one, the end.
    fn before_half_a_beginning(&self, text: &str, from: usize) -> usize {
        let tail = text.len().saturating_sub(secrets::BEGINNING_BYTES_MAX).max(from);
        let mut places = (tail..text.len()).filter(|at| self.first_bytes[usize::from(text.as_bytes()[*at])]);
        places.find(|at| self.has_half_a_beginning(text, *at)).unwrap_or(text.len())
    }

    /// Whether the text ends with an incomplete beginning that starts at `at`.
    fn has_half_a_beginning(&self, text: &str, at: usize) -> bool {
        let Some(tail) = text.get(at..) else { return false };
        self.beginnings.going_on(tail).any(|number| match &self.rules[number] {
            Rule::Format(format) => format.can_begin(text.as_bytes(), at),
            _ => true,
        })
    }

    /// The candidate at a place. Several beginnings may stand there: `sk-` and `sk-ant-`, or a value that starts with
    /// another one. The candidate that hides most of the text counts.
    fn candidate<'a>(&'a self, text: &'a str, hit: BeginningMatch) -> Candidate<'a> {
        let rest = &text[hit.place.start..];
        let end_of = |candidate: &Candidate<'_>| candidate.found.as_ref().map_or(0, |(range, _)| range.end);
        let mut most = Candidate { is_open: self.may_become_a_longer_value(rest), ..Candidate::default() };
        for hit in iter::successors(Some(hit), |hit| self.beginnings.shorter(hit)) {
            let candidate = self.candidate_by(&self.rules[hit.number], text, hit.place);
            let is_open = most.is_open || candidate.is_open;
            if end_of(&candidate) > end_of(&most) {
                most = candidate;
            }
            most.is_open = is_open;
        }
        most
    }

    /// Whether a text is the beginning of a value and ends before the value's own beginning is complete.
    fn may_become_a_longer_value(&self, text: &str) -> bool {
        let mut longer = self.beginnings.going_on(text).map(|number| &self.rules[number]);
        longer.any(|rule| matches!(rule, Rule::Values(beginning, _) if beginning.len() > text.len()))
    }

    /// The candidate by one rule. If another secret begins among the characters of a token and goes on after it, the
    /// token ends there.
    fn candidate_by<'a>(&'a self, rule: &'a Rule, text: &'a str, hit: Range<usize>) -> Candidate<'a> {
        let candidate = rule.candidate(text, hit.clone());
        if candidate.end <= hit.end {
            return candidate;
        }
        match self.reaching_out(text, hit.end..candidate.end) {
            ReachingOut::From(at) => Candidate { is_open: false, ..rule.candidate(&text[..at], hit) },
            ReachingOut::Open => Candidate { is_open: true, ..candidate },
            ReachingOut::None => candidate,
        }
    }

    /// The first secret that begins in a part of a text and ends after it.
    fn reaching_out(&self, text: &str, part: Range<usize>) -> ReachingOut {
        let (mut at, mut within, mut is_open) = (part.start, part.start, false);
        while let Some(hit) = self.beginnings.find(text, at).filter(|hit| hit.place.start < part.end) {
            let start = hit.place.start;
            at = start + 1;
            let rule = &self.rules[hit.number];
            if start < within && matches!(rule, Rule::Format(_)) {
                continue; // its characters are those of the token around it, which lies within the part
            }
            let candidate = rule.candidate(text, hit.place);
            let end = candidate.found.map_or(part.start, |(range, _)| range.end);
            if end > part.end {
                return ReachingOut::From(start);
            }
            within = within.max(end);
            is_open |= candidate.is_open;
        }
        let is_open = is_open || self.before_half_a_beginning(text, part.start) < part.end;
        if is_open { ReachingOut::Open } else { ReachingOut::None }
    }
}

/// Whether a secret that begins in a part of a text ends after it.
enum ReachingOut {
    None,
    /// More text could change the answer.
    Open,
    /// A secret that begins here does.
    From(usize),
}

/// An iterator over the candidates of a text, each with its place.
#[derive(Debug)]
struct Candidates<'a> {
    redactor: &'a Redactor,
    text: &'a str,
    /// The end of the last secret. The rest is read as if the text began there.
    begun: usize,
    at: usize,
}

impl<'a> Iterator for Candidates<'a> {
    type Item = (usize, Candidate<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (begun, rest) = (self.begun, &self.text[self.begun..]);
        let hit = self.redactor.beginnings.find(rest, self.at - begun)?;
        let start = begun + hit.place.start;
        let candidate = self.redactor.candidate(rest, hit);
        let found = candidate.found.map(|(range, kind)| (begun + range.start..begun + range.end, kind));
        self.at = start + 1;
        if let Some((range, _)) = &found {
            (self.begun, self.at) = (range.end, range.end);
        }
        Some((start, Candidate { found, is_open: candidate.is_open, ..Candidate::default() }))
    }
}

impl Rule {
    fn beginning(&self) -> &str {
        match self {
            Self::Format(format) => format.begins,
            Self::Key => keys::BEGINS,
            Self::Mark => MARK,
            Self::Values(beginning, _) => beginning,
        }
    }

    fn candidate<'a>(&'a self, text: &'a str, hit: Range<usize>) -> Candidate<'a> {
        let mut candidate = match self {
            Self::Format(format) => format.candidate(text.as_bytes(), hit),
            Self::Key => keys::candidate(text.as_bytes(), hit),
            Self::Mark => mark_candidate(text, hit),
            Self::Values(_, values) => {
                let rest = &text[hit.start..];
                let whole = values.iter().find(|(value, _)| rest.starts_with(value.as_str()));
                let found = whole.map(|(value, name)| (hit.start..hit.start + value.len(), name.as_str()));
                Candidate {
                    found,
                    is_open: values.iter().any(|(value, _)| value.len() > rest.len() && value.starts_with(rest)),
                    ..Candidate::default()
                }
            }
        };
        candidate.found = candidate.found.filter(|(range, _)| !escapes::starts_within(text.as_bytes(), range.start));
        candidate
    }
}

fn mark_candidate(text: &str, hit: Range<usize>) -> Candidate<'_> {
    let length = text.as_bytes()[hit.end..].iter().take_while(|byte| is_of_kind(**byte)).count();
    let (kind, rest) = text[hit.end..].split_at(length);
    let found = rest.starts_with(MARK_END).then(|| (hit.start..hit.end + length + MARK_END.len_utf8(), kind));
    Candidate { found, is_open: rest.is_empty(), ..Candidate::default() }
}

/// The characters of a kind: those of variable names and of file names such as `.aws/credentials`.
fn is_of_kind(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
}

/// The mark that replaces a secret.
pub fn mark(kind: &str) -> String {
    format!("{MARK}{kind}{MARK_END}")
}
