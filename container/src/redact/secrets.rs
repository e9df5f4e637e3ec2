//! The variables of a run whose values must not be shown, and the ways in which these values are written in its output.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// A shorter value could not be told from other text.
const VALUE_BYTES_MIN: usize = 8;
/// Nor could a word of letters alone: `development` is the value of many a `SECRET_KEY`.
const WORD_BYTES_MIN: usize = 16;
/// Of a value of several lines each that is as long is hidden on its own, too.
const LINE_BYTES_MIN: usize = 16;
/// Ways of writing values that are hidden: some 100 variables. Those of the names that come last in order are not.
const WAYS_MAX: usize = 1_000;
/// So much of a value is looked for; then the rest is compared.
pub(super) const BEGINNING_BYTES_MAX: usize = 32;

/// Values to hide, each in all ways in which it may be written, with the names of their variables.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    in_json: BTreeMap<String, String>,
    /// Those that stand otherwise in a text that is not JSON.
    in_text: BTreeMap<String, String>,
}

/// Whether a variable of this name holds a secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let is_public = name.contains("PUBLIC") || name.contains("PUBLISHABLE");
    let ends = ["TOKEN", "KEY", "SECRET", "PASS", "_PAT", "_PWD", "_AUTH", "CREDENTIAL", "CREDENTIALS"];
    let holds = ["PASSWORD", "PASSWD", "PASSPHRASE", "PRIVATE_KEY"];
    !is_public && (ends.iter().any(|end| name.ends_with(end)) || holds.iter().any(|part| name.contains(part)))
}

impl Secrets {
    /// The values of those variables whose names look secret.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut secrets = Self::default();
        for (name, value) in variables.into_iter().filter(|(name, _)| is_secret_name(name)) {
            secrets.hide(&name, &value);
        }
        secrets
    }

    /// Hides a value as well, if it can be told from other text.
    pub fn hide(&mut self, name: &str, value: &str) {
        let is_plain = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let name = if is_plain { name } else { "environment" };
        self.hide_text(name, value);
        if value.trim().contains('\n') {
            value.lines().filter(|line| line.len() >= LINE_BYTES_MIN).for_each(|line| self.hide_text(name, line));
        }
    }

    fn hide_text(&mut self, name: &str, text: &str) {
        // At its ends stands nothing that could be a part of an escape.
        let text = text.trim_matches(|one: char| one.is_control() || one.is_whitespace() || matches!(one, '"' | '\\'));
        let is_word = text.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_short = text.len() < if is_word { WORD_BYTES_MIN } else { VALUE_BYTES_MIN };
        if is_short || (Path::new(text).is_absolute() && Path::new(text).exists()) {
            return;
        }
        for way in ways(text) {
            if self.in_json.len() < WAYS_MAX {
                self.in_json.entry(way).or_insert_with(|| name.to_owned());
            }
        }
        if !self.in_json.contains_key(text) && self.in_text.len() < WAYS_MAX {
            self.in_text.entry(text.to_owned()).or_insert_with(|| name.to_owned());
        }
    }

    /// The same for a text that is not JSON, if a value stands otherwise there.
    pub(super) fn in_text(&self) -> Option<Self> {
        let in_json = self.in_json.clone().into_iter().chain(self.in_text.clone()).collect();
        (!self.in_text.is_empty()).then(|| Self { in_json, ..Self::default() })
    }

    /// What to look for, and which values begin with it, each with its name: the longest first.
    pub(super) fn by_beginning(self) -> BTreeMap<String, Vec<(String, String)>> {
        let mut beginnings: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for (value, name) in self.in_json.into_iter().rev() {
            let beginning = value[..value.floor_char_boundary(BEGINNING_BYTES_MAX)].to_owned();
            beginnings.entry(beginning).or_default().push((value, name));
        }
        beginnings
    }
}

/// The ways in which a text may be written: in an address, and in JSON, also in JSON in a text of JSON, and that in another,
/// with what is beyond ASCII as it is or escaped as well.
fn ways(text: &str) -> Vec<String> {
    let in_address: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let mut ways = vec![in_address.replace('+', "%20"), in_address];
    for once in [escaped(text), ascii(&escaped(text))] {
        let twice = escaped(&once);
        ways.extend([escaped(&twice), twice, once]);
    }
    ways
}

/// As it stands in a text of JSON.
fn escaped(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
}

/// With `\u00e9` for what is beyond ASCII.
fn ascii(json: &str) -> String {
    let (mut written, mut units) = (String::new(), [0; 2]);
    for one in json.chars() {
        if one.is_ascii() {
            written.push(one);
        } else {
            for unit in one.encode_utf16(&mut units) {
                let _ = write!(written, "\\u{unit:04x}"); // a text takes all of it
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_secret() {
        for name in [
            "GITHUB_TOKEN",
            "ANTHROPIC_API_KEY",
            "apikey",
            "CLIENT_SECRET",
            "DB_PASSWORD",
            "PASSWORD_2",
            "PGPASS",
            "GH_PAT",
            "AWS_SECRET_ACCESS_KEY",
            "SSH_PRIVATE_KEY_1",
            "token",
            "GOOGLE_CREDENTIALS",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in
            ["PATH", "KEYBOARD", "STRIPE_PUBLIC_KEY", "TOKENS_MAX", "SSH_AUTH_SOCK", "MONKEYS", "COMPASS_HOME", ""]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn a_value_is_known_in_each_way_in_which_it_may_be_written() {
        let ways = ways("pä\"ss\n🚀 1");
        for way in [
            "pä\\\"ss\\n🚀 1",
            "p\\u00e4\\\"ss\\n\\ud83d\\ude80 1",
            "pä\\\\\\\"ss\\\\n🚀 1",
            "p%C3%A4%22ss%0A%F0%9F%9A%80%201",
        ] {
            assert!(ways.iter().any(|one| one == way), "{way}");
        }
    }

    #[test]
    fn what_cannot_be_told_from_other_text_is_not_hidden() {
        for value in ["", "short", "1234567", "development", "/tmp", " \n\n            ", "\"\"\"\"\"\"\"\"\""] {
            assert!(Secrets::of([("A_KEY".into(), value.into())]).in_json.is_empty(), "{value:?}");
        }
        let lines = Secrets::of([("A_KEY".into(), "{\n  first-line-of-it\n second-line-of-it\n}".into())]);
        for line in ["first-line-of-it", "second-line-of-it"] {
            assert_eq!(lines.in_json[line], "A_KEY");
        }
    }
}
