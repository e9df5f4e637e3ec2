//! The routes of the HTTP server. A handler reads the request, calls the control server, and writes the answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use serde::Deserialize;
use townwatch_protocol::body::{parse_body, parse_optional_body};
use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::event::StopSignal;
use townwatch_protocol::id::{AgentId, ImageId, POSITION_MAX, RunId};
use townwatch_protocol::limits::{BATCH_EVENTS_MAX, LONG_POLL_MS_MAX};
use townwatch_protocol::query::Query;
use townwatch_protocol::wire::{AnswerAgent, Answered, ControlStart, ControlStop, MessageAgent, Sent, StartAgent};

use crate::command::AgentCommand;
use crate::control::Control;
use crate::page::PageQuery;
use crate::response::{ErrorResponse, json, json_text};
use crate::town::Town;
use crate::{caller, request};

type Shared = State<Arc<Control>>;

/// Makes the router with all routes.
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
        .fallback(|| async { ErrorResponse(Error::not_found("route")) })
        .method_not_allowed_fallback(|| async {
            ErrorResponse(Error::new(Code::MethodNotAllowed, "this route exists, with other methods"))
        })
        .layer(middleware::from_fn_with_state(control.callers.clone(), caller::guard))
        .with_state(control)
}

type HandlerResult = Result<Response, ErrorResponse>;

async fn health(State(control): Shared) -> HandlerResult {
    Ok(json(&control.health().await))
}

async fn forget(State(control): Shared, headers: HeaderMap) -> HandlerResult {
    control.forget(&request::town_id(&headers)?);
    Ok(json(&serde_json::json!({"forgotten": true})))
}

async fn start(State(control): Shared, headers: HeaderMap, body: Body) -> HandlerResult {
    #[derive(Deserialize)]
    struct Names {
        run_id: RunId,
        agent_id: AgentId,
    }
    let town_id = request::town_id(&headers)?;
    let bytes = request::bytes(body).await?;
    // Not parsed as a `ControlStart` at once: its flattened part would hide the name of a wrong field.
    let Names { run_id, agent_id } = parse_body(&bytes)?;
    let order: StartAgent = parse_body(&bytes)?;
    control.town(&town_id)?.stop_is_over(&agent_id).await;
    Ok(json(&control.start(&town_id, ControlStart { run_id, agent_id, order })?))
}

async fn stop(AgentOf(town, agent_id): AgentOf, body: Body) -> HandlerResult {
    let bytes = request::bytes(body).await?;
    let order: ControlStop = parse_optional_body(&bytes)?;
    town.stop(&agent_id, order.run_id.as_ref(), order.signal.unwrap_or(StopSignal::Term))?;
    Ok(json(&serde_json::json!({"stopped": true})))
}

async fn message(AgentOf(town, agent_id): AgentOf, body: Body) -> HandlerResult {
    let message: MessageAgent = parse_body(&request::bytes(body).await?)?;
    message.check()?;
    let refusal = "this agent takes no messages while it runs; start a new run with the next prompt";
    town.command(&agent_id, AgentCommand::Message(message.prompt), refusal).await?;
    Ok(json(&Sent { sent: true }))
}

async fn answer(AgentOf(town, agent_id): AgentOf, body: Body) -> HandlerResult {
    #[derive(Deserialize)]
    struct AnswerAuthor {
        by: String,
    }
    let bytes = request::bytes(body).await?;
    // Not `ControlAnswer` at once, for the reason that `start` has.
    let answer: AnswerAgent = parse_body(&bytes)?;
    let AnswerAuthor { by } = parse_body(&bytes)?;
    answer.check()?;
    town.answer(&agent_id, answer, by).await?;
    Ok(json(&Answered { answered: true }))
}

async fn status(AgentOf(town, agent_id): AgentOf) -> HandlerResult {
    Ok(json(&town.status(&agent_id).ok_or_else(|| Error::not_found("agent"))?))
}

async fn image(
    State(control): Shared,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> HandlerResult {
    let town = town(&control, &headers)?;
    let (agent_id, image_id) = path.map(|Path(ids)| ids).unwrap_or_default(); // an `Err` is text that is not UTF-8
    let wrong = |name, expected| Error::invalid(name, format!("expected {expected}"));
    let agent_id = AgentId::parse(&agent_id).ok_or_else(|| wrong("agent_id", AgentId::EXPECTED))?;
    let image_id = ImageId::parse(&image_id).ok_or_else(|| wrong("image_id", ImageId::EXPECTED))?;
    let picture = town.picture(&agent_id, &image_id).ok_or_else(|| Error::not_found("image"))?;
    Ok(([(header::CONTENT_TYPE, picture.media_type)], picture.bytes.clone()).into_response())
}

async fn agent_events(AgentOf(town, agent_id): AgentOf, RawQuery(query): RawQuery) -> HandlerResult {
    let range = range(&Query::parse(&query.unwrap_or_default()))?;
    Ok(json_text(town.read(Some(&agent_id), range).answer(town.epoch())?))
}

async fn town_events(State(control): Shared, headers: HeaderMap, RawQuery(query): RawQuery) -> HandlerResult {
    let town = town(&control, &headers)?;
    let query = Query::parse(&query.unwrap_or_default());
    let range = range(&query)?;
    let acknowledges = query.number("ack", 0, 1)? == Some(1);
    let previews = query.number("previews", 0, 1)? == Some(1);
    let wait = Duration::from_millis(query.number("wait_ms", 0, LONG_POLL_MS_MAX)?.unwrap_or(0));
    if query.text("epoch")? != Some(town.epoch().as_str()) {
        // The caller's ids are of another life. The caller has to learn of this one at once, even if nothing has
        // happened yet.
        let page = town.read(None, PageQuery { after: 0, ..range });
        return Ok(json_text(page.answer(town.epoch())?));
    }
    if acknowledges {
        town.acknowledge(range.after);
    }
    let page = town.wait(range, previews, wait).await;
    Ok(json_text(page.answer(town.epoch())?))
}

fn range(query: &Query) -> Result<PageQuery, Error> {
    let limit = query.number("limit", 1, BATCH_EVENTS_MAX as u64)?.unwrap_or(BATCH_EVENTS_MAX as u64);
    let after = query.number("after", 0, POSITION_MAX)?.unwrap_or(0);
    Ok(PageQuery { after, limit: usize::try_from(limit).unwrap_or(BATCH_EVENTS_MAX) })
}

fn town(control: &Control, headers: &HeaderMap) -> Result<Arc<Town>, Error> {
    control.town(&request::town_id(headers)?)
}

/// The agent of a path, in the town of the header.
struct AgentOf(Arc<Town>, AgentId);

impl FromRequestParts<Arc<Control>> for AgentOf {
    type Rejection = ErrorResponse;

    async fn from_request_parts(parts: &mut Parts, control: &Arc<Control>) -> Result<Self, ErrorResponse> {
        let town = town(control, &parts.headers)?;
        let name = Path::<String>::from_request_parts(parts, control).await.ok(); // an `Err` is text that is not UTF-8
        let agent_id = name.and_then(|Path(name)| AgentId::parse(&name));
        let wrong = || Error::invalid("agent_id", format!("expected {}", AgentId::EXPECTED));
        Ok(Self(town, agent_id.ok_or_else(wrong)?))
    }
}
