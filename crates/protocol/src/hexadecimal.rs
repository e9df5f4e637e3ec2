//! Bytes as hexadecimal digits.

/// Two lower-case digits for each byte.
pub fn of(bytes: impl IntoIterator<Item = u8>) -> String {
    let digits = bytes.into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')).collect()
}

/// The `N` bytes of `2 * N` lower-case digits; `None` for any other text.
pub fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let value = |digit: u8| (!digit.is_ascii_uppercase()).then(|| char::from(digit).to_digit(16)).flatten();
        *byte = u8::try_from(value(digits[0])? << 4 | value(digits[1])?).ok()?;
    }
    Some(bytes)
}
