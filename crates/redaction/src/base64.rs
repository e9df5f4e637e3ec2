//! Values in base64, even inside a longer text: `Authorization: Basic` contains `user:password`.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// The bytes of a group: 3 bytes of 8 bits are 4 characters of 6 bits.
const GROUP_BYTES: usize = 3;
const GROUP_CHARACTERS: usize = 4;

/// The base64 texts that a value can become: for each alphabet, and for each of the 3 places in a group at which it may
/// begin. The last character may share its bits with the next byte, so one text leaves it out; where the value is the
/// end, one text has it, and one has the padding `=` as well.
pub(super) fn ways(value: &[u8]) -> Vec<String> {
    let mut ways = Vec::new();
    for (alphabet, before) in
        [STANDARD, URL].into_iter().flat_map(|alphabet| (0..GROUP_BYTES).map(move |n| (alphabet, n)))
    {
        let bytes = [&[0; GROUP_BYTES][..before], value].concat();
        let text = encode(&bytes, alphabet);
        let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        ways.push(text[from..to].to_owned());
        if to < text.len() {
            let filled = format!("{}{}", &text[from..], "=".repeat(GROUP_CHARACTERS - text.len() % GROUP_CHARACTERS));
            ways.extend([text[from..].to_owned(), filled]);
        }
    }
    ways
}

/// Base64 without padding.
fn encode(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let groups = bytes.chunks(GROUP_BYTES).flat_map(|group| {
        let bits = [0, 1, 2].map(|at| u32::from(group.get(at).copied().unwrap_or_default()));
        let bits = bits[0] << 16 | bits[1] << 8 | bits[2];
        let characters = [18, 12, 6, 0].map(|shift| char::from(alphabet[(bits >> shift & 63) as usize]));
        characters.into_iter().take(group.len() + 1)
    });
    groups.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_everybody_writes_it() {
        // RFC 4648, 10.
        for (bytes, text) in
            [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE")]
        {
            assert_eq!(encode(bytes.as_bytes(), STANDARD), text);
        }
        assert_eq!(encode(&[0xfb, 0xff], STANDARD), "+/8");
        assert_eq!(encode(&[0xfb, 0xff], URL), "-_8");
    }

    #[test]
    fn a_value_is_in_each_text_that_has_it() {
        let value = "hunter-2-hunter-2?~>";
        for (before, after) in (0..7).flat_map(|before| (0..7).map(move |after| (before, after))) {
            for alphabet in [STANDARD, URL] {
                let text = format!("{}{value}{}", &"user-a:"[..before], &"; path="[..after]);
                let text = encode(text.as_bytes(), alphabet);
                assert!(ways(value.as_bytes()).iter().any(|way| text.contains(way)), "{text}");
            }
        }
    }
}
