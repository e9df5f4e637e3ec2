//! The moment at which a line without an end is shown even so: a question at a prompt, or a progress bar.

use std::time::Duration;

use tokio::time::Instant;

/// The time for which a line waits for its end before its present part is shown, 250 ms. So a program that only uses
/// carriage returns makes at most four events a second.
pub const UNENDED_LINE_WAIT: Duration = Duration::from_millis(250);

/// The clock of one stream's line.
#[derive(Debug, Default)]
pub struct Unended {
    due: Option<Instant>,
}

impl Unended {
    /// Notes that bytes came. `ended`: a line ended with them. `is_open`: a line is open now.
    pub fn read(&mut self, ended: bool, is_open: bool, now: Instant) {
        self.due = match self.due {
            _ if !is_open => None,
            Some(due) if !ended => Some(due),
            _ => Some(now + UNENDED_LINE_WAIT),
        };
    }

    /// The moment at which the line is to be shown.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether the line is to be shown now. If so, it is not due again until further bytes come.
    pub fn take_due(&mut self, now: Instant) -> bool {
        self.due.take_if(|due| *due <= now).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_once_it_stood_and_again_only_when_it_went_on() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut line = Unended::default();
        line.read(false, true, at(0));
        line.read(false, true, at(200)); // it goes on, and is due nevertheless
        assert!(!line.take_due(at(249)));
        assert!(line.take_due(at(250)) && !line.take_due(at(900)));
        line.read(false, true, at(1_000));
        line.read(true, true, at(1_200)); // it ended, and another one began
        assert_eq!(line.due(), Some(at(1_450)));
        line.read(true, false, at(1_300));
        assert_eq!(line.due(), None);
    }
}
