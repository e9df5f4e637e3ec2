//! The routes of agents in the container, the mayor among them.

use townwatch_protocol::error::Code;
use townwatch_protocol::wire::{
    AgentState, AnswerAgent, Answered, ControlHealth, ControlStatus, MayorDestroyed, MayorMessage, MayorTold,
    MayorView, MessageAgent, Sent, StartAgent, StopAgent, Stopped,
};
use townwatch_town::route::Route;

use super::OF_THE_CONTAINER;
use crate::openapi::operation::Access::Operator;
use crate::openapi::operation::Operation;
use crate::openapi::schemas::Schemas;

pub(super) fn container(route: &Route, schemas: &mut Schemas) -> Operation {
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

pub(super) fn mayor(route: &Route, schemas: &mut Schemas) -> Operation {
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
