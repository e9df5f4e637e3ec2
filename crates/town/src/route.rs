//! The paths and methods of the REST API as one type.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use townwatch_protocol::calls::AccountId;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{AgentId, EventId, ImageId, RigId, SessionId, TokenId, TownId};
use townwatch_protocol::query::digits;

macro_rules! routes {
    ($($name:ident $(($($id:ident),+))? = $method:ident $pattern:literal;)*) => {
        /// A request's purpose. Whoever handles one matches on this and on nothing else.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs)] // the variants are the lines of the contract's table, one by one
        pub enum Route { $($name $(($($id),+))?,)* }

        /// The table by its columns: a method, a pattern, and how to read the pattern's ids.
        const ROWS: &[RouteRow] = &[$(RouteRow {
            method: Method::$method,
            pattern: $pattern,
            #[allow(unused_mut, unused_variables)] // where a pattern has no id
            read: |mut ids| Ok(Route::$name $(($($id::take(&mut ids)?),+))?),
        },)*];
    };
}

routes! {
    Health = Get "/health";
    SignIn = Post "/api/session";
    WhoAmI = Get "/api/session";
    SignOut = Delete "/api/session";
    MakeCode = Post "/api/session/code";
    ListSessions = Get "/api/sessions";
    EndSessions = Delete "/api/sessions";
    EndSession(SessionId) = Delete "/api/sessions/{session_id}";
    AccountMetrics = Get "/api/metrics";
    ReadSettings = Get "/api/settings";
    CreateTown = Post "/api/towns";
    ListTowns = Get "/api/towns";
    ReadTown(TownId) = Get "/api/towns/{town_id}";
    ChangeTown(TownId) = Patch "/api/towns/{town_id}";
    DeleteTown(TownId) = Delete "/api/towns/{town_id}";
    CreateRig(TownId) = Post "/api/towns/{town_id}/rigs";
    ListRigs(TownId) = Get "/api/towns/{town_id}/rigs";
    DeleteRig(TownId, RigId) = Delete "/api/towns/{town_id}/rigs/{rig_id}";
    ArchiveRig(TownId, RigId) = Post "/api/towns/{town_id}/rigs/{rig_id}/archive";
    BringRigBack(TownId, RigId) = Delete "/api/towns/{town_id}/rigs/{rig_id}/archive";
    CreateAgent(RigId) = Post "/api/rigs/{rig_id}/agents";
    ListRigAgents(RigId) = Get "/api/rigs/{rig_id}/agents";
    MintToken(RigId, AgentId) = Post "/api/rigs/{rig_id}/agents/{agent_id}/token";
    ListTokens(RigId, AgentId) = Get "/api/rigs/{rig_id}/agents/{agent_id}/tokens";
    RevokeTokens(RigId, AgentId) = Delete "/api/rigs/{rig_id}/agents/{agent_id}/tokens";
    RevokeToken(RigId, AgentId, TokenId) = Delete "/api/rigs/{rig_id}/agents/{agent_id}/tokens/{token_id}";
    HearAgent(RigId, AgentId) = Post "/api/rigs/{rig_id}/agents/{agent_id}/heartbeat";
    PostEvents(RigId) = Post "/api/rigs/{rig_id}/agent-events";
    ReadRigEvents(RigId, AgentId) = Get "/api/rigs/{rig_id}/agents/{agent_id}/events";
    PutImage(RigId, AgentId, ImageId) = Put "/api/rigs/{rig_id}/agents/{agent_id}/images/{image_id}";
    ReadTownEvents(TownId) = Get "/api/towns/{town_id}/events";
    ReadAgentEvents(TownId, AgentId) = Get "/api/towns/{town_id}/agents/{agent_id}/events";
    ReadEvent(TownId, EventId) = Get "/api/towns/{town_id}/events/{id}";
    ListAgents(TownId) = Get "/api/towns/{town_id}/agents";
    ReadAgent(TownId, AgentId) = Get "/api/towns/{town_id}/agents/{agent_id}";
    ChangeAgent(TownId, AgentId) = Patch "/api/towns/{town_id}/agents/{agent_id}";
    DeleteAgent(TownId, AgentId) = Delete "/api/towns/{town_id}/agents/{agent_id}";
    ArchiveAgent(TownId, AgentId) = Post "/api/towns/{town_id}/agents/{agent_id}/archive";
    BringAgentBack(TownId, AgentId) = Delete "/api/towns/{town_id}/agents/{agent_id}/archive";
    ListRuns(TownId, AgentId) = Get "/api/towns/{town_id}/agents/{agent_id}/runs";
    ReadImage(TownId, AgentId, ImageId) = Get "/api/towns/{town_id}/agents/{agent_id}/images/{image_id}";
    TownMetrics(TownId) = Get "/api/towns/{town_id}/metrics";
    RigMetrics(RigId) = Get "/api/rigs/{rig_id}/metrics";
    AnswerAgent(TownId, AgentId) = Post "/api/towns/{town_id}/agents/{agent_id}/answer";
    ContainerHealth(TownId) = Get "/api/towns/{town_id}/container/health";
    StartAgent(TownId) = Post "/api/towns/{town_id}/container/agents/start";
    StopAgent(TownId, AgentId) = Post "/api/towns/{town_id}/container/agents/{agent_id}/stop";
    MessageAgent(TownId, AgentId) = Post "/api/towns/{town_id}/container/agents/{agent_id}/message";
    AgentStatus(TownId, AgentId) = Get "/api/towns/{town_id}/container/agents/{agent_id}/status";
    MayorStatus(TownId) = Get "/api/towns/{town_id}/mayor/status";
    MessageMayor(TownId) = Post "/api/towns/{town_id}/mayor/message";
    DestroyMayor(TownId) = Post "/api/towns/{town_id}/mayor/destroy";
    TownTicket(TownId) = Post "/api/towns/{town_id}/stream-ticket";
    AgentTicket(TownId, AgentId) = Post "/api/towns/{town_id}/container/agents/{agent_id}/stream-ticket";
    TownStream(TownId) = Get "/api/towns/{town_id}/stream";
    AgentStream(TownId, AgentId) = Get "/api/towns/{town_id}/container/agents/{agent_id}/stream";
}

/// A line of the table.
struct RouteRow {
    method: Method,
    pattern: &'static str,
    read: fn(Ids<'_>) -> Result<Route>,
}

/// The ids of a path, each with its name in the pattern, in their order.
type Ids<'a> = std::vec::IntoIter<(&'static str, &'a str)>;

/// The object that answers a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Responder {
    /// The Worker itself.
    Worker,
    /// The account: the directory of towns.
    Account,
    /// A town's object.
    Town(TownId),
    /// A rig's object.
    Rig(RigId),
}

impl From<AccountId> for Responder {
    fn from(AccountId: AccountId) -> Self {
        Self::Account
    }
}

impl From<TownId> for Responder {
    fn from(town_id: TownId) -> Self {
        Self::Town(town_id)
    }
}

impl From<RigId> for Responder {
    fn from(rig_id: RigId) -> Self {
        Self::Rig(rig_id)
    }
}

/// A method of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
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

    /// The whole table: each route's method and pattern, `/api/towns/{town_id}` say.
    pub fn table() -> impl Iterator<Item = (&'static str, &'static str)> {
        ROWS.iter().map(|row| (row.method.as_str(), row.pattern))
    }

    /// The `Allow` header of a path: the methods that it takes.
    pub fn allowed(path: &str) -> Option<String> {
        choices(path).ok().map(|choices| allowed(&choices))
    }

    /// The object that answers. For a posted picture it is the agent's town, which only the agent's rig knows, so the
    /// Worker asks the rig. Names and deletions of towns go to the account, which then tells the town.
    pub fn responder(&self) -> Responder {
        match self {
            Self::Health | Self::SignIn | Self::WhoAmI | Self::SignOut | Self::ReadSettings | Self::PutImage(..) => {
                Responder::Worker
            }
            Self::MakeCode
            | Self::ListSessions
            | Self::EndSessions
            | Self::EndSession(_)
            | Self::AccountMetrics
            | Self::CreateTown
            | Self::ListTowns
            | Self::ChangeTown(_)
            | Self::DeleteTown(_) => Responder::Account,
            Self::CreateAgent(rig)
            | Self::ListRigAgents(rig)
            | Self::MintToken(rig, _)
            | Self::ListTokens(rig, _)
            | Self::RevokeTokens(rig, _)
            | Self::RevokeToken(rig, ..)
            | Self::HearAgent(rig, _)
            | Self::PostEvents(rig)
            | Self::ReadRigEvents(rig, _)
            | Self::RigMetrics(rig) => Responder::Rig(rig.clone()),
            Self::ReadTown(town)
            | Self::CreateRig(town)
            | Self::ListRigs(town)
            | Self::DeleteRig(town, _)
            | Self::ArchiveRig(town, _)
            | Self::BringRigBack(town, _)
            | Self::ReadTownEvents(town)
            | Self::ReadAgentEvents(town, _)
            | Self::ReadEvent(town, _)
            | Self::ListAgents(town)
            | Self::ReadAgent(town, _)
            | Self::ChangeAgent(town, _)
            | Self::DeleteAgent(town, _)
            | Self::ArchiveAgent(town, _)
            | Self::BringAgentBack(town, _)
            | Self::ListRuns(town, _)
            | Self::ReadImage(town, ..)
            | Self::TownMetrics(town)
            | Self::AnswerAgent(town, _)
            | Self::ContainerHealth(town)
            | Self::StartAgent(town)
            | Self::StopAgent(town, _)
            | Self::MessageAgent(town, _)
            | Self::AgentStatus(town, _)
            | Self::MayorStatus(town)
            | Self::MessageMayor(town)
            | Self::DestroyMayor(town)
            | Self::TownTicket(town)
            | Self::AgentTicket(town, _)
            | Self::TownStream(town)
            | Self::AgentStream(town, _) => Responder::Town(town.clone()),
        }
    }

    /// Whether it opens a stream.
    pub fn is_stream(&self) -> bool {
        matches!(self, Self::TownStream(_) | Self::AgentStream(..))
    }

    /// Whether it passes a right on, or uses it for long: there a session is asked for at the account each time.
    pub fn passes_on(&self) -> bool {
        self.is_stream() || self.is_stream_ticket()
    }

    /// Whether it is a right to a stream, which is worth nothing while streams are switched off.
    pub fn is_stream_ticket(&self) -> bool {
        matches!(self, Self::TownTicket(_) | Self::AgentTicket(..))
    }
}

fn allowed(choices: &[(Method, Route)]) -> String {
    choices.iter().map(|(method, _)| method.as_str()).collect::<Vec<_>>().join(", ")
}

/// The meanings of a path, by method. No path matches two patterns. An invalid id is refused before the method is.
fn choices(path: &str) -> Result<Vec<(Method, Route)>> {
    let decoded: Vec<Cow<'_, str>> = path
        .strip_prefix('/')
        .unwrap_or(path)
        .split('/')
        .map(|part| percent_decode_str(part).decode_utf8_lossy())
        .collect();
    let segments: Vec<&str> = decoded.iter().map(AsRef::as_ref).collect();
    let choices: Vec<_> = ROWS
        .iter()
        .filter_map(|row| Some((row.method, (row.read)(ids(row.pattern, &segments)?))))
        .map(|(method, route)| Ok((method, route?)))
        .collect::<Result<_>>()?;
    if choices.is_empty() { Err(Error::not_found("path")) } else { Ok(choices) }
}

/// The ids in a path that is of the pattern; `None` where it is not.
fn ids<'a>(pattern: &'static str, segments: &[&'a str]) -> Option<Ids<'a>> {
    let mut parts = pattern.split('/').skip(1);
    let mut ids = Vec::new();
    for segment in segments {
        let part = parts.next()?;
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) if !segment.is_empty() => ids.push((name, *segment)),
            None if part == *segment => {}
            _ => return None,
        }
    }
    parts.next().is_none().then(|| ids.into_iter())
}

/// An id that stands in a path.
trait PathId: Sized {
    const EXPECTED: &'static str;

    fn read(text: &str) -> Option<Self>;

    fn take(ids: &mut Ids<'_>) -> Result<Self> {
        let (name, text) = ids.next().ok_or_else(|| Error::internal("a pattern of a route has too few ids"))?;
        Self::read(text).ok_or_else(|| Error::invalid(name, format!("expected {}", Self::EXPECTED)))
    }
}

macro_rules! path_ids {
    ($($name:ident)*) => {$(
        impl PathId for $name {
            const EXPECTED: &'static str = $name::EXPECTED;

            fn read(text: &str) -> Option<Self> {
                Self::parse(text)
            }
        }
    )*};
}

path_ids! { TownId RigId AgentId ImageId SessionId TokenId }

impl PathId for EventId {
    const EXPECTED: &'static str = "an integer from 1 to 2^53 - 1";

    fn read(text: &str) -> Option<Self> {
        digits(text).filter(|id| *id >= 1).and_then(Self::new)
    }
}
