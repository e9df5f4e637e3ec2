//! Holds: subjects of an operation that needs several steps over several objects. Meanwhile nothing of the subject is
//! registered or started. Holds are in memory only, so an instance that dies blocks nothing.

use std::collections::BTreeMap;

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{AgentId, RigId};

/// The subject of a hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Agent(AgentId),
    Rig(RigId),
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldPurpose {
    Deletion,
    Archive,
}

/// One hold, with a number that distinguishes it from others of the same subject. The newest counts: the caller of an
/// older one may have stopped in the middle.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    subject: Subject,
    number: u64,
}

/// All holds. Bounded by the agents and rigs of a town.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    held: BTreeMap<Subject, (HoldPurpose, u64)>,
    newest: u64,
}

impl Holds {
    /// 409 for what is held.
    pub(crate) fn check(&self, subject: &Subject) -> Result<()> {
        self.held.get(subject).map_or(Ok(()), |(purpose, _)| Err(under_way(subject, *purpose)))
    }

    /// 409 for what is being deleted.
    pub(crate) fn check_stays(&self, subject: &Subject) -> Result<()> {
        match self.held.get(subject) {
            Some((HoldPurpose::Deletion, _)) => Err(under_way(subject, HoldPurpose::Deletion)),
            _ => Ok(()),
        }
    }

    pub(crate) fn hold(&mut self, subject: Subject, purpose: HoldPurpose) -> Hold {
        self.newest += 1;
        self.held.insert(subject.clone(), (purpose, self.newest));
        Hold { subject, number: self.newest }
    }

    /// Whether it has been held all the time, and by this.
    pub(crate) fn lasts(&self, hold: &Hold) -> bool {
        self.held.get(&hold.subject).is_some_and(|(_, number)| *number == hold.number)
    }

    /// Lets go what this holds; whether it was held by this until now.
    pub(crate) fn release(&mut self, hold: &Hold) -> bool {
        let lasts = self.lasts(hold);
        if lasts {
            self.held.remove(&hold.subject);
        }
        lasts
    }
}

fn under_way(subject: &Subject, purpose: HoldPurpose) -> Error {
    let subject = match subject {
        Subject::Agent(agent_id) => format!("agent {agent_id}"),
        Subject::Rig(rig_id) => format!("rig {rig_id}"),
    };
    let (what, again) = match purpose {
        HoldPurpose::Deletion => ("deleted", "delete"),
        HoldPurpose::Archive => ("archived", "archive"),
    };
    let message = format!("{subject} is being {what} at this moment; ask again in a moment, or {again} it again");
    Error::new(Code::Conflict, message)
}
