//! The effects of a town: what the edge has to perform.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use townwatch_protocol::error::Error;
use townwatch_protocol::id::RigId;

use crate::input::RigNotice;
use crate::log::ingest::Outcome;
use crate::reading::ending::Ending;

/// The id of a viewer within its town.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ViewerId(pub u64);

/// An action that the edge has to perform.
#[derive(Debug)]
pub enum Effect {
    /// Send a text. The same text for several viewers is the same `Rc`.
    Send(ViewerId, Rc<str>),
    /// Close the stream.
    Close(ViewerId, Ending),
    /// Keep this note with the socket. By it the viewer is taken back after a hibernation.
    Remember(ViewerId, String),
    /// Close all streams and open the town anew: a stored change could not be shown, and viewers that stayed would miss
    /// it without a notice.
    LetGo(Error),
    /// Wake the viewers without a socket: there is something for them.
    Announce,
    /// Fetch the pictures that are wanted from the container.
    FetchImages,
    /// Have the control server stop the runs that are ordered to stop.
    PerformStops,
    /// Give a rig a notice about one of its agents.
    TellRig(RigId, RigNotice),
    /// Count the result of a decision, and write it to the operator's log.
    Report(Box<Outcome>),
}
