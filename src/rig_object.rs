//! The Rig object: a thin shim around [`townwatch_town::rig::Rig`]. Its delivery to the town is in `rig_delivery.rs`.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use ::worker::web_sys::Request as Raw;
use ::worker::{Env, Response, State};
use townwatch_protocol::agent_right::{AGENT_HEADER, AgentRight};
use townwatch_protocol::calls::{
    self, AdmittedCaller, Done, EndedRuns, HearAgent, ListRigAgents, ObjectAnswer, ObjectCall, RegisterAgent, RigCall,
};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{AgentId, SourceId};
use townwatch_protocol::limits::{
    PAGE_EVENTS_DEFAULT, PAGE_EVENTS_MAX, TOKEN_TTL_SECONDS_DEFAULT, TOKEN_TTL_SECONDS_MAX,
};
use townwatch_protocol::query::{Address, Query};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{AgentRequest, PostEvents, RigEventsPage, TokenRequest, TokenView};
use townwatch_town::access::auth;
use townwatch_town::metrics::{self, Counts};
use townwatch_town::rig::Rig as Core;
use townwatch_town::rig::carrier::Carrier;
use townwatch_town::route::Route;
use townwatch_town::store::Store;
use townwatch_town::town::check_name;

use crate::http::{self, success};
use crate::log::log;
use crate::sql_store::SqlStore;
use crate::{config, objects, platform};

/// One rig's object.
pub(super) struct RigObject {
    /// A pointer to the object itself, for a delivery that outlives the post that began it.
    pub(super) me: Weak<Self>,
    pub(super) state: State,
    pub(super) env: Env,
    store: Rc<SqlStore>,
    /// The rig, read at the first request; `None` where no rig was made.
    core: RefCell<Option<Rc<Core>>>,
    /// The state of the outbox's delivery to the town.
    pub(super) carrier: RefCell<Carrier>,
    /// The number of deletions and archivings of agents in this instance's time. A registration that runs meanwhile
    /// sees the change.
    withdrawn: Cell<u64>,
    /// The counts of this instance.
    counts: Cell<Counts>,
}

impl RigObject {
    /// A new instance, which knows only its tables.
    pub(super) fn new(state: State, env: Env) -> Rc<Self> {
        let store = Rc::new(SqlStore::new(&state));
        Rc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            state,
            env,
            store,
            core: RefCell::default(),
            carrier: RefCell::default(),
            withdrawn: Cell::new(0),
            counts: Cell::new(Counts::new(platform::now())),
        })
    }

    pub(super) fn open(&self) -> Result<Rc<Core>> {
        if let Some(known) = &*self.core.borrow() {
            return Ok(Rc::clone(known));
        }
        let config = config::read(&self.env)?;
        self.store.set_max_mib(config.settings.rig_store_mib);
        let found = Core::open(Rc::clone(&self.store) as Rc<dyn Store>, config.settings.event_cap)?;
        let found = found.map(|rig| Rc::new(rig.redacting(config.redactor.clone())));
        self.core.borrow_mut().clone_from(&found);
        found.ok_or_else(|| Error::not_found("rig"))
    }

    pub(super) async fn answer(&self, request: &Raw) -> Result<Response> {
        let url = request.url();
        let address = Address::split(&url);
        if calls::is_call(address.path) {
            let call = RigCall::read(address.path, &http::read_own_body(request).await?)?;
            return Ok(http::success_text(200, self.internal(call).await?.text()));
        }
        match Route::parse(&request.method(), address.path)? {
            Route::CreateAgent(_) => self.create_agent(request).await,
            Route::ListRigAgents(rig_id) => {
                let rig = self.open()?;
                Ok(success(200, &objects::call(&self.env, &rig.town_id, &ListRigAgents { rig_id }).await?))
            }
            Route::MintToken(_, agent_id) => self.mint_token(request, agent_id).await,
            Route::ListTokens(_, agent_id) => Ok(success(200, &self.open()?.tokens(&agent_id, platform::now())?)),
            Route::RevokeTokens(_, agent_id) => {
                self.open()?.revoke_tokens(&agent_id, platform::now())?;
                log("tokens_revoked", &[("agent_id", agent_id.as_str())]);
                Ok(http::nothing(&[]))
            }
            Route::RevokeToken(_, agent_id, token_id) => {
                self.open()?.revoke_token(&agent_id, &token_id, platform::now())?;
                log("token_revoked", &[("agent_id", agent_id.as_str()), ("token_id", token_id.as_str())]);
                Ok(http::nothing(&[]))
            }
            Route::HearAgent(_, agent_id) => self.heartbeat(request, &agent_id).await,
            Route::PostEvents(_) => self.post(request).await,
            Route::ReadRigEvents(_, agent_id) => {
                let query = Query::parse(address.query);
                let after = query.position("after_id")?.and_then(|id| SourceId::new(id.get())).unwrap_or_default();
                let limit = query.number("limit", 1, PAGE_EVENTS_MAX)?.unwrap_or(PAGE_EVENTS_DEFAULT);
                let rig = self.open()?;
                admit(request, &rig, &agent_id)?;
                let events = rig.events(&agent_id, after, limit)?;
                let next_after_id = events.last().map_or(after, |event| event.id);
                Ok(success(200, &RigEventsPage { events, next_after_id }))
            }
            Route::RigMetrics(_) => self.metrics().await,
            route => Err(Error::internal(format!("{route:?} is not for a rig"))),
        }
    }

    /// Registers an agent, first at the town and then here, so that the town knows it before its first event.
    async fn create_agent(&self, request: &Raw) -> Result<Response> {
        let agent: AgentRequest = http::read_json(request).await?;
        check_name("name", &agent.name)?;
        let rig = self.open()?;
        let register = RegisterAgent { rig_id: rig.rig_id.clone(), agent };
        let withdrawn = self.withdrawn.get();
        let state = objects::call(&self.env, &rig.town_id, &register).await?;
        if self.withdrawn.get() != withdrawn {
            // Perhaps this one, after the town had taken it in: then it would be known here alone, and its posts lost.
            let message = "an agent of this rig was deleted or archived at this moment; register this one again";
            return Err(Error::new(Code::Conflict, message));
        }
        rig.register(&state.agent_id, &register.agent.name, register.agent.role, platform::now())?;
        Ok(success(201, &state))
    }

    /// Makes a token. Its row is written before the token is returned.
    async fn mint_token(&self, request: &Raw, agent_id: AgentId) -> Result<Response> {
        let given: TokenRequest = http::read_optional_json(request).await?;
        let ttl_seconds = given.ttl_seconds.unwrap_or(TOKEN_TTL_SECONDS_DEFAULT);
        if !(1..=TOKEN_TTL_SECONDS_MAX).contains(&ttl_seconds) {
            let problem = format!("expected an integer from 1 to {TOKEN_TTL_SECONDS_MAX}");
            return Err(Error::invalid("ttl_seconds", problem));
        }
        let (rig, now, token_id) = (self.open()?, platform::now(), platform::token_id());
        let expires_at = auth::token_end(now, ttl_seconds);
        rig.add_token(&agent_id, &token_id, expires_at, now)?;
        let (town_id, rig_id) = (rig.town_id.clone(), rig.rig_id.clone());
        let config = config::read(&self.env)?;
        let token = auth::mint_agent_token(town_id, rig_id, agent_id, token_id.clone(), expires_at, &config.secrets)?;
        Ok(success(201, &TokenView { token_id, token, expires_at }))
    }

    /// Passes a sign of life to the town. Every one is passed, because the town stores the time of it.
    async fn heartbeat(&self, request: &Raw, agent_id: &AgentId) -> Result<Response> {
        let rig = self.open()?;
        admit(request, &rig, agent_id)?;
        rig.check_present(agent_id)?;
        rig.check_not_stopped(agent_id)?;
        let hear = HearAgent { rig_id: rig.rig_id.clone(), agent_id: agent_id.clone() };
        Ok(success(200, &objects::call(&self.env, &rig.town_id, &hear).await?))
    }

    /// Refuses further events of an agent's runs, and delivers those that were taken before.
    async fn stop(&self, ends: &EndedRuns) -> Result<()> {
        let rig = self.open()?;
        rig.stop(ends, platform::now())?;
        if rig.waiting()?.events > 0 {
            self.forward().await?;
        }
        Ok(())
    }

    /// Forgets an agent, after its events were delivered to the town.
    async fn forget(&self, agent_id: &AgentId) -> Result<()> {
        let rig = self.open()?;
        rig.unregister(agent_id)?;
        if rig.waiting()?.events > 0 {
            self.forward().await?;
        }
        self.withdrawn.set(self.withdrawn.get() + 1);
        rig.forget(agent_id)
    }

    /// Refuses further events of agents, and delivers those that were taken before.
    async fn archive(&self, agents: &[AgentId]) -> Result<()> {
        let rig = self.open()?;
        rig.archive(agents)?;
        self.withdrawn.set(self.withdrawn.get() + 1);
        if rig.waiting()?.events > 0 {
            self.forward().await?;
        }
        Ok(())
    }

    async fn post(&self, request: &Raw) -> Result<Response> {
        let posted: PostEvents = http::read_json(request).await?;
        let rig = self.open()?;
        admit(request, &rig, &posted.agent_id)?;
        let receipt = rig.post(posted, platform::now())?;
        self.count(|counts| counts.events_stored += receipt.appended);
        if receipt.appended > 0 {
            self.carry_posted().await;
        }
        Ok(success(201, &receipt))
    }

    async fn internal(&self, call: RigCall) -> Result<ObjectAnswer> {
        match call {
            RigCall::Create(call) => {
                Core::create(self.store.as_ref(), &call.rig_id, &call.town_id, &call.epoch)?;
                call.answer(&Done {})
            }
            RigCall::Erase(call) => {
                let storage = self.state.storage();
                storage.delete_alarm().await.map_err(Error::internal)?;
                storage.delete_all().await.map_err(Error::internal)?;
                self.core.take();
                call.answer(&Done {})
            }
            RigCall::Stop(call) => {
                self.stop(&call.0).await?;
                call.answer(&Done {})
            }
            RigCall::Ended(call) => {
                self.open()?.note_ends(&call.0, platform::now())?;
                call.answer(&Done {})
            }
            RigCall::Forget(call) => {
                self.forget(&call.agent_id).await?;
                call.answer(&Done {})
            }
            RigCall::Archive(call) => {
                self.archive(&call.agent_ids).await?;
                call.answer(&Done {})
            }
            RigCall::BringBack(call) => {
                let rig = self.open()?;
                call.agent_ids.iter().try_for_each(|agent_id| rig.bring_back(agent_id))?;
                call.answer(&Done {})
            }
            RigCall::AllowAgain(call) => {
                self.open()?.allow_again(&call.agent_id)?;
                call.answer(&Done {})
            }
            RigCall::Admit(call) => {
                let rig = self.open()?;
                admit_right(call.right.as_ref(), &rig, &call.agent_id)?;
                rig.check_agent(&call.agent_id)?;
                call.answer(&AdmittedCaller { town_id: rig.town_id.clone() })
            }
        }
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.get();
        change(&mut counts);
        self.counts.set(counts);
    }

    async fn metrics(&self) -> Result<Response> {
        let rig = self.open()?;
        let alarm_at = self.state.storage().get_alarm().await.map_err(Error::internal)?.map(Timestamp::from_millis);
        let (counts, rows) = (self.counts.get(), self.store.rows());
        self.store.uncounted(|| metrics::of_rig(&rig, &counts, rows, alarm_at)).map(http::metrics)
    }
}

/// Admits the operator, and this agent by a token that is still valid.
fn admit(request: &Raw, rig: &Core, agent_id: &AgentId) -> Result<()> {
    let header = request.headers().get(AGENT_HEADER).ok().flatten();
    admit_right(header.as_deref().map(AgentRight::read).transpose()?.as_ref(), rig, agent_id)
}

fn admit_right(right: Option<&AgentRight>, rig: &Core, agent_id: &AgentId) -> Result<()> {
    right.map_or(Ok(()), |right| rig.admit(right, agent_id, platform::now()))
}
