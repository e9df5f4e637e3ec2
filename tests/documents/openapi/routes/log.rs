//! The routes of a town's log: its agents, pages and streams.

use serde_json::json;
use townwatch_protocol::error::Code;
use townwatch_protocol::id::{AgentId, Epoch, EventName, RunId};
use townwatch_protocol::limits::{AGENTS_PER_TOWN_MAX, ARCHIVED_AGENTS_PAGE_DEFAULT, LONG_POLL_MS_MAX};
use townwatch_protocol::wire::{AgentState, EventsPage, TicketView};
use townwatch_town::route::Route;

use super::OF_THE_CONTAINER;
use super::parameters::{after_id, limit, position, query, tail, text};
use crate::openapi::operation::Access::{Operator, Ticket};
use crate::openapi::operation::Operation;
use crate::openapi::schemas::Schemas;

pub(super) fn agents(schemas: &mut Schemas) -> Operation {
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

/// How an agent leaves its town, and comes back.
pub(super) fn leaving(route: &Route, schemas: &mut Schemas) -> Operation {
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

pub(super) fn page(summary: &'static str, schemas: &mut Schemas) -> Operation {
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

pub(super) fn ticket(summary: &'static str, schemas: &mut Schemas) -> Operation {
    Operation::new("streams", Operator, summary)
        .gives(200, "The ticket; `url` is the stream's path with it.", &schemas.answered::<TicketView>())
        .may(&[Code::StreamingDisabled])
}

pub(super) fn stream(summary: &'static str, schemas: &mut Schemas) -> Operation {
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
