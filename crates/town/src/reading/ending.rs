//! The ends of a stream from this side: a closed list of reasons, each with its close code.
//!
//! Invariant: a reason fits into a close frame. The runtime throws at a longer one, and the socket then stays open.

/// The length of a close frame's reason in UTF-8, 123 bytes: 125 of the frame, less 2 of the code. A longer reason does
/// not compile.
const REASON_BYTES_MAX: usize = 123;

macro_rules! endings {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal $reason:literal;)*) => {
        /// The reason why a stream is closed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Ending { $($(#[doc = $doc])* $name,)* }

        impl Ending {
            /// All endings, for tests.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The close code.
            pub const fn code(self) -> u16 {
                match self { $(Self::$name => $code,)* }
            }

            /// The reason for a person: the event, and a way out.
            pub const fn reason(self) -> &'static str {
                match self { $(Self::$name => $reason,)* }
            }
        }

        // A longer reason does not compile.
        $(const _: () = assert!($reason.len() <= REASON_BYTES_MAX, "a close reason may have 123 bytes");)*
    };
}

endings! {
    /// The agent's run is over, and the stream was to end with it.
    RunOver = 1000 "the run has ended";
    /// The viewer has sent pings before, and now sends none.
    Silent = 1001 "nothing was heard of you for 10 minutes; connect again";
    /// The viewer sends too many messages.
    TooManyMessages = 1008 "too many messages; 20 a second are enough for anyone";
    /// A message of the viewer is over its bound.
    MessageTooLarge = 1009 "a message may have 16 KiB at most";
    /// A fault of ours.
    Fault = 1011 "something went wrong on our side; connect again and go on from there";
    /// The note that is kept with the socket cannot be read.
    Unknown = 1011 "this stream is not known any more; connect again";
    /// The viewer acknowledges nothing: either it reads nothing, or it does not say so.
    NothingAcknowledged = 1013 "nothing was acknowledged for 30 seconds; connect again and go on from there";
    /// The viewer does not keep up and does not acknowledge.
    TooSlow = 1013 "more happens than a stream without acknowledgements gets; connect again with flow=ack";
    /// The right that opened the stream is over.
    RightEnded = 4401 "the right to this stream has ended; sign in again, or use a new ticket";
    /// The town was deleted, so there is nothing left to watch.
    TownDeleted = 4401 "the town was deleted";
    /// The agent was deleted, so a stream of this agent alone has nothing left to watch.
    AgentDeleted = 4401 "the agent was deleted";
}
