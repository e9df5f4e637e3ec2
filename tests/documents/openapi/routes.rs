//! What the document says of each route.

mod account;
mod container;
mod log;
mod parameters;
mod rig;

use serde_json::json;
use townwatch_protocol::error::Code;
use townwatch_protocol::wire::{AgentState, BudgetChange, HealthView, RunView, SettingsView, TownEvent};
use townwatch_town::route::Route;

use self::parameters::{images, text};
use super::operation::Access::{Open, Operator};
use super::operation::Operation;
use super::schemas::Schemas;

/// In the order of the contract's table.
pub(super) const TAGS: [(&str, &str); 7] = [
    ("health", "Whether the Worker is there."),
    ("session", "The operator's browser."),
    ("towns", "Towns and their rigs."),
    ("rigs", "Agents that run elsewhere: they are registered, given a token, and post their events."),
    ("events", "A town's log: pages, single events, and the agents and runs that follow from it."),
    ("container", "Agents that run in the town's container."),
    ("streams", "A town's log as it grows."),
];

/// What calls to the control server can come to.
const OF_THE_CONTAINER: &[Code] = &[Code::ContainerError, Code::ContainerUnavailable, Code::ContainerTimeout];

/// No route is forgotten: this matches all of them.
pub(super) fn describe(route: &Route, schemas: &mut Schemas) -> Operation {
    match route {
        Route::Health => {
            let health = schemas.answered::<HealthView>();
            Operation::new("health", Open, "Whether the Worker is there")
                .says("Answers also where a setting or a secret is missing.")
                .answers(200, "It is.", &json!({"application/json": {"schema": health}}))
        }
        Route::SignIn
        | Route::WhoAmI
        | Route::SignOut
        | Route::MakeCode
        | Route::ListSessions
        | Route::EndSession(_)
        | Route::EndSessions => account::session(route, schemas),
        Route::AccountMetrics => Operation::new("session", Operator, "What the account's object has done since it woke")
            .answers(200, "The metrics", &text("text/plain", "Prometheus text.")),
        Route::ReadSettings => Operation::new("towns", Operator, "What the installation has set")
            .says("The same as in each stream's `hello`.")
            .gives(200, "The settings that a client would else have to guess.", &schemas.answered::<SettingsView>()),
        Route::CreateTown
        | Route::ListTowns
        | Route::ReadTown(_)
        | Route::ChangeTown(_)
        | Route::DeleteTown(_)
        | Route::CreateRig(_)
        | Route::ListRigs(_)
        | Route::DeleteRig(..)
        | Route::ArchiveRig(..)
        | Route::BringRigBack(..) => account::town(route, schemas),
        Route::CreateAgent(_)
        | Route::ListRigAgents(_)
        | Route::MintToken(..)
        | Route::ListTokens(..)
        | Route::RevokeTokens(..)
        | Route::RevokeToken(..)
        | Route::HearAgent(..)
        | Route::PostEvents(_)
        | Route::PutImage(..)
        | Route::ReadRigEvents(..) => rig::rig(route, schemas),
        Route::ReadTownEvents(_) => log::page("A page of the town's events", schemas),
        Route::ReadAgentEvents(..) => log::page("A page of an agent's events", schemas),
        Route::ReadEvent(..) => Operation::new("events", Operator, "One event, whole")
            .says("Also where its form in pages and streams had to be cut.")
            .gives(200, "The event.", &schemas.given::<TownEvent>()),
        Route::ReadImage(..) => Operation::new("events", Operator, "A picture that a tool gave")
            .says(
                "An `agent_tool_result` names it in `attachments`. The type is that of its bytes. 404 while it is still on \
                 its way, then with `Retry-After`, and once it is gone.",
            )
            .answers(200, "The picture.", &images()),
        Route::ListAgents(_) => log::agents(schemas),
        Route::ReadAgent(..) => Operation::new("events", Operator, "An agent's state").gives(
            200,
            "As its events have made it.",
            &schemas.answered::<AgentState>(),
        ),
        Route::ChangeAgent(..) => Operation::new("events", Operator, "Set an agent's budget")
            .says("What all of its runs together may take in a day (UTC): warned at 80 %, stopped at 100 %.")
            .takes(&schemas.given::<BudgetChange>())
            .gives(200, "Its state.", &schemas.answered::<AgentState>()),
        Route::DeleteAgent(..) | Route::ArchiveAgent(..) | Route::BringAgentBack(..) => log::leaving(route, schemas),
        Route::TownMetrics(_) => Operation::new("towns", Operator, "What the town's object has done since it woke")
            .says("To ask wakes a sleeping town, but reads no row that is counted.")
            .answers(200, "The metrics", &text("text/plain", "Prometheus text.")),
        Route::RigMetrics(_) => Operation::new("rigs", Operator, "What the rig's object has done since it woke")
            .answers(200, "The metrics", &text("text/plain", "Prometheus text.")),
        Route::ListRuns(..) => Operation::new("events", Operator, "An agent's runs").gives(
            200,
            "With their ends and totals.",
            &schemas.answered::<Vec<RunView>>(),
        ),
        Route::ContainerHealth(_)
        | Route::StartAgent(_)
        | Route::StopAgent(..)
        | Route::MessageAgent(..)
        | Route::AnswerAgent(..)
        | Route::AgentStatus(..) => container::container(route, schemas),
        Route::MayorStatus(_) | Route::MessageMayor(_) | Route::DestroyMayor(_) => container::mayor(route, schemas),
        Route::TownTicket(_) => log::ticket("A ticket for the town's stream", schemas),
        Route::AgentTicket(..) => log::ticket("A ticket for an agent's stream", schemas)
            .says("Also for an agent that has not started. Never wakes the container."),
        Route::TownStream(_) => log::stream("The town's stream", schemas),
        Route::AgentStream(..) => log::stream("An agent's stream", schemas),
    }
}
