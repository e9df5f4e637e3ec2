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
    // The container and the relay's way to it.
    AnswerDropped, AnswerFromTheStart, AnswerRepeated, AnswerLate, OldEpochLate, TurnOver, OldEpochAnswers, RelayUnanswered, ContainerRestarted,
    ContainerStopped, ContainerOverflowed, SpoolFailed, BufferReleased, RunExpired, SpokeAfterEnd,
    StopUnheard, StopAnswerLost, StoppedByBudget,
    StartLost, StartAnswerLost, StartSettled, StartSettledAsLost,
    // The rig and its way to the town.
    BatchDropped, BatchRepeated, AlarmWhileCarrying, CursorLost, PostRepeated, PostRepeatedLater, OutsideRunEnded, RunPerEvent, RunTooMany, RunsRefused, PostAhead, PostBehind, FellSilent, HeardAgain, RigKilled,
    RigKilledBeforeAdopting,
    // Agents that are deleted.
    AgentDeleted, DeletionBrokenOff, DeletedRunSpoke, StreamOfDeletedEnded,
    // The object, its tables and its clock.
    TownEvicted, TownKilled, KilledBeforeSending, StatementRefused, ShowingRefused, ClockBack, ClockForward, Pruned, SpaceMade,
    // Viewers and readers of pages.
    ViewerCut, ViewerCutMidway, CutUnnoticed, ViewerSlow, ViewerPaused, ViewerGivenUp, MeteredWaited, FirstAcknowledgement,
    FalseAcknowledgement, SubscribedAnew, SubscribedFromBefore, SubscribedBeyond, Elided, ViewerTooSlow, PageAtHead, PageWithGap,
}
