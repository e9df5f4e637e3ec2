//! The paths and methods of the REST API as one type.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::core::query::digits;
use crate::error::{Code, Error, Result};
use crate::id::{AgentId, EventId, RigId, TownId};

/// A request's purpose. Whoever handles one matches on this and on nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the variants are the lines of the contract's table, one by one
pub enum Route {
    Health,
    SignIn,
    WhoAmI,
    SignOut,
    CreateTown,
    ListTowns,
    ReadTown(TownId),
    RenameTown(TownId),
    DeleteTown(TownId),
    CreateRig(TownId),
    ListRigs(TownId),
    CreateAgent(RigId),
    ListRigAgents(RigId),
    MintToken(RigId, AgentId),
    PostEvents(RigId),
    ReadRigEvents(RigId, AgentId),
    ReadTownEvents(TownId),
    ReadAgentEvents(TownId, AgentId),
    ReadEvent(TownId, EventId),
    ListAgents(TownId),
    ReadAgent(TownId, AgentId),
    ListRuns(TownId, AgentId),
    TownMetrics(TownId),
    RigMetrics(RigId),
    ContainerHealth(TownId),
    StartAgent(TownId),
    StopAgent(TownId, AgentId),
    MessageAgent(TownId, AgentId),
    AgentStatus(TownId, AgentId),
    TownTicket(TownId),
    AgentTicket(TownId, AgentId),
    TownStream(TownId),
    AgentStream(TownId, AgentId),
}

/// Who answers a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The Worker itself.
    Worker,
    /// The account: the directory of towns.
    Account,
    /// A town's object.
    Town(TownId),
    /// A rig's object.
    Rig(RigId),
}

/// A method of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl Route {
    /// Reads a method and a path without its query. An unknown path is 404, a known one with another method 405, an
    /// id outside its alphabet 400.
    pub fn parse(method: &str, path: &str) -> Result<Self> {
        let choices = choices(path)?;
        let allowed = allowed(&choices);
        choices.into_iter().find(|(one, _)| one.as_str() == method).map(|(_, route)| route).ok_or_else(|| {
            let shown: String = method.chars().take(20).collect();
            Error::new(Code::MethodNotAllowed, format!("{shown:?} is not for this path; it takes {allowed}"))
        })
    }

    /// The `Allow` header of a path: the methods that it takes.
    pub fn allowed(path: &str) -> Option<String> {
        choices(path).ok().map(|choices| allowed(&choices))
    }

    /// Who answers it. Names and deletions of towns go through the directory, which then tells the town.
    pub fn place(&self) -> Place {
        match self {
            Self::Health | Self::SignIn | Self::WhoAmI | Self::SignOut | Self::MintToken(..) => Place::Worker,
            Self::CreateTown | Self::ListTowns | Self::RenameTown(_) | Self::DeleteTown(_) => Place::Account,
            Self::CreateAgent(rig)
            | Self::ListRigAgents(rig)
            | Self::PostEvents(rig)
            | Self::ReadRigEvents(rig, _)
            | Self::RigMetrics(rig) => Place::Rig(rig.clone()),
            Self::ReadTown(town)
            | Self::CreateRig(town)
            | Self::ListRigs(town)
            | Self::ReadTownEvents(town)
            | Self::ReadAgentEvents(town, _)
            | Self::ReadEvent(town, _)
            | Self::ListAgents(town)
            | Self::ReadAgent(town, _)
            | Self::ListRuns(town, _)
            | Self::TownMetrics(town)
            | Self::ContainerHealth(town)
            | Self::StartAgent(town)
            | Self::StopAgent(town, _)
            | Self::MessageAgent(town, _)
            | Self::AgentStatus(town, _)
            | Self::TownTicket(town)
            | Self::AgentTicket(town, _)
            | Self::TownStream(town)
            | Self::AgentStream(town, _) => Place::Town(town.clone()),
        }
    }

    /// Whether it opens a stream.
    pub fn is_stream(&self) -> bool {
        matches!(self, Self::TownStream(_) | Self::AgentStream(..))
    }

    /// Whether it is a right to a stream, which is worth nothing while streams are switched off.
    pub fn is_stream_ticket(&self) -> bool {
        matches!(self, Self::TownTicket(_) | Self::AgentTicket(..))
    }
}

fn allowed(choices: &[(Method, Route)]) -> String {
    choices.iter().map(|(method, _)| method.as_str()).collect::<Vec<_>>().join(", ")
}

/// All that a path can mean, by method.
fn choices(path: &str) -> Result<Vec<(Method, Route)>> {
    use Method::{Delete, Get, Patch, Post};
    use Route as R;

    let decoded: Vec<Cow<'_, str>> = path
        .strip_prefix('/')
        .unwrap_or(path)
        .split('/')
        .map(|part| percent_decode_str(part).decode_utf8_lossy())
        .collect();
    let segments: Vec<&str> = decoded.iter().map(AsRef::as_ref).collect();
    if segments.contains(&"") {
        return Err(no_such_path());
    }
    Ok(match segments.as_slice() {
        ["health"] => vec![(Get, R::Health)],
        ["api", "session"] => vec![(Post, R::SignIn), (Get, R::WhoAmI), (Delete, R::SignOut)],
        ["api", "towns"] => vec![(Post, R::CreateTown), (Get, R::ListTowns)],
        ["api", "rigs", rig, rest @ ..] => rig_choices(rig, rest)?,
        ["api", "towns", town, "container", rest @ ..] => container_choices(town, rest)?,
        ["api", "towns", one] => {
            let town = town(one)?;
            vec![(Get, R::ReadTown(town.clone())), (Patch, R::RenameTown(town.clone())), (Delete, R::DeleteTown(town))]
        }
        ["api", "towns", one, "rigs"] => {
            let town = town(one)?;
            vec![(Post, R::CreateRig(town.clone())), (Get, R::ListRigs(town))]
        }
        ["api", "towns", one, "events"] => vec![(Get, R::ReadTownEvents(town(one)?))],
        ["api", "towns", one, "events", id] => vec![(Get, R::ReadEvent(town(one)?, event(id)?))],
        ["api", "towns", one, "agents"] => vec![(Get, R::ListAgents(town(one)?))],
        ["api", "towns", one, "agents", id] => vec![(Get, R::ReadAgent(town(one)?, agent(id)?))],
        ["api", "towns", one, "agents", id, "events"] => vec![(Get, R::ReadAgentEvents(town(one)?, agent(id)?))],
        ["api", "towns", one, "agents", id, "runs"] => vec![(Get, R::ListRuns(town(one)?, agent(id)?))],
        ["api", "towns", one, "metrics"] => vec![(Get, R::TownMetrics(town(one)?))],
        ["api", "towns", one, "stream-ticket"] => vec![(Post, R::TownTicket(town(one)?))],
        ["api", "towns", one, "stream"] => vec![(Get, R::TownStream(town(one)?))],
        _ => return Err(no_such_path()),
    })
}

fn rig_choices(one: &str, rest: &[&str]) -> Result<Vec<(Method, Route)>> {
    use Method::{Get, Post};
    use Route as R;

    Ok(match rest {
        ["agents"] => {
            let rig = rig(one)?;
            vec![(Post, R::CreateAgent(rig.clone())), (Get, R::ListRigAgents(rig))]
        }
        ["agents", id, "token"] => vec![(Post, R::MintToken(rig(one)?, agent(id)?))],
        ["agents", id, "events"] => vec![(Get, R::ReadRigEvents(rig(one)?, agent(id)?))],
        ["metrics"] => vec![(Get, R::RigMetrics(rig(one)?))],
        ["agent-events"] => vec![(Post, R::PostEvents(rig(one)?))],
        _ => return Err(no_such_path()),
    })
}

fn container_choices(one: &str, rest: &[&str]) -> Result<Vec<(Method, Route)>> {
    use Method::{Get, Post};
    use Route as R;

    Ok(match rest {
        ["health"] => vec![(Get, R::ContainerHealth(town(one)?))],
        ["agents", "start"] => vec![(Post, R::StartAgent(town(one)?))],
        ["agents", id, "stop"] => vec![(Post, R::StopAgent(town(one)?, agent(id)?))],
        ["agents", id, "message"] => vec![(Post, R::MessageAgent(town(one)?, agent(id)?))],
        ["agents", id, "status"] => vec![(Get, R::AgentStatus(town(one)?, agent(id)?))],
        ["agents", id, "stream-ticket"] => vec![(Post, R::AgentTicket(town(one)?, agent(id)?))],
        ["agents", id, "stream"] => vec![(Get, R::AgentStream(town(one)?, agent(id)?))],
        _ => return Err(no_such_path()),
    })
}

fn no_such_path() -> Error {
    Error::not_found("path")
}

fn town(text: &str) -> Result<TownId> {
    TownId::parse(text).ok_or_else(|| Error::invalid("town_id", format!("expected {}", TownId::EXPECTED)))
}

fn rig(text: &str) -> Result<RigId> {
    RigId::parse(text).ok_or_else(|| Error::invalid("rig_id", format!("expected {}", RigId::EXPECTED)))
}

fn agent(text: &str) -> Result<AgentId> {
    AgentId::parse(text).ok_or_else(|| Error::invalid("agent_id", format!("expected {}", AgentId::EXPECTED)))
}

fn event(text: &str) -> Result<EventId> {
    digits(text)
        .filter(|id| *id >= 1)
        .and_then(EventId::new)
        .ok_or_else(|| Error::invalid("id", "expected an integer from 1 to 2^53 - 1"))
}
