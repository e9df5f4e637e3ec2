//! The written forms of a value: in an address; in JSON; and in JSON inside JSON, up to three levels. Non-ASCII
//! characters stand as they are, or escaped.

use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters that no writer encodes with a percent sign (RFC 3986, 2.3), taken out of the set to encode.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The set that JavaScript's `encodeURIComponent` encodes.
const COMPONENT: &AsciiSet = &STRICT.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');
/// The set that Python's `quote` encodes.
const PATH: &AsciiSet = &STRICT.remove(b'/');

pub(super) fn ways(text: &str) -> Vec<String> {
    let in_form: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let mut ways = vec![in_form.replace('+', "%20"), in_form];
    for set in [STRICT, COMPONENT, PATH] {
        let in_address = utf8_percent_encode(text, set).to_string();
        ways.extend([lower_digits(&in_address), in_address]);
    }
    for once in [escaped(text), ascii(&escaped(text))] {
        let twice = escaped(&once);
        ways.extend([escaped(&twice), twice, once]);
    }
    ways
}

/// The form with `%2f` for `%2F`.
fn lower_digits(in_address: &str) -> String {
    let mut parts = in_address.split('%');
    let mut lower = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        let _ = write!(lower, "%{}{rest}", digits.to_ascii_lowercase()); // a text takes all of it
    }
    lower
}

/// The form in a JSON string.
fn escaped(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
}

/// The form with `\u00e9` for non-ASCII characters.
fn ascii(json: &str) -> String {
    let (mut written, mut units) = (String::new(), [0; 2]);
    for one in json.chars() {
        if one.is_ascii() {
            written.push(one);
        } else {
            for unit in one.encode_utf16(&mut units) {
                let _ = write!(written, "\\u{unit:04x}");
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_in_each_way_in_which_it_may_be_written() {
        let known = ways("pä\"ss\n🚀 1");
        for way in [
            "pä\\\"ss\\n🚀 1",
            "p\\u00e4\\\"ss\\n\\ud83d\\ude80 1",
            "pä\\\\\\\"ss\\\\n🚀 1",
            "p%C3%A4%22ss%0A%F0%9F%9A%80%201",
            "p%c3%a4%22ss%0a%f0%9f%9a%80%201",
        ] {
            assert!(known.iter().any(|one| one == way), "{way}");
        }
        let known = ways("it's/(my)~pass+word");
        for way in [
            "it%27s%2F%28my%29~pass%2Bword",
            "it's%2F(my)~pass%2Bword",
            "it%27s/%28my%29~pass%2Bword",
            "it's%2f(my)~pass%2bword",
        ] {
            assert!(known.iter().any(|one| one == way), "{way}");
        }
    }
}
