//! The values that a run knows and nobody may see.

use std::collections::BTreeMap;

use super::{base64, is_of_kind, is_secret, ways};

/// The shortest value that is hidden, 8 bytes. A shorter one would often be other text.
const VALUE_BYTES_MIN: usize = 8;
/// The shortest value of letters alone that is hidden, 16 bytes: `development` is the value of many a `SECRET_KEY`.
const WORD_BYTES_MIN: usize = 16;
/// The shortest line that is hidden on its own, for a value of several lines, 16 bytes.
const LINE_BYTES_MIN: usize = 16;
/// The shortest value that is hidden in base64, 12 bytes. A shorter one could occur in other base64 by chance.
const BASE64_VALUE_BYTES_MIN: usize = 12;
/// The written forms of values that are hidden, 1,000: some 100 variables. Beyond it the values that were added last
/// are not hidden.
const WAYS_MAX: usize = 1_000;
/// The base64 forms of values that are hidden, 2,000; a value has 6 to 18. Beyond it the values that were added last
/// are not hidden in base64.
const BASE64_WAYS_MAX: usize = 2_000;
/// The name of a value in marks where its own name has characters that no mark may have.
const UNNAMED: &str = "environment";
/// The beginning of a value that the search looks for, 32 bytes. After a match the rest is compared.
pub(super) const BEGINNING_BYTES_MAX: usize = 32;

/// The values to hide, each in all its written forms, with the names of their variables.
#[derive(Debug, Clone, Default)]
pub struct SecretValues {
    json: BTreeMap<String, String>,
    /// The forms that only a text other than JSON can have.
    text: BTreeMap<String, String>,
    base64: BTreeMap<String, String>,
}

impl SecretValues {
    /// The values of variables that look secret, and of variables that are declared so.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>, declared: &[String]) -> Self {
        let mut secrets = Self::default();
        for (name, value) in variables {
            if declared.contains(&name) {
                secrets.hide_lines(&name, &value, VALUE_BYTES_MIN);
            } else if is_secret(&name, &value) {
                secrets.hide(&name, &value);
            }
        }
        secrets
    }

    /// Hides one more value, if it is long enough to be recognised.
    pub fn hide(&mut self, name: &str, value: &str) {
        self.hide_lines(name, value, WORD_BYTES_MIN);
    }

    fn hide_lines(&mut self, name: &str, value: &str, word_bytes_min: usize) {
        let name = if name.len() <= 64 && name.bytes().all(is_of_kind) { name } else { UNNAMED };
        let Some(text) = told_from_others(value, word_bytes_min) else { return };
        self.hide_text(name, text);
        if text.len() >= BASE64_VALUE_BYTES_MIN {
            hide_ways(&mut self.base64, base64::ways(text.as_bytes()), name, BASE64_WAYS_MAX);
        }
        if text.contains('\n') {
            let lines = value.lines().filter(|line| line.len() >= LINE_BYTES_MIN);
            for line in lines.filter_map(|line| told_from_others(line, word_bytes_min)) {
                self.hide_text(name, line);
            }
        }
    }

    fn hide_text(&mut self, name: &str, text: &str) {
        hide_ways(&mut self.json, ways::ways(text), name, WAYS_MAX);
        if !self.json.contains_key(text) {
            hide_ways(&mut self.text, vec![text.to_owned()], name, WAYS_MAX);
        }
    }

    /// The same values for a text that is not JSON; `None` where that makes no difference.
    pub fn in_text(&self) -> Option<Self> {
        let json = self.json.clone().into_iter().chain(self.text.clone()).collect();
        let base64 = self.base64.clone();
        (!self.text.is_empty()).then_some(Self { json, text: BTreeMap::new(), base64 })
    }

    /// The beginnings to look for, each with its values and their names, the longest first.
    pub(super) fn by_beginning(self) -> BTreeMap<String, Vec<(String, String)>> {
        let all: BTreeMap<_, _> = self.base64.into_iter().chain(self.json).collect();
        let mut beginnings: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for (value, name) in all.into_iter().rev() {
            let beginning = value[..value.floor_char_boundary(BEGINNING_BYTES_MAX)].to_owned();
            beginnings.entry(beginning).or_default().push((value, name));
        }
        beginnings
    }
}

fn hide_ways(hidden: &mut BTreeMap<String, String>, ways: Vec<String>, name: &str, ways_max: usize) {
    for way in ways {
        if hidden.len() < ways_max {
            hidden.entry(way).or_insert_with(|| name.to_owned());
        }
    }
}

/// The part of a value that is looked for, if it is long enough. Its ends are trimmed of characters that could belong
/// to an escape.
fn told_from_others(text: &str, word_bytes_min: usize) -> Option<&str> {
    let text = text.trim_matches(|one: char| one.is_control() || one.is_whitespace() || matches!(one, '"' | '\\'));
    let is_word = text.bytes().all(|byte| byte.is_ascii_alphabetic());
    (text.len() >= if is_word { word_bytes_min } else { VALUE_BYTES_MIN }).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_told_from_other_text_is_not_hidden() {
        for value in ["", "short", "1234567", "development", " \n\n            ", "\"\"\"\"\"\"\"\"\""] {
            assert!(SecretValues::of([("A_KEY".into(), value.into())], &[]).json.is_empty(), "{value:?}");
        }
        let lines = SecretValues::of([("A_KEY".into(), "{\n  first-line-of-it\n second-line-of-it\n}".into())], &[]);
        for line in ["first-line-of-it", "second-line-of-it"] {
            assert_eq!(lines.json[line], "A_KEY");
        }
        let declared = |value: &str| SecretValues::of([("PET".into(), value.into())], &["PET".into()]);
        assert!(declared("whisker").json.is_empty());
        let declared = declared("snowflake");
        assert_eq!(declared.json["snowflake"], "PET", "a word of letters, since somebody says so");
        assert!(declared.base64.is_empty(), "nine bytes are too few for that");
    }

    #[test]
    fn what_is_beyond_the_bound_is_not_hidden_and_what_came_before_it_is() {
        let variables = (0..3_000).map(|number| ("A_KEY".to_owned(), format!("value-{number:08}-of-it")));
        let secrets = SecretValues::of(variables, &[]);
        assert_eq!((secrets.json.len(), secrets.base64.len()), (WAYS_MAX, BASE64_WAYS_MAX));
        assert!(secrets.json.contains_key("value-00000000-of-it"));
    }
}
