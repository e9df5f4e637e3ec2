//! A memory of names that forgets the oldest, so that no agent can make it grow without bound.

use std::collections::HashMap;

/// The size of each of the two halves, 5,000 names. When the newer half is full, the older one is dropped as a whole.
/// So the latest 5,000 names are always there, and never more than 10,000.
const HALF: usize = 5_000;
/// The longest name that is kept. Real agents make none that is longer.
const NAME_BYTES_MAX: usize = 256;

/// A map with values for the latest names.
#[derive(Debug, Clone)]
pub(super) struct Recent<V> {
    newer: HashMap<String, V>,
    older: HashMap<String, V>,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self { newer: HashMap::new(), older: HashMap::new() }
    }
}

impl<V> Recent<V> {
    /// Adds a name; true if it is new.
    pub(super) fn insert(&mut self, name: &str, value: V) -> bool {
        if name.len() > NAME_BYTES_MAX || self.contains(name) {
            return false;
        }
        if self.newer.len() >= HALF {
            std::mem::swap(&mut self.newer, &mut self.older);
            self.newer.clear(); // its memory stays
        }
        self.newer.insert(name.to_owned(), value);
        true
    }

    /// Whether a name is kept.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.newer.contains_key(name) || self.older.contains_key(name)
    }

    /// The value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&V> {
        self.newer.get(name).or_else(|| self.older.get(name))
    }

    /// The value of a name, to change it.
    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        self.newer.get_mut(name).or_else(|| self.older.get_mut(name))
    }

    /// Sets the value of a name, new or not.
    pub(super) fn set(&mut self, name: &str, value: V) {
        match self.get_mut(name) {
            Some(known) => *known = value,
            None => {
                self.insert(name, value);
            }
        }
    }

    /// Forgets a name.
    pub(super) fn remove(&mut self, name: &str) -> Option<V> {
        self.newer.remove(name).or_else(|| self.older.remove(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_the_latest_and_stays_small() {
        let mut recent = Recent::default();
        for number in 0..100_000_u32 {
            assert!(recent.insert(&number.to_string(), number));
            assert!(!recent.insert(&number.to_string(), number));
            assert!(recent.newer.len() + recent.older.len() <= 2 * HALF);
        }
        assert_eq!(recent.remove("99999"), Some(99_999));
        assert_eq!(recent.remove("95000"), Some(95_000));
        assert_eq!(recent.remove("1"), None);
        assert!(!recent.insert(&"x".repeat(NAME_BYTES_MAX + 1), 1));
    }
}
