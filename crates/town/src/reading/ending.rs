//! How a stream ends from this side: a closed list of reasons, each with its close code.
//!
//! Invariant: a reason fits into a close frame. The runtime throws at a longer one, and the socket then stays open.

/// The most bytes of UTF-8 that a close frame has for its reason.
const REASON_BYTES_MAX: usize = 123;

macro_rules! endings {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal $reason:literal;)*) => {
        /// Why a stream is closed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Ending { $($(#[doc = $doc])* $name,)* }

        impl Ending {
            /// All of them, for tests.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The close code.
            pub const fn code(self) -> u16 {
                match self { $(Self::$name => $code,)* }
            }

            /// What it says to a person: what happened, and what to do.
            pub const fn reason(self) -> &'static str {
                match self { $(Self::$name => $reason,)* }
            }
        }

        // A longer reason does not compile.
        $(const _: () = assert!($reason.len() <= REASON_BYTES_MAX, "a close reason may have 123 bytes");)*
    };
}

endings! {
    /// The stream was to end with the agent's run.
    RunOver = 1000 "the run has ended";
    /// The viewer used to ping, and does not any more.
    Silent = 1001 "nothing was heard of you for 10 minutes; connect again";
    /// The viewer says too much.
    TooManyMessages = 1008 "too many messages; 20 a second are enough for anyone";
    /// A message of the viewer is over its bound.
    MessageTooLarge = 1009 "a message may have 16 KiB at most";
    /// A fault of ours.
    Fault = 1011 "something went wrong on our side; connect again and go on from there";
    /// The note that is kept with the socket tells nothing.
    Unknown = 1011 "this stream is not known any more; connect again";
    /// The viewer reads nothing, or does not say so.
    NothingAcknowledged = 1013 "nothing was acknowledged for 30 seconds; connect again and go on from there";
    /// The viewer does not keep up and does not acknowledge.
    TooSlow = 1013 "more happens than a stream without acknowledgements gets; connect again with flow=ack";
    /// The right is over by which the stream was opened.
    RightEnded = 4401 "the right to this stream has ended; sign in again, or use a new ticket";
    /// There is nothing left to watch.
    TownDeleted = 4401 "the town was deleted";
    /// There is nothing left to watch on a stream of one agent.
    AgentDeleted = 4401 "the agent was deleted";
}
