//! The routes. A handler reads the request, asks, and writes the answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use serde::{Deserialize, Serialize};
use townwatch_protocol::body::too_slow;
use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::event::StopSignal;
use townwatch_protocol::id::{AgentId, ImageId, POSITION_MAX, RunId, TownId};
use townwatch_protocol::limits::{BATCH_EVENTS_MAX, BODY_ARRIVAL_MS, BODY_BYTES_MAX, LONG_POLL_MS_MAX};
use townwatch_protocol::query::Query;
use townwatch_protocol::wire::{
    AnswerAgent, Answered, ControlStart, ControlStop, MessageAgent, Sent, StartAgent, TOWN_HEADER,
};

use crate::command::AgentCommand;
use crate::control::Control;
use crate::page::Range;
use crate::town::Town;
use crate::{body, caller};

type Shared = State<Arc<Control>>;

/// The whole of the server's HTTP.
pub fn app(control: Arc<Control>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/events", get(town_events))
        .route("/forget", post(forget))
        .route("/agents/start", post(start))
        .route("/agents/{agent_id}/stop", post(stop))
        .route("/agents/{agent_id}/message", post(message))
        .route("/agents/{agent_id}/answer", post(answer))
        .route("/agents/{agent_id}/status", get(status))
        .route("/agents/{agent_id}/events", get(agent_events))
        .route("/agents/{agent_id}/images/{image_id}", get(image))
        .fallback(|| async { Failure(Error::not_found("route")) })
        .method_not_allowed_fallback(|| async {
            Failure(Error::new(Code::MethodNotAllowed, "this route exists, with other methods"))
        })
        .layer(middleware::from_fn_with_state(control.clone(), caller::guard))
        .with_state(control)
}

/// A failure as an answer.
pub(crate) struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if self.0.code == Code::Internal {
            crate::log::write("internal", serde_json::json!({"message": self.0.message}));
        }
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/json")], self.0.to_body()).into_response()
    }
}

type Answer = Result<Response, Failure>;

async fn health(State(control): Shared) -> Answer {
    Ok(json(&control.health().await))
}

async fn forget(State(control): Shared, headers: HeaderMap) -> Answer {
    control.forget(&town_id(&headers)?);
    Ok(json(&serde_json::json!({"forgotten": true})))
}

async fn start(State(control): Shared, headers: HeaderMap, body: Body) -> Answer {
    #[derive(Deserialize)]
    struct Names {
        run_id: RunId,
        agent_id: AgentId,
    }
    let town_id = town_id(&headers)?;
    let bytes = read(body).await?;
    // Not `ControlStart` at once: what is flattened in it would hide the name of a field that is wrong.
    let Names { run_id, agent_id } = body::read(&bytes)?;
    let order: StartAgent = body::read(&bytes)?;
    control.town(&town_id)?.stop_is_over(&agent_id).await;
    Ok(json(&control.start(&town_id, ControlStart { run_id, agent_id, order })?))
}

async fn stop(AgentOf(town, agent_id): AgentOf, body: Body) -> Answer {
    let bytes = read(body).await?;
    let order = if bytes.is_empty() { ControlStop::default() } else { body::read(&bytes)? };
    town.stop(&agent_id, order.run_id.as_ref(), order.signal.unwrap_or(StopSignal::Term))?;
    Ok(json(&serde_json::json!({"stopped": true})))
}

async fn message(AgentOf(town, agent_id): AgentOf, body: Body) -> Answer {
    let message: MessageAgent = body::read(&read(body).await?)?;
    message.check()?;
    let refusal = "this agent takes no messages while it runs; start a new run with the next prompt";
    town.say(&agent_id, AgentCommand::Message(message.prompt), refusal).await?;
    Ok(json(&Sent { sent: true }))
}

async fn answer(AgentOf(town, agent_id): AgentOf, body: Body) -> Answer {
    #[derive(Deserialize)]
    struct By {
        by: String,
    }
    let bytes = read(body).await?;
    // Not `ControlAnswer` at once, for the reason that `start` has.
    let answer: AnswerAgent = body::read(&bytes)?;
    let By { by } = body::read(&bytes)?;
    answer.check()?;
    town.answer(&agent_id, answer, by).await?;
    Ok(json(&Answered { answered: true }))
}

async fn status(AgentOf(town, agent_id): AgentOf) -> Answer {
    Ok(json(&town.status(&agent_id).ok_or_else(|| Error::not_found("agent"))?))
}

async fn image(
    State(control): Shared,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Answer {
    let town = town(&control, &headers)?;
    let (agent_id, image_id) = path.map(|Path(ids)| ids).unwrap_or_default(); // an `Err` is text that is not UTF-8
    let wrong = |name, expected| Error::invalid(name, format!("expected {expected}"));
    let agent_id = AgentId::parse(&agent_id).ok_or_else(|| wrong("agent_id", AgentId::EXPECTED))?;
    let image_id = ImageId::parse(&image_id).ok_or_else(|| wrong("image_id", ImageId::EXPECTED))?;
    let picture = town.picture(&agent_id, &image_id).ok_or_else(|| Error::not_found("image"))?;
    Ok(([(header::CONTENT_TYPE, picture.media_type)], picture.bytes.clone()).into_response())
}

async fn agent_events(AgentOf(town, agent_id): AgentOf, RawQuery(query): RawQuery) -> Answer {
    let range = range(&Query::parse(&query.unwrap_or_default()))?;
    Ok(json_text(town.read(Some(&agent_id), range).answer(town.epoch())?))
}

async fn town_events(State(control): Shared, headers: HeaderMap, RawQuery(query): RawQuery) -> Answer {
    let town = town(&control, &headers)?;
    let query = Query::parse(&query.unwrap_or_default());
    let range = range(&query)?;
    let acknowledges = query.number("ack", 0, 1)? == Some(1);
    let previews = query.number("previews", 0, 1)? == Some(1);
    let wait = Duration::from_millis(query.number("wait_ms", 0, LONG_POLL_MS_MAX)?.unwrap_or(0));
    if query.text("epoch")? != Some(town.epoch().as_str()) {
        // The caller's numbers are of another life. It has to learn of this one at once, also when nothing happened yet.
        let page = town.read(None, Range { after: 0, ..range });
        return Ok(json_text(page.answer(town.epoch())?));
    }
    if acknowledges {
        town.acknowledge(range.after);
    }
    let page = town.wait(range, previews, wait).await;
    Ok(json_text(page.answer(town.epoch())?))
}

fn range(query: &Query) -> Result<Range, Error> {
    let limit = query.number("limit", 1, BATCH_EVENTS_MAX as u64)?.unwrap_or(BATCH_EVENTS_MAX as u64);
    let after = query.number("after", 0, POSITION_MAX)?.unwrap_or(0);
    Ok(Range { after, limit: usize::try_from(limit).unwrap_or(BATCH_EVENTS_MAX) })
}

pub(crate) fn town_id(headers: &HeaderMap) -> Result<TownId, Error> {
    let header =
        headers.get(TOWN_HEADER).ok_or_else(|| Error::invalid(TOWN_HEADER, "this header has to name the town"))?;
    let town_id = header.to_str().ok().and_then(TownId::parse);
    town_id.ok_or_else(|| Error::invalid(TOWN_HEADER, format!("expected {}", TownId::EXPECTED)))
}

fn town(control: &Control, headers: &HeaderMap) -> Result<Arc<Town>, Error> {
    control.town(&town_id(headers)?)
}

/// The agent of a path, in the town of the header.
struct AgentOf(Arc<Town>, AgentId);

impl FromRequestParts<Arc<Control>> for AgentOf {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, control: &Arc<Control>) -> Result<Self, Failure> {
        let town = town(control, &parts.headers)?;
        let name = Path::<String>::from_request_parts(parts, control).await.ok(); // an `Err` is text that is not UTF-8
        let agent_id = name.and_then(|Path(name)| AgentId::parse(&name));
        let wrong = || Error::invalid("agent_id", format!("expected {}", AgentId::EXPECTED));
        Ok(Self(town, agent_id.ok_or_else(wrong)?))
    }
}

pub(crate) async fn read(body: Body) -> Result<Bytes, Error> {
    let whole = axum::body::to_bytes(body, BODY_BYTES_MAX);
    match tokio::time::timeout(Duration::from_millis(BODY_ARRIVAL_MS), whole).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            Err(Error::new(Code::TooLarge, format!("the body could not be read, or is over {BODY_BYTES_MAX} bytes")))
        }
        Err(_) => Err(too_slow()),
    }
}

fn json(value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => json_text(text),
        Err(error) => Failure(Error::internal(error)).into_response(),
    }
}

fn json_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
