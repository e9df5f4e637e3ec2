//! The wait before the next try.

use std::time::Duration;

/// The first waits, 100 ms and 200 ms; each further one is the sum of the two before it.
const FIRST_MS: (u64, u64) = (100, 200);
/// The longest wait, 15 s.
const MOST_MS: u64 = 15_000;

/// Waits that grow like Fibonacci numbers: 100 ms, 200 ms, 300 ms, 500 ms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    next_ms: (u64, u64),
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next_ms: FIRST_MS }
    }
}

impl Backoff {
    /// The next wait. `random` from 0 to 1 changes it by up to 10 %, so that many clients of a restarted server do not
    /// return at the same moment.
    pub(crate) fn next(&mut self, random: f64) -> Duration {
        let (wait_ms, after_ms) = self.next_ms;
        self.next_ms = (after_ms, (wait_ms + after_ms).min(MOST_MS));
        Duration::from_millis(wait_ms).mul_f64(0.9 + 0.2 * random)
    }

    /// Begins again with the first wait, after a success.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_15_seconds_and_begin_anew() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..14).map(|_| backoff.next(0.5).as_millis()).collect();
        let expected = [100, 200, 300, 500, 800, 1300, 2100, 3400, 5500, 8900, 14_400, 15_000, 15_000, 15_000];
        assert_eq!(waits, expected);
        backoff.reset();
        assert_eq!([backoff.next(0.0), backoff.next(1.0)].map(|wait| wait.as_millis()), [90, 220]);
    }
}
