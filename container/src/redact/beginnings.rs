//! Finds where something may begin that is looked for. Nearly no place in a text is one, so each is first held against a
//! small table, which takes half the time of an automaton that goes through all bytes.

use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, Match, MatchKind, StartKind};
use townwatch::error::{Error, Result};

/// So many bytes of a beginning are in the table; none is shorter.
const HEAD_BYTES: usize = 3;
/// The table has a bit for each value of a hash of 16 bits: 8 KiB.
const WORDS: usize = (1 << 16) / 64;

#[derive(Debug)]
pub(super) struct Beginnings {
    /// The hashes of all heads.
    heads: Box<[u64; WORDS]>,
    /// Tells which of them stands at a place, the longest one.
    automaton: AhoCorasick,
}

impl Beginnings {
    pub(super) fn new<'b>(beginnings: impl Iterator<Item = &'b str> + Clone) -> Result<Self> {
        let mut heads = Box::new([0; WORDS]);
        for beginning in beginnings.clone() {
            let head = beginning.as_bytes().first_chunk::<HEAD_BYTES>();
            let head = head.ok_or_else(|| Error::internal("what secrets begin with has at least 3 bytes"))?;
            let (word, bit) = place(*head);
            heads[word] |= bit;
        }
        let mut builder = AhoCorasick::builder();
        let builder = builder.match_kind(MatchKind::LeftmostLongest).start_kind(StartKind::Anchored);
        let automaton = builder.kind(Some(AhoCorasickKind::DFA)).build(beginnings).map_err(Error::internal)?;
        Ok(Self { heads, automaton })
    }

    /// The first of them from a place on; the longest, if several stand there.
    pub(super) fn find(&self, text: &str, from: usize) -> Option<Match> {
        let mut at = from;
        loop {
            let mut places = text.as_bytes()[at..].windows(HEAD_BYTES);
            at += places.position(|three| self.has_head([three[0], three[1], three[2]]))?;
            let here = Input::new(text).range(at..).anchored(Anchored::Yes);
            if let Some(found) = self.automaton.find(here) {
                return Some(found);
            }
            at += 1;
        }
    }

    fn has_head(&self, head: [u8; HEAD_BYTES]) -> bool {
        let (word, bit) = place(head);
        self.heads[word] & bit != 0
    }
}

/// Where the table has the bit of a head.
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
            Some((hit.start(), beginnings[hit.pattern().as_usize()]))
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
}
