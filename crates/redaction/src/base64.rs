//! Values in base64, even inside a longer text: `Authorization: Basic` contains `user:password`.

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};

type Encode = fn(&[u8]) -> String;

/// The two alphabets, `+/` and `-_`, both without padding. The crate's time does not depend on the value of a byte,
/// so it does not reveal a secret.
const ALPHABETS: [Encode; 2] = [Base64Unpadded::encode_string, Base64UrlUnpadded::encode_string];
/// A group has 24 bits: 3 bytes of 8 bits, or 4 characters of 6 bits.
const GROUP_BYTES: usize = 3;
const GROUP_CHARACTERS: usize = 4;

/// The base64 texts by which a value is found inside a longer encoded text. The text of a value depends on the place
/// in a group, 0 to 2, at which the value begins. A character at either end of it can also have bits of the
/// neighbouring byte. Such a first character is always left out. So each place gives up to three texts, in each alphabet. For `pass` at place 0 they are:
///
/// * `cGFzc`, the characters that depend on the value alone;
/// * `cGFzcw`, with the last character of a value that ends the encoded text;
/// * `cGFzcw==`, the same with its padding.
///
/// Where the value ends with its group, all three are the same text, and it is given once.
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
