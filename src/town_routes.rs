//! The routes of a Town: requests that the Worker forwards, and calls of our other objects.

use ::worker::Response;
use ::worker::web_sys::Request as Raw;
use townwatch_protocol::calls::{self, CreateRig, Done, EraseRig, ObjectAnswer, ObjectCall, RegisterAgent, TownCall};
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::{AgentId, EventName, RunId};
use townwatch_protocol::limits::{
    AGENTS_PER_TOWN_MAX, ARCHIVED_AGENTS_PAGE_DEFAULT, LONG_POLL_MS_MAX, PAGE_EVENTS_MAX,
};
use townwatch_protocol::query::{Address, Query};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{BudgetChange, Heard, RigRequest, RigView};
use townwatch_town::access::grantor::Grantor;
use townwatch_town::agents::archive::AgentRegistration;
use townwatch_town::agents::budgets::setting::{ChangeAgentBudget, ChangeTownBudget};
use townwatch_town::agents::posted_silence::Heartbeat;
use townwatch_town::agents::runs;
use townwatch_town::git_url;
use townwatch_town::log::{PageFilter, Selection};
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::pages::PageRequest;
use townwatch_town::reading::stream_query::accepts;
use townwatch_town::reading::streams::SessionsEnd;
use townwatch_town::route::Route;
use townwatch_town::town::{Town as Core, check_name};

use crate::http::{self, success};
use crate::town_object::TownObject;
use crate::{
    archive, container_routes, deletion, images, mayor_routes, objects, platform, pulled, rig_deletion, town_streams,
};

/// Answers a request.
pub(super) async fn answer(town: &TownObject, request: &Raw) -> Result<Response> {
    let url = request.url();
    let address = Address::split(&url);
    let query = Query::parse(address.query);
    if calls::is_call(address.path) {
        let call = TownCall::read(address.path, &http::read_own_body(request).await?)?;
        return Ok(http::success_text(200, internal(town, call).await?.text()));
    }
    let route = Route::parse(&request.method(), address.path)?;
    let looks = matches!(
        route,
        Route::ReadTown(_)
            | Route::ReadTownEvents(_)
            | Route::ReadAgentEvents(..)
            | Route::ListAgents(_)
            | Route::ReadAgent(..)
            | Route::ListRuns(..)
    );
    let response = serve(town, request, address, &query, route).await?;
    if looks {
        // Who reads page by page does not watch, but its next page is to be fresh.
        town.pull_relay().await?;
    }
    Ok(response)
}

async fn serve(
    town: &TownObject,
    request: &Raw,
    address: Address<'_>,
    query: &Query,
    route: Route,
) -> Result<Response> {
    match route {
        Route::ReadTown(_) => {
            town.with(|_| Ok(()))?;
            let container = container_routes::view(town).await?;
            town.with(|core| Ok(success(200, &core.view(container)?)))
        }
        Route::CreateRig(_) => create_rig(town, request).await,
        Route::ListRigs(_) => town.with(|core| Ok(success(200, &core.rigs()?))),
        Route::DeleteRig(_, rig_id) => rig_deletion::rig(town, &rig_id).await,
        Route::ArchiveRig(_, rig_id) => archive::rig(town, &rig_id).await,
        Route::BringRigBack(_, rig_id) => town.with(|core| {
            core.bring_rig_back(&rig_id)?;
            Ok(success(200, &core.rig(&rig_id)?))
        }),
        Route::ReadTownEvents(_) => events(town, Selection::town(), query, request, address).await,
        Route::ReadAgentEvents(_, agent_id) => events(town, Selection::agent(agent_id), query, request, address).await,
        Route::ReadEvent(_, id) => town.with(|core| Ok(http::success_text(200, core.event(id)?.get()))),
        Route::ListAgents(_) => list_agents(town, query),
        Route::ReadAgent(_, agent_id) => town.with(|core| Ok(success(200, &core.require_agent(&agent_id)?))),
        Route::ChangeAgent(_, agent_id) => change_agent(town, &agent_id, request).await,
        Route::DeleteAgent(_, agent_id) => deletion::agent(town, &agent_id).await,
        Route::ArchiveAgent(_, agent_id) => archive::agent(town, &agent_id).await,
        Route::BringAgentBack(_, agent_id) => archive::agent_back(town, &agent_id).await,
        Route::ListRuns(_, agent_id) => town.with(|core| {
            let state = core.require_agent(&agent_id)?;
            Ok(success(200, &runs::list(town.store.as_ref(), &state)?))
        }),
        Route::ReadImage(_, agent_id, image_id) => images::read(town, &agent_id, &image_id),
        Route::PutImage(rig_id, agent_id, image_id) => images::put(town, &rig_id, &agent_id, image_id, request).await,
        Route::TownMetrics(_) => Ok(http::metrics(town.metrics().await?)),
        Route::TownTicket(_) => ticket(town, request, address, None),
        Route::AgentTicket(_, agent_id) => ticket(town, request, address, Some(&agent_id)),
        Route::TownStream(_) => town_streams::open(town, request, address, query, None).await,
        Route::AgentStream(_, agent_id) => town_streams::open(town, request, address, query, Some(agent_id)).await,
        Route::ContainerHealth(_) => container_routes::health(town).await,
        Route::StartAgent(_) => container_routes::start(town, request).await,
        Route::StopAgent(_, agent_id) => container_routes::stop(town, &agent_id, request).await,
        Route::AnswerAgent(_, agent_id) => container_routes::answer(town, &agent_id, request).await,
        Route::MessageAgent(_, agent_id) => container_routes::message(town, &agent_id, request).await,
        Route::AgentStatus(_, agent_id) => container_routes::status(town, &agent_id).await,
        Route::MayorStatus(_) => mayor_routes::status(town),
        Route::MessageMayor(_) => mayor_routes::message(town, request).await,
        Route::DestroyMayor(_) => mayor_routes::destroy(town).await,
        route => Err(Error::internal(format!("{route:?} is not for a town"))),
    }
}

/// The listed agents, or a page of archived ones.
fn list_agents(town: &TownObject, query: &Query) -> Result<Response> {
    let is_archived = query.word("archived", &["true", "false"])? == Some("true");
    let after = query.id("after_agent_id", AgentId::parse, AgentId::EXPECTED)?;
    let limit = query.number("limit", 1, AGENTS_PER_TOWN_MAX)?.unwrap_or(ARCHIVED_AGENTS_PAGE_DEFAULT);
    town.with(|core| {
        let agents = if is_archived { core.archived_agents(after.as_ref(), limit)? } else { core.agents()? };
        Ok(success(200, &agents))
    })
}

/// Makes a ticket. Its stream ends with the right of the one who asks for the ticket.
fn ticket(town: &TownObject, request: &Raw, address: Address<'_>, agent_id: Option<&AgentId>) -> Result<Response> {
    let now = platform::now();
    let grantor = town_streams::operator(request, address, &town.config()?.secrets, now)?;
    town.with(|core| Ok(success(200, &core.mint_ticket(&platform::ticket(), agent_id, &grantor, now)?)))
}

/// The events of the log: one page, or by the `Accept` header a whole range as lines.
async fn events(
    town: &TownObject,
    selection: Selection,
    query: &Query,
    request: &Raw,
    address: Address<'_>,
) -> Result<Response> {
    let asked = page_request(query)?;
    let grantor = || town_streams::operator(request, address, &town.config()?.secrets, platform::now());
    let wait_ms = query.number("wait_ms", 0, LONG_POLL_MS_MAX)?.unwrap_or(0);
    let accept = request.headers().get("accept").ok().flatten();
    if accepts(accept.as_deref(), "application/x-ndjson") {
        if wait_ms > 0 {
            let problem = "is for pages: lines end at the present head. To follow the log open its stream, with \
                           `Accept: text/event-stream`, or ask for pages";
            return Err(Error::invalid("wait_ms", problem));
        }
        let grantor = grantor()?;
        return pulled::lines(town.shared()?, town.with(|core| core.open_range(selection, asked, grantor))?);
    }
    let waits_until = platform::now().plus_millis(i64::try_from(wait_ms).unwrap_or(0));
    let ends_at = if wait_ms > 0 { grantor()?.ends_at } else { None };
    page(town, &selection, &asked, ends_at.into_iter().chain([waits_until]).min().unwrap_or(waits_until)).await
}

fn page_request(query: &Query) -> Result<PageRequest> {
    let events = query.all("event").map(|name| {
        EventName::parse(name).ok_or_else(|| Error::invalid("event", format!("expected {}", EventName::EXPECTED)))
    });
    Ok(PageRequest {
        asked: BeginRequest::of_page(query)?,
        limit: query.number("limit", 1, PAGE_EVENTS_MAX)?,
        wanted: PageFilter {
            run_id: query.id("run_id", RunId::parse, RunId::EXPECTED)?,
            events: events.collect::<Result<Vec<_>>>()?,
        },
    })
}

/// One page of the log; an empty one waits for the next event.
async fn page(town: &TownObject, selection: &Selection, request: &PageRequest, until: Timestamp) -> Result<Response> {
    loop {
        let left_ms = until.millis_since(platform::now());
        // Before the look at the log: what is stored after it ends the wait.
        let wait = (left_ms > 0).then(|| town.event_waiters.next(left_ms));
        let page = town.with(|core| core.page(selection, request))?;
        let has_news = page.reset || !page.events.is_empty() || !page.gaps.is_empty();
        let Some(wait) = wait.filter(|_| !has_news) else { return Ok(http::success_text(200, &page.to_json()?)) };
        town.with(|core| core.check_room(town.event_waiters.present()))?;
        let _presence = town.event_waiters.enter();
        town.pull_relay().await?;
        wait.await;
    }
}

async fn change_agent(town: &TownObject, agent_id: &AgentId, request: &Raw) -> Result<Response> {
    let change: BudgetChange = http::read_json(request).await?;
    if change.is_empty() {
        return Err(Error::invalid("max_tokens", "missing; give a budget: max_cost_usd, max_tokens, or both"));
    }
    town.handle(ChangeAgentBudget { agent_id, change: &change })?;
    town.with(|core| Ok(success(200, &core.require_agent(agent_id)?)))
}

async fn create_rig(town: &TownObject, request: &Raw) -> Result<Response> {
    let rig_request: RigRequest = http::read_json(request).await?;
    check_name("name", &rig_request.name)?;
    for (field, text) in [("git_url", &rig_request.git_url), ("default_branch", &rig_request.default_branch)] {
        if let Some(text) = text {
            check_name(field, text)?;
        }
    }
    git_url::check("git_url", rig_request.git_url.as_deref().unwrap_or_default())?;
    Ok(success(201, &add_rig(town, &rig_request).await?))
}

/// Adds a rig. The rig's own object is made first: if this instance dies in between, no town knows that object.
pub(super) async fn add_rig(town: &TownObject, rig_request: &RigRequest) -> Result<RigView> {
    town.with(|core| core.check_room_for_rig())?;
    let rig_id = platform::rig_id();
    let create = CreateRig { rig_id, town_id: town.town_id()?, epoch: platform::epoch() };
    objects::call(&town.env, &create.rig_id, &create).await?;
    town.with(|core| core.add_rig(create.rig_id, rig_request, platform::now()))
}

async fn internal(town: &TownObject, call: TownCall) -> Result<ObjectAnswer> {
    match call {
        TownCall::Create(call) => {
            Core::create(town.store.as_ref(), &call.town_id, &call.name, &platform::epoch(), platform::now())?;
            call.answer(&Done {})
        }
        TownCall::Change(change) => {
            if !change.budget().is_empty() {
                town.handle(ChangeTownBudget { change: &change.budget() })?;
            }
            if let Some(name) = &change.name {
                town.with(|core| core.rename(name))?;
            }
            change.answer(&Done {})
        }
        TownCall::Erase(call) => {
            // Before anything is taken away: a town of which agents go on working is not deleted.
            let rigs = town.with(|core| core.rigs())?;
            container_routes::stop_all(town).await?;
            for rig in rigs {
                objects::call(&town.env, &rig.rig_id, &EraseRig {}).await?;
            }
            town.erase().await?;
            call.answer(&Done {})
        }
        TownCall::EndSessions(call) => {
            let config = town.config()?;
            let names: Vec<_> = call.session_ids.iter().flat_map(|id| Grantor::names_of(id, &config.secrets)).collect();
            town.handle(SessionsEnd { names: &names })?;
            call.answer(&Done {})
        }
        TownCall::Register(call) => {
            let RegisterAgent { rig_id, agent } = &call;
            let agent_id = agent.agent_id.clone().unwrap_or_else(platform::agent_id);
            let (agent_id, name, role) = (&agent_id, agent.name.as_str(), agent.role);
            let state = town.handle(AgentRegistration { rig_id, agent_id, name, role })?;
            call.answer(&state)
        }
        TownCall::RigAgents(call) => {
            let mut agents = town.with(|core| core.agents())?;
            agents.retain(|agent| agent.rig_id == call.rig_id);
            call.answer(&agents)
        }
        TownCall::Heartbeat(call) => {
            town.handle(Heartbeat { rig_id: &call.rig_id, agent_id: &call.agent_id })?;
            town.wake_when_due().await?;
            call.answer(&Heard { heard: true })
        }
        TownCall::RigEvents(batch) => {
            let cursor = town.handle(&batch)?;
            town.wake_when_due().await?;
            batch.answer(&cursor)
        }
    }
}
