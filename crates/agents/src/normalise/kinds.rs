//! Tables of kinds: every kind of line, event and block that a normaliser knows, with what becomes of it, or why it is
//! nothing to a person. Reading goes through them, so they cannot disagree with it: what is in none is shown with a
//! notice.

/// What becomes of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Becomes<A> {
    /// An event of this name, by this way of reading it. It can come to other events beside it, and to none.
    Event(&'static str, A),
    /// Nothing, for this reason.
    Nothing(&'static str),
}

/// The kinds that can stand in one place, as the `type` of a line.
#[derive(Debug)]
pub(super) struct Table<A: 'static> {
    /// Where they stand.
    place: &'static str,
    kinds: &'static [(&'static str, Becomes<A>)],
}

impl<A: Copy> Table<A> {
    /// A table of what can stand there.
    pub(super) const fn new(place: &'static str, kinds: &'static [(&'static str, Becomes<A>)]) -> Self {
        Self { place, kinds }
    }

    /// What becomes of a kind, if it is known.
    pub(super) fn find(&self, kind: &str) -> Option<Becomes<A>> {
        self.kinds.iter().find(|(known, _)| *known == kind).map(|(_, becomes)| *becomes)
    }

    /// The table without its ways of reading.
    pub(super) fn known(&self) -> Known {
        let known = |(kind, becomes): &(&'static str, Becomes<A>)| match *becomes {
            Becomes::Event(event, _) => (*kind, Becomes::Event(event, ())),
            Becomes::Nothing(why) => (*kind, Becomes::Nothing(why)),
        };
        Known { place: self.place, kinds: self.kinds.iter().map(known).collect() }
    }
}

/// The kinds that a normaliser knows in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Where they stand: "line", say.
    pub place: &'static str,
    /// Each with what becomes of it.
    pub kinds: Vec<(&'static str, Becomes<()>)>,
}
