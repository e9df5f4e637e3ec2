//! The size of the next batch: as large as the server, and any proxy before it, accepts.

use townwatch_protocol::limits::BODY_BYTES_MAX;

/// The largest batch, 3 MiB, which is 1 MiB below the bound of a body. An event of the largest data, 1 MiB, fits in.
const BYTES_MAX: usize = BODY_BYTES_MAX - (1 << 20);
/// The smallest size after failures, 128 KiB. If the network fails even with this, the size is not the reason.
const BYTES_MIN: usize = 128 << 10;

/// The size of the next batch.
#[derive(Debug)]
pub(super) struct BatchSize {
    bytes: usize,
    /// The largest size that a proxy accepts, as far as is known. It never grows again.
    bytes_max: usize,
}

impl Default for BatchSize {
    fn default() -> Self {
        Self { bytes: BYTES_MAX, bytes_max: BYTES_MAX }
    }
}

impl BatchSize {
    /// The most bytes of the next batch. A single event may have more.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Grows the size, because a batch arrived.
    pub(super) fn taken(&mut self) {
        self.bytes = self.bytes.saturating_mul(2).min(self.bytes_max);
    }

    /// Shrinks the size, because a batch did not arrive. A slow line, or a proxy that cuts large bodies, may take a
    /// smaller one.
    pub(super) fn failed(&mut self) {
        self.bytes = (self.bytes / 2).max(BYTES_MIN).min(self.bytes_max);
    }

    /// Notes that a proxy refused a batch of `bytes`.
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
