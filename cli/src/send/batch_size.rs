//! How many bytes of events are posted at once: as many as the server takes, or as what stands before it lets through.

use townwatch_protocol::limits::BODY_BYTES_MAX;

/// 3 MiB: an event of the most data with all around it stays far below what a body may have.
const BYTES_MAX: usize = BODY_BYTES_MAX - (1 << 20);
/// A network that fails does not make a batch smaller than 128 KiB: what it takes by then is not the size.
const BYTES_MIN: usize = 128 << 10;

/// The bytes of the next batch.
#[derive(Debug)]
pub(super) struct BatchSize {
    bytes: usize,
    /// No more than this ever again: something on the way takes no more.
    bytes_max: usize,
}

impl Default for BatchSize {
    fn default() -> Self {
        Self { bytes: BYTES_MAX, bytes_max: BYTES_MAX }
    }
}

impl BatchSize {
    /// The most that the next batch may have; one event alone may have more.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A batch arrived: the next one may be larger.
    pub(super) fn taken(&mut self) {
        self.bytes = self.bytes.saturating_mul(2).min(self.bytes_max);
    }

    /// A batch did not arrive. A slow line or a proxy that hangs up on a large body takes a smaller one.
    pub(super) fn failed(&mut self) {
        self.bytes = (self.bytes / 2).max(BYTES_MIN).min(self.bytes_max);
    }

    /// A batch of so many bytes was too large for something on the way.
    pub(super) fn too_large(&mut self, bytes: usize) {
        self.bytes_max = (bytes / 2).clamp(1, self.bytes_max);
        self.bytes = self.bytes_max;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_too_large_once_is_never_tried_again() {
        let mut size = BatchSize::default();
        size.too_large(size.bytes());
        size.too_large(size.bytes());
        let fits = BYTES_MAX / 4;
        assert_eq!(size.bytes(), fits);
        size.taken();
        assert_eq!(size.bytes(), fits);
        size.too_large(1);
        assert_eq!(size.bytes(), 1);
        size.failed();
        assert_eq!(size.bytes(), 1);
    }

    #[test]
    fn a_line_that_fails_gets_smaller_batches_and_larger_ones_when_it_works() {
        let mut size = BatchSize::default();
        for _ in 0..20 {
            size.failed();
        }
        assert_eq!(size.bytes(), BYTES_MIN);
        for _ in 0..20 {
            size.taken();
        }
        assert_eq!(size.bytes(), BYTES_MAX);
    }
}
