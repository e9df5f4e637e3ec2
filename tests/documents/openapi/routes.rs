//! What the document says of each route.

use serde_json::{Value, json};
use townwatch_protocol::error::Code;
use townwatch_protocol::id::{AgentId, Epoch, EventName, RunId};
use townwatch_protocol::limits::{
    AGENTS_PER_TOWN_MAX, ARCHIVED_AGENTS_PAGE_DEFAULT, EVENTS_PER_AGENT_MAX, LONG_POLL_MS_MAX, PAGE_EVENTS_DEFAULT,
    PAGE_EVENTS_MAX,
};
use townwatch_protocol::wire::{
    AgentRequest, AgentState, AgentTokens, AnswerAgent, Answered, BrowserSession, BudgetChange, ControlHealth,
    ControlStatus, EventsPage, HealthView, Heard, ImageView, MayorDestroyed, MayorMessage, MayorTold, MayorView,
    MessageAgent, PostEvents, PostReceipt, RigEventsPage, RigRequest, RigView, RunView, Sent, SessionRequest,
    SessionView, SettingsView, SignInCode, StartAgent, StopAgent, Stopped, TicketView, TokenRequest, TokenView,
    TownChange, TownEvent, TownRequest, TownSummary, TownView,
};
use townwatch_town::route::Route;

use super::operation::Access::{Agent, Open, Operator, Ticket};
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
        | Route::EndSessions => session(route, schemas),
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
        | Route::BringRigBack(..) => town(route, schemas),
        Route::CreateAgent(_)
        | Route::ListRigAgents(_)
        | Route::MintToken(..)
        | Route::ListTokens(..)
        | Route::RevokeTokens(..)
        | Route::RevokeToken(..)
        | Route::HearAgent(..)
        | Route::PostEvents(_)
        | Route::PutImage(..)
        | Route::ReadRigEvents(..) => rig(route, schemas),
        Route::ReadTownEvents(_) => page("A page of the town's events", schemas),
        Route::ReadAgentEvents(..) => page("A page of an agent's events", schemas),
        Route::ReadEvent(..) => Operation::new("events", Operator, "One event, whole")
            .says("Also where its form in pages and streams had to be cut.")
            .gives(200, "The event.", &schemas.given::<TownEvent>()),
        Route::ReadImage(..) => Operation::new("events", Operator, "A picture that a tool gave")
            .says(
                "An `agent_tool_result` names it in `attachments`. The type is that of its bytes. 404 while it is still on \
                 its way, then with `Retry-After`, and once it is gone.",
            )
            .answers(200, "The picture.", &images()),
        Route::ListAgents(_) => agents(schemas),
        Route::ReadAgent(..) => Operation::new("events", Operator, "An agent's state").gives(
            200,
            "As its events have made it.",
            &schemas.answered::<AgentState>(),
        ),
        Route::ChangeAgent(..) => Operation::new("events", Operator, "Set an agent's budget")
            .says("What all of its runs together may take in a day (UTC): warned at 80 %, stopped at 100 %.")
            .takes(&schemas.given::<BudgetChange>())
            .gives(200, "Its state.", &schemas.answered::<AgentState>()),
        Route::DeleteAgent(..) | Route::ArchiveAgent(..) | Route::BringAgentBack(..) => leaving(route, schemas),
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
        | Route::AgentStatus(..) => container(route, schemas),
        Route::MayorStatus(_) | Route::MessageMayor(_) | Route::DestroyMayor(_) => mayor(route, schemas),
        Route::TownTicket(_) => ticket("A ticket for the town's stream", schemas),
        Route::AgentTicket(..) => ticket("A ticket for an agent's stream", schemas)
            .says("Also for an agent that has not started. Never wakes the container."),
        Route::TownStream(_) => stream("The town's stream", schemas),
        Route::AgentStream(..) => stream("An agent's stream", schemas),
    }
}

fn session(route: &Route, schemas: &mut Schemas) -> Operation {
    let who = schemas.answered::<SessionView>();
    match route {
        Route::MakeCode => Operation::new("session", Operator, "Make a code that signs a browser in")
            .says(
                "With the key only. It is good once, for a minute: `/#code=<code>` behind any of the page's addresses.",
            )
            .gives(201, "The code, which is shown only now.", &schemas.answered::<SignInCode>()),
        Route::ListSessions => Operation::new("session", Operator, "The browsers that are signed in").gives(
            200,
            "All of them, the one that was heard of last first.",
            &schemas.answered::<Vec<BrowserSession>>(),
        ),
        Route::EndSession(_) => Operation::new("session", Operator, "Sign a browser out")
            .says("Its streams end at once, 4401; its requests within a minute.")
            .answers(204, "It is signed out.", &json!({})),
        Route::EndSessions => Operation::new("session", Operator, "Sign all browsers out").answers(
            204,
            "They are signed out.",
            &json!({}),
        ),
        Route::SignIn => Operation::new("session", Open, "Sign a browser in")
            .says("By the operator's key, or by the `code` of a link.")
            .takes(&schemas.given::<SessionRequest>())
            .gives(201, "Signed in; the cookie is set.", &who)
            .may(&[Code::Unauthorized, Code::RateLimited, Code::OriginNotAllowed, Code::TownUnavailable]),
        Route::SignOut => Operation::new("session", Open, "Sign it out")
            .says("Whoever is not signed in is signed out.")
            .answers(204, "Signed out; the cookie is gone.", &json!({}))
            .may(&[Code::OriginNotAllowed, Code::TownUnavailable]),
        _ => Operation::new("session", Agent, "Who am I")
            .says("An agent that its rig does not know, or not any more, is 404.")
            .gives(200, "Who asks.", &who)
            .may(&[Code::NotFound]),
    }
}

fn town(route: &Route, schemas: &mut Schemas) -> Operation {
    let name = schemas.given::<TownRequest>();
    let summary = schemas.answered::<TownSummary>();
    match route {
        Route::CreateTown => Operation::new("towns", Operator, "Make a town")
            .takes(&name)
            .gives(201, "The new town.", &summary)
            .may(&[Code::RateLimited]),
        Route::ListTowns => Operation::new("towns", Operator, "The towns").gives(
            200,
            "All of them.",
            &schemas.answered::<Vec<TownSummary>>(),
        ),
        Route::ChangeTown(_) => Operation::new("towns", Operator, "Rename a town, or set its budget")
            .says(
                "`max_cost_usd` and `max_tokens` are what all its agents together may take in a day (UTC): warned at 80 %, \
                 and at 100 % its runs are stopped and starts are refused until the day is over.",
            )
            .takes(&schemas.given::<TownChange>())
            .gives(200, "The town.", &summary),
        Route::DeleteTown(_) => Operation::new("towns", Operator, "Erase a town")
            .says("Its events, tickets and rigs are gone, its viewers are sent away.")
            .answers(204, "It is gone.", &json!({})),
        Route::CreateRig(_) => Operation::new("towns", Operator, "Add a rig to a town")
            .takes(&schemas.given::<RigRequest>())
            .gives(201, "The new rig.", &schemas.answered::<RigView>())
            .may(&[Code::RateLimited]),
        Route::ListRigs(_) => Operation::new("towns", Operator, "The town's rigs").gives(
            200,
            "All of them, oldest first.",
            &schemas.answered::<Vec<RigView>>(),
        ),
        Route::DeleteRig(..) => Operation::new("towns", Operator, "Erase a rig with all its agents")
            .says(
                "Its agents are stopped first; where that cannot be known to have been heard nothing is erased. What breaks \
                 off behind that leaves a rig with fewer agents, which cannot post: ask again.",
            )
            .answers(204, "It is gone.", &json!({}))
            .may(&[Code::Conflict, Code::TownUnavailable])
            .may(OF_THE_CONTAINER),
        Route::ArchiveRig(..) => Operation::new("towns", Operator, "Put a rig away with its agents")
            .says("No agent is registered, started or brought back in it until it is brought back. 409 while one has an open run.")
            .gives(200, "The rig, with `archived_at`.", &schemas.answered::<RigView>())
            .may(&[Code::Conflict, Code::RateLimited, Code::TownUnavailable]),
        Route::BringRigBack(..) => Operation::new("towns", Operator, "Bring an archived rig back")
            .says("Its agents stay archived, and come back one by one.")
            .gives(200, "The rig.", &schemas.answered::<RigView>())
            .may(&[Code::Conflict]),
        _ => Operation::new("towns", Operator, "A town, whole").gives(
            200,
            "With its rigs, agents and container.",
            &schemas.answered::<TownView>(),
        ),
    }
}

fn rig(route: &Route, schemas: &mut Schemas) -> Operation {
    match route {
        Route::CreateAgent(_) => Operation::new("rigs", Operator, "Register an agent that runs elsewhere")
            .takes(&schemas.given::<AgentRequest>())
            .gives(201, "Its state.", &schemas.answered::<AgentState>())
            .may(&[Code::Conflict, Code::RateLimited]),
        Route::ListRigAgents(_) => Operation::new("rigs", Operator, "The rig's agents").gives(
            200,
            "All of them.",
            &schemas.answered::<Vec<AgentState>>(),
        ),
        Route::MintToken(..) => Operation::new("rigs", Operator, "Make a token for an agent")
            .says("It posts events as this agent and reads them, and can do nothing else.")
            .may_take(&schemas.given::<TokenRequest>())
            .gives(201, "The token, which is shown only now.", &schemas.answered::<TokenView>()),
        Route::ListTokens(..) => Operation::new("rigs", Operator, "An agent's tokens")
            .says("What they are and when they were used; they themselves are shown when they are made, and never again.")
            .gives(200, "Those whose time is not over, the newest first.", &schemas.answered::<AgentTokens>()),
        Route::RevokeTokens(..) => Operation::new("rigs", Operator, "Revoke all of an agent's tokens")
            .says("Those without an id, too, as far as they were made by now or do not say when.")
            .answers(204, "None of them is good any more.", &json!({})),
        Route::RevokeToken(..) => Operation::new("rigs", Operator, "Revoke a token of an agent")
            .says("Whatever comes next with it is 401 `token_revoked`.")
            .answers(204, "It is not good any more.", &json!({})),
        Route::PostEvents(_) => Operation::new("rigs", Agent, "Post events")
            .says(
                "One event, or a batch in `events`: all of it is stored or nothing. What is counted in the receipt is \
                 durable in the rig's log. An `event_id` seen before is a duplicate, not an error. An agent's token \
                 posts as that agent only. An agent may begin 60 runs in a minute, and have 16 open.",
            )
            .takes(&schemas.given::<PostEvents>())
            .gives(201, "The receipt.", &schemas.answered::<PostReceipt>())
            .may(&[Code::Conflict, Code::RunEnded]),
        Route::HearAgent(..) => Operation::new("rigs", Agent, "Say that an agent is there")
            .says(
                "For an agent that has nothing to post at present: its open run is not called silent or lost. Where \
                 nothing is open it changes nothing. No event is stored.",
            )
            .gives(200, "The town knows.", &schemas.answered::<Heard>())
            .may(&[Code::Conflict, Code::RunEnded]),
        Route::PutImage(..) => Operation::new("rigs", Agent, "Bring a picture that a posted event names")
            .says(
                "At most 4 MiB. `image_id` is the first 32 hexadecimal digits of the bytes' SHA-256. May come before the event; the same one again \
                 changes nothing. An agent's token brings that agent's only.",
            )
            .takes_content(&images())
            .gives(201, "It is kept.", &schemas.answered::<ImageView>())
            .gives(200, "It was kept already.", &schemas.answered::<ImageView>()),
        _ => Operation::new("rigs", Agent, "A page of the rig's own log of an agent")
            .says("Ascending. Its ids are the rig's own, not those of the town's log.")
            .asks(vec![after_id(), limit()])
            .gives(200, "The page.", &schemas.answered::<RigEventsPage>()),
    }
}

fn container(route: &Route, schemas: &mut Schemas) -> Operation {
    let operation = match route {
        Route::ContainerHealth(_) => Operation::new("container", Operator, "The control server's own health")
            .says("Never starts a container: 503 `container_unavailable` while it sleeps.")
            .gives(200, "Its health.", &schemas.answered::<ControlHealth>()),
        Route::StartAgent(_) => Operation::new("container", Operator, "Start an agent")
            .says("Starts the container if it sleeps. Where the outcome is unknown (503, 504) the run's events tell.")
            .takes(&schemas.given::<StartAgent>())
            .gives(201, "Its state: `starting`.", &schemas.answered::<AgentState>())
            .may(&[
                Code::Conflict,
                Code::AlreadyRunning,
                Code::BudgetExceeded,
                Code::NotSupportedByRuntime,
                Code::RateLimited,
            ]),
        Route::StopAgent(..) => Operation::new("container", Operator, "Stop an agent")
            .says(
                "Again, or of an agent that does not run, it changes nothing. The run of an agent that posts ends at \
                 once; the agent is told at its next post, by 409 `run_ended`.",
            )
            .may_take(&schemas.given::<StopAgent>())
            .gives(200, "It stops.", &schemas.answered::<Stopped>()),
        Route::MessageAgent(..) => Operation::new("container", Operator, "Tell an agent something")
            .takes(&schemas.given::<MessageAgent>())
            .gives(200, "It was told.", &schemas.answered::<Sent>())
            .may(&[Code::Conflict, Code::NotSupportedByRuntime]),
        Route::AnswerAgent(..) => Operation::new("container", Operator, "Answer an agent's question")
            .says(
                "The question is the agent's open `agent_question`; one that is gone is 409 `conflict`. An \
                 `agent_question_answered` says that the agent has the answer.",
            )
            .takes(&schemas.given::<AnswerAgent>())
            .gives(200, "The agent has its answer.", &schemas.answered::<Answered>())
            .may(&[Code::Conflict, Code::NotSupportedByRuntime]),
        _ => Operation::new("container", Operator, "What the control server says of an agent").gives(
            200,
            "Its newest run there.",
            &schemas.answered::<ControlStatus>(),
        ),
    };
    operation.may(OF_THE_CONTAINER)
}

/// How an agent leaves its town, and comes back.
fn leaving(route: &Route, schemas: &mut Schemas) -> Operation {
    match route {
        Route::DeleteAgent(..) => Operation::new("events", Operator, "Erase an agent")
            .says(
                "It is stopped first; where that cannot be known to have been heard nothing is erased. Its events, runs, \
                 pictures and tickets are gone, its rig forgets it, and viewers are told with `agent_deleted`.",
            )
            .answers(204, "It is gone.", &json!({}))
            .may(&[Code::Conflict, Code::TownUnavailable])
            .may(OF_THE_CONTAINER),
        Route::ArchiveAgent(..) => Operation::new("events", Operator, "Put an agent away")
            .says(
                "It leaves the lists and does not count toward the town's 1,000 agents; its log stays. Its rig takes nothing \
                 new of it. 409 while it has an open run. Again, it changes nothing.",
            )
            .gives(200, "Its state, with `archived_at`.", &schemas.answered::<AgentState>())
            .may(&[Code::Conflict, Code::RateLimited, Code::TownUnavailable]),
        _ => Operation::new("events", Operator, "Bring an archived agent back")
            .says("A start and a registration of it do so, too. Of one that is not archived it changes nothing.")
            .gives(200, "Its state.", &schemas.answered::<AgentState>())
            .may(&[Code::Conflict, Code::RateLimited, Code::TownUnavailable]),
    }
}

fn mayor(route: &Route, schemas: &mut Schemas) -> Operation {
    match route {
        Route::MessageMayor(_) => Operation::new("container", Operator, "Tell the mayor something")
            .says("As the message of an agent, to the one that is the mayor; 404 where none is at work.")
            .takes(&schemas.given::<MayorMessage>())
            .gives(200, "It was told.", &schemas.answered::<MayorTold>())
            .may(&[Code::Conflict, Code::NotSupportedByRuntime])
            .may(OF_THE_CONTAINER),
        Route::DestroyMayor(_) => Operation::new("container", Operator, "Stop the mayor")
            .says("Where none is at work it changes nothing. What it did stays in the log.")
            .gives(200, "It stops.", &schemas.answered::<MayorDestroyed>())
            .may(OF_THE_CONTAINER),
        _ => Operation::new("container", Operator, "How the mayor stands")
            .says("The agent whose role is `mayor`: of several one that runs. In the words of Gastown.")
            .gives(200, "Its open run, if there is one.", &schemas.answered::<MayorView>()),
    }
}

fn agents(schemas: &mut Schemas) -> Operation {
    let (archived, limit) = (
        json!({"type": "string", "enum": ["true", "false"], "default": "false"}),
        json!({"type": "integer", "minimum": 1, "maximum": AGENTS_PER_TOWN_MAX, "default": ARCHIVED_AGENTS_PAGE_DEFAULT}),
    );
    Operation::new("events", Operator, "The town's agents")
        .asks(vec![
            query("archived", "With `true` a page of the archived agents, by id, instead of all others.", &archived),
            query("after_agent_id", "Of archived ones: those behind this one.", &schemas.given::<AgentId>()),
            query("limit", "Of archived ones: how many.", &limit),
        ])
        .gives(200, "The agents.", &schemas.answered::<Vec<AgentState>>())
}

fn page(summary: &'static str, schemas: &mut Schemas) -> Operation {
    let (epoch, run_id) = (schemas.given::<Epoch>(), schemas.given::<RunId>());
    let names = json!({"type": "array", "items": schemas.given::<EventName>()});
    let wait_ms = json!({"type": "integer", "minimum": 0, "maximum": LONG_POLL_MS_MAX, "default": 0});
    Operation::new("events", Operator, summary)
        .says(
            "Ascending by id. Of `after_id`, `before_id` and `tail` at most one; with none of them the latest page. \
             `next_after_id` is the next page's `after_id`. With `Accept: application/x-ndjson` it is not a page but the \
             whole range, an event a line; a line with a `type` is a frame, and the last one is a `RangeEnd`: without it \
             the answer broke off.",
        )
        .asks(vec![
            query(
                "epoch",
                "The life of the log that `after_id` belongs to; in another one the page begins at the start.",
                &epoch,
            ),
            after_id(),
            query("before_id", "The page before this event.", &position()),
            tail(),
            limit(),
            query("run_id", "Events of this run only.", &run_id),
            query("event", "Events of this name only; may be repeated.", &names),
            query("wait_ms", "How long an empty page waits for the next event. Lines end at the head and wait for none: 400.", &wait_ms),
        ])
        .gives(200, "The page.", &schemas.answered::<EventsPage>())
        .answers(200, "", &text("application/x-ndjson", "The whole range, one `TownEvent` a line, and a `RangeEnd` as the last one."))
        .may(&[Code::TooManyViewers])
}

fn ticket(summary: &'static str, schemas: &mut Schemas) -> Operation {
    Operation::new("streams", Operator, summary)
        .gives(200, "The ticket; `url` is the stream's path with it.", &schemas.answered::<TicketView>())
        .may(&[Code::StreamingDisabled])
}

fn stream(summary: &'static str, schemas: &mut Schemas) -> Operation {
    let from = "The first event that is wanted, one more than the last that one has: 0 and below is the start, beyond the \
                head is what comes next. Beats `after_id`.";
    let format =
        "With `flat` each message is one event, a `TownEvent`, and no other frame is sent unasked: no `gap` either.";
    let named = "On an event stream: with `false` events have no `event:` line and reach `onmessage`; other frames keep theirs.";
    let flow = "The viewer acknowledges what has arrived with `ack` frames, and is sent only so much ahead of them.";
    let last = "Where a reader that comes back was: `<id>` or `<epoch>.<id>`, or as the last event's `id` had it where a \
                ticket opened the stream, which then resumes it in place of an unused one. Beats `from`.";
    let last_event_id = json!({"type": "string", "pattern": r"^(([A-Za-z0-9_-]{1,64}\.)?[0-9]+(~.*)?)?$"});
    Operation::new("streams", Ticket, summary)
        .says(
            "History from the cursor, then live. With `Upgrade: websocket` a WebSocket: each text message is a \
             `ServerFrame`, and what it takes are `ClientFrame`s. With `Accept: text/event-stream` server-sent events. \
             With neither 426.",
        )
        .asks(vec![
            query("epoch", "The life of the log that the cursor belongs to.", &schemas.given::<Epoch>()),
            after_id(),
            query("from", from, &json!({"type": "integer"})),
            tail(),
            query("flow", flow, &json!({"type": "string", "enum": ["ack"]})),
            query("until", "The stream ends with the agent's run.", &json!({"type": "string", "enum": ["exit"]})),
            query("format", format, &json!({"type": "string", "enum": ["frames", "flat"], "default": "frames"})),
            query("named", named, &json!({"type": "string", "enum": ["true", "false"], "default": "true"})),
            json!({"name": "Last-Event-ID", "in": "header", "description": last, "schema": last_event_id}),
        ])
        .answers(101, "A WebSocket: `ServerFrame`s come, `ClientFrame`s go.", &json!({}))
        .answers(
            200,
            "Server-sent events.",
            &text(
                "text/event-stream",
                "Each event is a message of its own: `id` is its id (where a ticket opened the stream `<id>~<token>`), `event` \
                 its name, `data` a `TownEvent`. Other frames are messages named after their `type`, with the `ServerFrame` as `data`.",
            ),
        )
        .answers(
            204,
            "A reader that comes back behind the end that `until=exit` asked for: do not come again.",
            &json!({}),
        )
        .may(&[Code::TicketInvalid, Code::UpgradeRequired, Code::TooManyViewers, Code::StreamingDisabled])
}

fn text(kind: &str, what: &str) -> Value {
    json!({kind: {"schema": {"type": "string", "description": what}}})
}

fn images() -> Value {
    let picture = json!({"schema": {"type": "string", "format": "binary"}});
    json!({"image/png": picture, "image/jpeg": picture, "image/webp": picture, "image/gif": picture})
}

fn query(name: &str, what: &str, schema: &Value) -> Value {
    json!({"name": name, "in": "query", "description": what, "schema": schema})
}

fn position() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn after_id() -> Value {
    query("after_id", "The events after this one; 0 is the start.", &position())
}

fn tail() -> Value {
    let schema = json!({"type": "integer", "minimum": 0, "maximum": EVENTS_PER_AGENT_MAX});
    query("tail", "The newest so many events.", &schema)
}

fn limit() -> Value {
    let schema = json!({"type": "integer", "minimum": 1, "maximum": PAGE_EVENTS_MAX, "default": PAGE_EVENTS_DEFAULT});
    query("limit", "How many events a page has at most; a page by `tail` as many as that names.", &schema)
}
