//! Tables of kinds: every kind of line, event and block that a normaliser knows, with its handling, or the reason why
//! it is ignored. The readers use these tables, so the tables cannot disagree with them. An unknown kind is shown with
//! a notice.

use townwatch_protocol::event::EventKind;

/// The handling of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling<A> {
    /// An event of this kind, read in this way. The reader may give other events, too, or none.
    Event(EventKind, A),
    /// A preview of text that is being typed, read in this way.
    Preview(A),
    /// No event, for this reason.
    Nothing(&'static str),
}

/// The kinds that can stand in one place, for example as the `type` of a line.
#[derive(Debug)]
pub(super) struct KindTable<A: 'static> {
    /// The place of the kinds: "line" for example.
    place: &'static str,
    kinds: &'static [(&'static str, Handling<A>)],
}

impl<A: Copy> KindTable<A> {
    /// A table of the kinds in one place.
    pub(super) const fn new(place: &'static str, kinds: &'static [(&'static str, Handling<A>)]) -> Self {
        Self { place, kinds }
    }

    /// The handling of a kind; `None` if it is unknown.
    pub(super) fn find(&self, kind: &str) -> Option<Handling<A>> {
        self.kinds.iter().find(|(known, _)| *known == kind).map(|(_, becomes)| *becomes)
    }

    /// The table without the readers.
    pub(super) fn known(&self) -> KnownKinds {
        let known = |(kind, becomes): &(&'static str, Handling<A>)| match *becomes {
            Handling::Event(event, _) => (*kind, Handling::Event(event, ())),
            Handling::Preview(_) => (*kind, Handling::Preview(())),
            Handling::Nothing(why) => (*kind, Handling::Nothing(why)),
        };
        KnownKinds { place: self.place, kinds: self.kinds.iter().map(known).collect() }
    }
}

/// The known kinds of one place, for documents and tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKinds {
    /// The place of the kinds: "line" for example.
    pub place: &'static str,
    /// The kinds, each with its handling.
    pub kinds: Vec<(&'static str, Handling<()>)>,
}
