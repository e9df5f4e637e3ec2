//! The routes of the account: sessions, towns and their rigs.

use serde_json::json;
use townwatch_protocol::error::Code;
use townwatch_protocol::wire::{
    BrowserSession, RigRequest, RigView, SessionRequest, SessionView, SignInCode, TownChange, TownRequest, TownSummary,
    TownView,
};
use townwatch_town::route::Route;

use super::OF_THE_CONTAINER;
use crate::openapi::operation::Access::{Agent, Open, Operator};
use crate::openapi::operation::Operation;
use crate::openapi::schemas::Schemas;

pub(super) fn session(route: &Route, schemas: &mut Schemas) -> Operation {
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

pub(super) fn town(route: &Route, schemas: &mut Schemas) -> Operation {
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
