//! Values in base64, even inside a longer text: `Authorization: Basic` contains `user:password`.

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};

type Encode = fn(&[u8]) -> String;

/// The two alphabets, `+/` and `-_`, without signs that fill up the last group. The crate takes as long for any value.
const ALPHABETS: [Encode; 2] = [Base64Unpadded::encode_string, Base64UrlUnpadded::encode_string];
/// Bytes that three times eight, and four times six bits are.
const GROUP_BYTES: usize = 3;
const GROUP_CHARACTERS: usize = 4;

/// The base64 texts that a value can become: for each alphabet, and for each of the 3 places in a group at which it may
/// begin. The last character may share its bits with the next byte, so one text leaves it out; where the value is the
/// end, one text has it, and one has the padding `=` as well.
pub(super) fn ways(value: &[u8]) -> Vec<String> {
    let mut ways = Vec::new();
    for (encode, before) in ALPHABETS.into_iter().flat_map(|encode| (0..GROUP_BYTES).map(move |n| (encode, n))) {
        let bytes = [&[0; GROUP_BYTES][..before], value].concat();
        let text = encode(&bytes);
        let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        ways.push(text[from..to].to_owned());
        if to < text.len() {
            let filled = format!("{}{}", &text[from..], "=".repeat(GROUP_CHARACTERS - text.len() % GROUP_CHARACTERS));
            ways.extend([text[from..].to_owned(), filled]);
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_in_each_text_that_has_it() {
        let value = "hunter-2-hunter-2?~>";
        for (before, after) in (0..7).flat_map(|before| (0..7).map(move |after| (before, after))) {
            for encode in ALPHABETS {
                let text = format!("{}{value}{}", &"user-a:"[..before], &"; path="[..after]);
                let text = encode(text.as_bytes());
                assert!(ways(value.as_bytes()).iter().any(|way| text.contains(way)), "{text}");
            }
        }
    }
}
