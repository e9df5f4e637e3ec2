//! The Town object: a thin shim around [`crate::core::town::Town`]. Key: the town's id. It decodes what comes in, asks
//! the core in one synchronous step, and performs what the core says; between two awaits nothing is half done.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use ::worker::{DurableObject, Env, Request, Response, ScheduledTime, State, WebSocket, WebSocketIncomingMessage};
use js_sys::JsString;
use worker_macros::durable_object;

use crate::core::ingest::Outcome;
use crate::core::runs::{self, Source};
use crate::core::store::Store;
use crate::core::town::{Config, Town as Core};
use crate::core::viewers::{Effect, ViewerId};
use crate::edge::arrivals::Arrivals;
use crate::edge::http::respond;
use crate::edge::log::log;
use crate::edge::socket::{self, Socket};
use crate::edge::sql_store::SqlStore;
use crate::edge::upstream::Upstream;
use crate::edge::{config, fresh, relay_turn, town_routes};
use crate::error::{Code, Error, Result};
use crate::id::TownId;
use crate::time::Timestamp;

/// One town.
#[durable_object]
pub struct Town {
    pub(super) state: State,
    pub(super) env: Env,
    pub(super) store: Rc<SqlStore>,
    /// The town, once something asked for it; none where none has been made.
    core: RefCell<Option<Core>>,
    sockets: RefCell<HashMap<ViewerId, Socket>>,
    pub(super) arrivals: Arrivals,
    /// Whether this instance has not looked yet if the relay is wanted: what it was doing may have died with the last one.
    is_new: Cell<bool>,
    /// When the alarm is set for, as far as this instance knows.
    alarm_at: Cell<Option<Timestamp>>,
}

impl DurableObject for Town {
    fn new(state: State, env: Env) -> Self {
        let store = Rc::new(SqlStore::new(&state));
        if let Err(error) = socket::answer_pings(&state) {
            log("stream_error", &[("message", &error.message)]);
        }
        Self {
            state,
            env,
            store,
            core: RefCell::default(),
            sockets: RefCell::default(),
            arrivals: Arrivals::default(),
            is_new: Cell::new(true),
            alarm_at: Cell::new(None),
        }
    }

    async fn fetch(&self, request: Request) -> ::worker::Result<Response> {
        let outcome = town_routes::answer(self, request.inner()).await;
        self.wake().await;
        Ok(respond(request.inner(), outcome).await)
    }

    async fn websocket_message(&self, socket: WebSocket, message: WebSocketIncomingMessage) -> ::worker::Result<()> {
        let heard = self.with(|town| {
            let Some(id) = self.viewer_of(&Socket::from(socket)) else { return Ok(Vec::new()) };
            match &message {
                WebSocketIncomingMessage::String(text) => town.hear(id, text, fresh::now()),
                WebSocketIncomingMessage::Binary(_) => {
                    town.leave(id);
                    Ok(vec![Effect::Close(id, 1003, "text only")])
                }
            }
        });
        self.show(heard);
        drop(self.wake_when_due().await);
        Ok(())
    }

    async fn websocket_close(
        &self,
        socket: WebSocket,
        code: usize,
        _reason: String,
        clean: bool,
    ) -> ::worker::Result<()> {
        let socket = Socket::from(socket);
        self.forget(&socket);
        log("disconnect", &[("code", &code.to_string()), ("clean", &clean.to_string())]);
        // 1005 and 1006 only say that the peer named no code; they may not be sent.
        socket.close(u16::try_from(code).ok().filter(|code| !matches!(code, 1005 | 1006)).unwrap_or(1000), "");
        Ok(())
    }

    async fn websocket_error(&self, socket: WebSocket, error: ::worker::Error) -> ::worker::Result<()> {
        self.forget(&Socket::from(socket));
        log("disconnect", &[("error", &error.to_string())]);
        Ok(())
    }

    async fn alarm(&self) -> ::worker::Result<Response> {
        self.alarm_at.set(None);
        self.wake().await;
        // A town that was deleted meanwhile is not to be woken again.
        if let Err(error) = relay_turn::take(self).await
            && error.code != Code::NotFound
        {
            log("relay_error", &[("message", &error.message)]);
            self.pull_alarm(fresh::now().plus_millis(relay_turn::RETRY_MS)).await;
        }
        Response::empty()
    }
}

impl Town {
    /// Once for each instance: what the last one was doing may have died with it, and its container would follow it.
    async fn wake(&self) {
        if !self.is_new.replace(false) || self.with(|_| Ok(())).is_err() {
            return;
        }
        if let Ok(Some(upstream)) = self.upstream()
            && let Err(error) = upstream.keep().await
        {
            log("container_error", &[("message", &error.message)]);
        }
        drop(self.pull_relay().await);
    }

    /// What the installation has set.
    pub(super) fn config(&self) -> Result<Rc<config::Config>> {
        config::read(&self.env, self.state.container().is_some())
    }

    /// The way to the control server; none where there is neither an address nor a binding.
    pub(super) fn upstream(&self) -> Result<Option<Upstream>> {
        Ok(Upstream::of(&self.state, self.config()?.as_ref()))
    }

    /// Asks the town in one synchronous step; 404 where there is none.
    pub(super) fn with<T>(&self, ask: impl FnOnce(&mut Core) -> Result<T>) -> Result<T> {
        let mut core = self.core.borrow_mut();
        if core.is_none() {
            *core = self.open()?;
        }
        ask(core.as_mut().ok_or_else(|| Error::not_found("town"))?)
    }

    /// The town as it lies in the tables, with the streams that outlived a hibernation.
    fn open(&self) -> Result<Option<Core>> {
        let settings = &self.config()?.settings;
        let config = Config {
            event_cap: settings.event_cap,
            drain_interval_ms: i64::try_from(settings.drain_interval_seconds * 1_000).map_err(Error::internal)?,
            ticket_ttl_ms: i64::try_from(settings.ticket_ttl_seconds * 1_000).map_err(Error::internal)?,
            window_events: settings.stream_window_events,
        };
        let Some(mut core) = Core::open(Rc::clone(&self.store) as Rc<dyn Store>, config)? else { return Ok(None) };
        let mut sockets = self.sockets.borrow_mut();
        for socket in socket::all(&self.state)? {
            let known = match socket.note()? {
                Some(note) => core.recall(&note)?,
                None => None,
            };
            match known {
                Some(id) => drop(sockets.insert(id, socket)),
                None => socket.close(1011, "this stream is not known any more; connect again"),
            }
        }
        Ok(Some(core))
    }

    /// The viewer whose name stands in the socket's tag.
    fn viewer_of(&self, socket: &Socket) -> Option<ViewerId> {
        socket.tags(&self.state).ok()?.first()?.parse().ok().map(ViewerId)
    }

    /// Takes a socket in under its viewer's name.
    pub(super) fn keep_socket(&self, id: ViewerId, socket: Socket) {
        self.sockets.borrow_mut().insert(id, socket);
    }

    fn forget(&self, socket: &Socket) {
        let Some(id) = self.viewer_of(socket) else { return };
        self.sockets.borrow_mut().remove(&id);
        if let Some(town) = self.core.borrow_mut().as_mut() {
            town.leave(id);
        }
    }

    /// Shows viewers what a transaction changed, in the same synchronous step as the transaction.
    pub(super) fn publish(&self, outcome: &Outcome) {
        for run_id in &outcome.begun {
            log("run_started", &[("run_id", run_id.as_str())]);
        }
        for (run_id, reason) in &outcome.ended {
            log("run_ended", &[("run_id", run_id.as_str()), ("reason", reason.as_str())]);
        }
        self.show(self.with(|town| town.publish(outcome, fresh::now())));
        if outcome.stored > 0 {
            self.arrivals.announce();
        }
    }

    /// Whether someone watches: a stream, or a request that waits.
    pub(super) fn is_watched(&self) -> Result<bool> {
        Ok(self.arrivals.len() > 0 || self.with(|town| Ok(town.is_watched()))?)
    }

    /// Performs what the core says, or lets viewers go if it could not say it.
    pub(super) fn show(&self, said: Result<Vec<Effect>>) {
        match said {
            Ok(effects) => self.perform(effects),
            Err(error) => self.let_go(&error),
        }
    }

    /// What is stored could not be shown. Viewers that stayed would miss it without a word, so they are to come again.
    fn let_go(&self, error: &Error) {
        log("stream_error", &[("message", &error.message)]);
        for (_, socket) in self.sockets.borrow_mut().drain() {
            socket.close(1011, "something went wrong on our side; connect again and go on from there");
        }
        self.core.borrow_mut().take();
    }

    /// Does what the core says, in its order. A socket that fails is closed by the runtime, which then tells us.
    pub(super) fn perform(&self, effects: Vec<Effect>) {
        let mut texts: HashMap<*const u8, (Rc<str>, JsString)> = HashMap::new();
        for effect in effects {
            match effect {
                Effect::Send(id, text) => {
                    let sockets = self.sockets.borrow();
                    let Some(socket) = sockets.get(&id) else { continue };
                    let (_, text) = texts.entry(text.as_ptr()).or_insert_with(|| {
                        let converted = socket::text(&text);
                        (text, converted)
                    });
                    // One that is closing says so; the runtime tells us of it next.
                    drop(socket.send(text));
                }
                Effect::Remember(id, note) => {
                    if let Some(Err(error)) = self.sockets.borrow().get(&id).map(|socket| socket.set_note(&note)) {
                        log("stream_error", &[("message", &error.message)]);
                    }
                }
                Effect::Close(id, code, reason) => {
                    if let Some(socket) = self.sockets.borrow_mut().remove(&id) {
                        socket.close(code, reason);
                    }
                }
            }
        }
    }

    /// Sets the alarm, unless it is set for an earlier time already.
    pub(super) async fn pull_alarm(&self, at: Timestamp) {
        if self.alarm_at.get().is_none()
            && let Ok(Some(stored)) = self.state.storage().get_alarm().await
        {
            self.alarm_at.set(Some(Timestamp::from_millis(stored)));
        }
        if self.alarm_at.get().is_none_or(|set| at < set) {
            self.set_alarm(at).await;
        }
    }

    /// Someone watches: if a run is open the relay is wanted now.
    pub(super) async fn pull_relay(&self) -> Result<()> {
        if runs::any_open_of(self.store.as_ref(), &Source::Container)? {
            self.pull_alarm(fresh::now()).await;
        }
        Ok(())
    }

    /// Lets the alarm do what becomes due by the passing of time.
    pub(super) async fn wake_when_due(&self) -> Result<()> {
        if let Some(at) = self.with(|town| Ok(town.due_at(fresh::now())))? {
            self.pull_alarm(at).await;
        }
        Ok(())
    }

    /// Sets the alarm, whatever it was set for.
    pub(super) async fn set_alarm(&self, at: Timestamp) {
        self.alarm_at.set(Some(at));
        #[allow(clippy::cast_precision_loss)] // milliseconds since 1970 are far below 2^53
        let date = js_sys::Date::new(&(at.millis() as f64).into());
        if let Err(error) = self.state.storage().set_alarm(ScheduledTime::new(date)).await {
            log("alarm_error", &[("message", &error.to_string())]);
        }
    }

    /// Leaves no alarm behind, so that nothing wakes the town.
    pub(super) async fn clear_alarm(&self) {
        self.alarm_at.set(None);
        if let Err(error) = self.state.storage().delete_alarm().await {
            log("alarm_error", &[("message", &error.to_string())]);
        }
    }

    /// The town's name on the wire.
    pub(super) fn town_id(&self) -> Result<TownId> {
        self.with(|town| Ok(town.town_id.clone()))
    }

    /// Lets the town forget everything: its tables, its alarm, its streams.
    pub(super) async fn erase(&self) -> Result<()> {
        for (_, socket) in self.sockets.borrow_mut().drain() {
            socket.close(4401, "the town was deleted");
        }
        self.core.borrow_mut().take();
        self.alarm_at.set(None);
        let storage = self.state.storage();
        storage.delete_alarm().await.map_err(Error::internal)?;
        storage.delete_all().await.map_err(Error::internal)
    }
}
