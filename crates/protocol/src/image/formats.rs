//! Where the bytes of a picture end, and its size in pixels: only the frame of each format is read, never the pixels.

/// The end of a picture in its bytes, and its size in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) end: usize,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// PNG: chunks of length, name, content and checksum, from `IHDR` to `IEND`.
pub(super) fn png(bytes: &[u8]) -> Option<Extent> {
    let mut at = 8;
    let (mut size, mut has_data) = (None, false);
    loop {
        let length = usize::try_from(big(bytes, at)?).ok()?;
        let name = bytes.get(at + 4..at + 8)?;
        let next = at.checked_add(12)?.checked_add(length).filter(|next| *next <= bytes.len())?;
        match (name, size) {
            (b"IHDR", None) if length == 13 => size = Some((big(bytes, at + 8)?, big(bytes, at + 12)?)),
            (b"IHDR", _) | (_, None) => return None,
            (b"IDAT", _) => has_data = true,
            (b"IEND", Some((width, height))) => return has_data.then_some(Extent { end: next, width, height }),
            (name, _) if name.iter().all(u8::is_ascii_alphabetic) => {}
            _ => return None,
        }
        at = next;
    }
}

/// JPEG: segments, each after a marker. After `SOS` come packed pixels up to the next marker.
pub(super) fn jpeg(bytes: &[u8]) -> Option<Extent> {
    let mut at = 2;
    let (mut size, mut has_data) = (None, false);
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        match marker {
            0xff => at += 1, // fill
            0x01 | 0xd0..=0xd7 => at += 2,
            0xd9 => {
                let (width, height) = size.filter(|_| has_data)?;
                return Some(Extent { end: at + 2, width, height });
            }
            0x00 | 0xd8 => return None,
            _ => {
                let length = usize::from(u16::from_be_bytes(bytes.get(at + 2..at + 4)?.try_into().ok()?));
                let next = at + 2 + length;
                if length < 2 || next > bytes.len() {
                    return None;
                }
                if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
                    let number = |from: usize| Some(u16::from_be_bytes(bytes.get(from..from + 2)?.try_into().ok()?));
                    size = Some((number(at + 7)?.into(), number(at + 5)?.into()));
                }
                at = next;
                if marker == 0xda {
                    has_data = true;
                    at = next_marker(bytes, at)?;
                }
            }
        }
    }
}

/// The next marker that is not part of packed pixels.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        match bytes.get(at + 1)? {
            0x00 | 0xd0..=0xd7 => at += 2,
            _ => return Some(at),
        }
    }
}

/// GIF: a screen, then extensions and images, each in blocks of at most 255 bytes, up to the trailer.
pub(super) fn gif(bytes: &[u8]) -> Option<Extent> {
    let side = |at: usize| Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let (width, height) = (side(6)?, side(8)?);
    let mut at = 13 + table(*bytes.get(10)?);
    let mut has_data = false;
    loop {
        match bytes.get(at)? {
            0x3b => return has_data.then_some(Extent { end: at + 1, width, height }),
            0x21 => at = blocks_end(bytes, at + 2)?,
            0x2c => {
                has_data = true;
                at = blocks_end(bytes, at + 11 + table(*bytes.get(at + 9)?))?;
            }
            _ => return None,
        }
    }
}

fn blocks_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length => at += 1 + usize::from(length),
        }
    }
}

/// WebP: a RIFF file with its length at the beginning; the first chunk has the size.
pub(super) fn webp(bytes: &[u8]) -> Option<Extent> {
    let end = usize::try_from(little(bytes, 4)?).ok()?.checked_add(8).filter(|end| *end <= bytes.len())?;
    let mut at = 12;
    while at < end {
        let length = usize::try_from(little(bytes, at + 4)?).ok()?;
        at = at.checked_add(8)?.checked_add(length.checked_next_multiple_of(2)?)?;
    }
    let first = bytes.get(20..30)?;
    let number = |at: usize| u32::from(first[at]) | u32::from(first[at + 1]) << 8 | u32::from(first[at + 2]) << 16;
    let (width, height) = match bytes.get(12..16)? {
        b"VP8X" => (number(4) + 1, number(7) + 1),
        b"VP8L" if first[0] == 0x2f => {
            let packed = u32::from_le_bytes(first[1..5].try_into().ok()?);
            ((packed & 0x3fff) + 1, ((packed >> 14) & 0x3fff) + 1)
        }
        b"VP8 " if first[3..6] == [0x9d, 0x01, 0x2a] => (number(6) & 0x3fff, (number(7) >> 8) & 0x3fff),
        _ => return None,
    };
    (at == end).then_some(Extent { end, width, height })
}

fn big(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn little(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
