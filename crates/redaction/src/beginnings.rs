//! A search for the beginnings of possible secrets. Nearly every place in a text is none, so each place is first
//! checked against a small table of hashes, and only after a match against the beginnings themselves.

use std::ops::Range;

use townwatch_protocol::error::{Error, Result};

/// The first bytes of a beginning that the table covers, 3. No beginning is shorter.
const HEAD_BYTES: usize = 3;
/// The words of the table, which has a bit for each 16-bit hash: 8 KiB.
const WORDS: usize = (1 << 16) / 64;

#[derive(Debug)]
pub(super) struct Beginnings {
    /// The table: a bit for the hash of each beginning's first bytes.
    heads: Box<[u64; WORDS]>,
    /// The beginnings in the order of their bytes: those with equal first bytes are neighbours, the shortest first.
    sorted: Vec<Beginning>,
}

#[derive(Debug)]
struct Beginning {
    text: Box<str>,
    /// The index of the beginning in the order of [`Beginnings::new`].
    number: usize,
    /// The index of the longest other beginning that this one starts with: `sk-` for `sk-ant-`.
    shorter: Option<usize>,
}

/// A beginning that was found in a text.
#[derive(Debug, Clone)]
pub(super) struct BeginningMatch {
    pub(super) place: Range<usize>,
    /// The index of the beginning in the order of [`Beginnings::new`].
    pub(super) number: usize,
    shorter: Option<usize>,
}

impl Beginnings {
    pub(super) fn new<'b>(beginnings: impl Iterator<Item = &'b str>) -> Result<Self> {
        let mut heads = Box::new([0; WORDS]);
        let mut sorted = Vec::new();
        for (number, text) in beginnings.enumerate() {
            let head = text.as_bytes().first_chunk::<HEAD_BYTES>();
            let head = head.ok_or_else(|| Error::internal("what secrets begin with has at least 3 bytes"))?;
            let (word, bit) = place(*head);
            heads[word] |= bit;
            sorted.push(Beginning { text: text.into(), number, shorter: None });
        }
        sorted.sort_unstable_by(|one, other| (&one.text, one.number).cmp(&(&other.text, other.number)));
        sorted.dedup_by(|next, first| next.text == first.text); // the first one given stays
        let mut within: Vec<usize> = Vec::new();
        for at in 0..sorted.len() {
            while within.pop_if(|shorter| !sorted[at].text.starts_with(&*sorted[*shorter].text)).is_some() {}
            sorted[at].shorter = within.last().copied();
            within.push(at);
        }
        Ok(Self { heads, sorted })
    }

    /// The first beginning at or after `from`; the longest one, if several stand there.
    pub(super) fn find(&self, text: &str, from: usize) -> Option<BeginningMatch> {
        let mut at = from;
        loop {
            let mut places = text.as_bytes()[at..].windows(HEAD_BYTES);
            at += places.position(|three| self.has_head([three[0], three[1], three[2]]))?;
            if let Some(beginning) = self.longest(&text.as_bytes()[at..]) {
                return Some(beginning.at(at));
            }
            at += 1;
        }
    }

    /// The next shorter beginning at the same place.
    pub(super) fn shorter(&self, hit: &BeginningMatch) -> Option<BeginningMatch> {
        Some(self.sorted[hit.shorter?].at(hit.place.start))
    }

    /// The indices of the beginnings that start with this text.
    pub(super) fn going_on<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        let from = self.sorted.partition_point(|beginning| &*beginning.text < text);
        let going_on = self.sorted[from..].iter().take_while(move |beginning| beginning.text.starts_with(text));
        going_on.map(|beginning| beginning.number)
    }

    /// The longest beginning that this text starts with. Each byte narrows the sorted list to its matching part, so
    /// many similar beginnings cost nothing.
    fn longest(&self, text: &[u8]) -> Option<&Beginning> {
        let (mut alike, mut found) = (&self.sorted[..], None);
        for (depth, byte) in text.iter().enumerate() {
            let at_depth = |beginning: &Beginning| beginning.text.as_bytes()[depth];
            let from = alike.partition_point(|beginning| at_depth(beginning) < *byte);
            let to = alike.partition_point(|beginning| at_depth(beginning) <= *byte);
            alike = &alike[from..to];
            if let Some((whole, longer)) = alike.split_first().filter(|(first, _)| first.text.len() == depth + 1) {
                (found, alike) = (Some(whole), longer);
            }
            if alike.is_empty() {
                break;
            }
        }
        found
    }

    fn has_head(&self, head: [u8; HEAD_BYTES]) -> bool {
        let (word, bit) = place(head);
        self.heads[word] & bit != 0
    }
}

impl Beginning {
    fn at(&self, start: usize) -> BeginningMatch {
        BeginningMatch { place: start..start + self.text.len(), number: self.number, shorter: self.shorter }
    }
}

/// The word and the bit of the table for the first bytes of a beginning.
fn place([first, second, third]: [u8; HEAD_BYTES]) -> (usize, u64) {
    let number = u32::from_le_bytes([first, second, third, 0]);
    let hash = number.wrapping_mul(0x9e37_79b1) >> 16; // the golden ratio spreads neighbours (Knuth)
    ((hash >> 6) as usize, 1 << (hash & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_longest_is_found_from_each_place() {
        let beginnings = ["sk-", "sk-ant-", "://", "‹redacted:", "eyJ"];
        let found = Beginnings::new(beginnings.into_iter()).unwrap();
        let text = "task-ant sk-ant-x https://é‹redacted:a› sk-an eyJ";
        let hits = |from: usize| -> Option<(usize, &str)> {
            let hit = found.find(text, from)?;
            Some((hit.place.start, beginnings[hit.number]))
        };
        let expected = |from: usize| {
            let at = |beginning: &'static str| text[from..].find(beginning).map(|at| (from + at, beginning));
            beginnings.into_iter().filter_map(at).min_by_key(|(at, beginning)| (*at, usize::MAX - beginning.len()))
        };
        for from in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            assert_eq!(hits(from), expected(from), "from {from}");
        }
        assert!(Beginnings::new(["ab"].into_iter()).is_err());
    }

    #[test]
    fn what_begins_alike_is_told_apart() {
        let beginnings = ["value-of-it", "sk-", "value", "sk-ant-", "value-of", "values", "value"];
        let found = Beginnings::new(beginnings.into_iter()).unwrap();
        let first = found.find("a value-of-it", 0).unwrap();
        let all = std::iter::successors(Some(first), |hit| found.shorter(hit));
        assert_eq!(all.map(|hit| (hit.number, hit.place)).collect::<Vec<_>>(), [(0, 2..13), (4, 2..10), (2, 2..7)]);
        let going_on = |text: &str| found.going_on(text).map(|number| beginnings[number]).collect::<Vec<_>>();
        assert_eq!(going_on("value"), ["value", "value-of", "value-of-it", "values"]);
        assert_eq!(going_on("sk-a"), ["sk-ant-"]);
        assert!(going_on("values-").is_empty() && going_on("x").is_empty());
    }
}
