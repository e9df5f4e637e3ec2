//! A bounded set of names that were seen, each as a hash of 32 bits, written in as few bytes as a JSON text can take.

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::texts::hash;

/// 85 characters that JSON writes as they are: five of them make 32 bits.
const DIGITS: &[u8; 85] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
const DIGITS_PER_HASH: usize = 5;
/// The value of each byte that is a digit. An agent's row is read at each post, with hundreds of hashes in it.
const VALUES: [Option<u8>; 256] = {
    let mut values = [None; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        #[allow(clippy::cast_possible_truncation)] // below 85
        let small = value as u8;
        values[DIGITS[value] as usize] = Some(small);
        value += 1;
    }
    values
};

/// Names that were seen, the newest last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hashes(Vec<u32>);

impl Hashes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, name: u32) -> bool {
        self.0.contains(&name)
    }

    /// Adds a name; false if it was there. At `names_max` the oldest is forgotten.
    pub(super) fn remember(&mut self, name: u32, names_max: usize) -> bool {
        if self.contains(name) {
            return false;
        }
        if self.0.len() >= names_max {
            self.0.remove(0);
        }
        self.0.push(name);
        true
    }

    /// Adds a name as long as there is room; false if it was there. What is beyond the room always counts as new.
    pub(super) fn remember_first(&mut self, name: u32, names_max: usize) -> bool {
        if self.contains(name) {
            return false;
        }
        if self.0.len() < names_max {
            self.0.push(name);
        }
        true
    }
}

impl Serialize for Hashes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(self.0.len() * DIGITS_PER_HASH);
        for hash in &self.0 {
            let mut rest = *hash;
            let digits: [char; DIGITS_PER_HASH] = std::array::from_fn(|_| {
                let digit = char::from(DIGITS[(rest % 85) as usize]);
                rest /= 85;
                digit
            });
            text.extend(digits.iter().rev());
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Hashes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HashesVisitor)
    }
}

/// The stored form: hashes as numbers; in older versions the names themselves.
struct HashesVisitor;

#[derive(Deserialize)]
#[serde(untagged)]
enum HashOrText {
    Hash(u32),
    Text(String),
}

impl<'de> Visitor<'de> for HashesVisitor {
    type Value = Hashes;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hashes, five characters each")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Hashes, E> {
        let read = |hash: &[u8]| {
            let digit = |byte: &u8| VALUES[usize::from(*byte)];
            let sum = hash.iter().try_fold(0_u64, |sum, byte| Some(sum * 85 + u64::from(digit(byte)?)));
            sum.and_then(|sum| u32::try_from(sum).ok())
        };
        let hashes: Option<Vec<u32>> = text.as_bytes().chunks(DIGITS_PER_HASH).map(read).collect();
        hashes.map(Hashes).ok_or_else(|| E::custom("a stored hash has a character that none has"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Hashes, A::Error> {
        let mut hashes = Vec::new();
        while let Some(name) = names.next_element::<HashOrText>()? {
            hashes.push(match name {
                HashOrText::Hash(hash) => hash,
                HashOrText::Text(text) => hash(&[&text]),
            });
        }
        Ok(Hashes(hashes))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for names in [vec![], vec![0], vec![u32::MAX, 1, 85, 84, 0x8000_0000]] {
            let text = serde_json::to_string(&Hashes(names.clone())).unwrap();
            assert_eq!(text.len(), 2 + 5 * names.len());
            assert_eq!(serde_json::from_str::<Hashes>(&text).unwrap(), Hashes(names));
        }
        assert!(serde_json::from_str::<Hashes>("\"\\\"aaaa\"").is_err());
    }

    #[test]
    fn names_and_numbers_of_versions_before_are_read() {
        assert_eq!(serde_json::from_str::<Hashes>("[7,4294967295]").unwrap(), Hashes(vec![7, u32::MAX]));
        let mut named = serde_json::from_str::<Hashes>("[\"m1\",\"m2\"]").unwrap();
        assert!(!named.remember(hash(&["m1"]), 2) && named.remember(hash(&["m3"]), 2));
        assert!(!named.contains(hash(&["m1"])), "the oldest goes");
    }
}
