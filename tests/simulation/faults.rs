//! What can go wrong; each kind has to fire somewhere.

macro_rules! faults {
    ($($name:ident,)*) => {
        /// What can go wrong; each kind has to fire somewhere.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($name,)* }
        impl Fault { pub const ALL: &'static [Self] = &[$(Self::$name,)*]; }
    };
}

faults! {
    AnswerDropped, AnswerRepeated, AnswerLate, OldEpochLate, StartLost, StartAnswerLost, ContainerRestarted,
    ContainerOverflowed, RelayUnanswered, BatchDropped, BatchRepeated, CursorLost, PostRepeated, ViewerCut, TownEvicted,
    TownKilled, KilledBeforeSending, SpokeAfterEnd, OldEpochAnswers, ClockBack, ClockForward, Pruned, ViewerPaused, ViewerGivenUp,
    Elided,
}
