//! The routes of a rig: its agents, their tokens and what they post.

use serde_json::json;
use townwatch_protocol::error::Code;
use townwatch_protocol::wire::{
    AgentRequest, AgentState, AgentTokens, Heard, ImageView, PostEvents, PostReceipt, RigEventsPage, TokenRequest,
    TokenView,
};
use townwatch_town::route::Route;

use super::parameters::{after_id, images, limit};
use crate::openapi::operation::Access::{Agent, Operator};
use crate::openapi::operation::Operation;
use crate::openapi::schemas::Schemas;

pub(super) fn rig(route: &Route, schemas: &mut Schemas) -> Operation {
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
