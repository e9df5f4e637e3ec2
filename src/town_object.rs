//! The state of one Town object in memory: the core, and the open sockets. It asks the core in one synchronous step and
//! performs the effects; between two awaits nothing is half done.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use ::worker::{Env, State, WebSocketIncomingMessage};
use townwatch_protocol::control_key::SigningKey;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::TownId;
use townwatch_protocol::limits::BUCKET_EVENTS_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_town::access::grantor::Grantor;
use townwatch_town::input::TownInput;
use townwatch_town::metrics::{self, Counts};
use townwatch_town::reading::ending::Ending;
use townwatch_town::reading::streams::{MessageContent, ViewerMessage};
use townwatch_town::relay::control_key;
use townwatch_town::relay::turn::RelayDemand;
use townwatch_town::store::Store;
use townwatch_town::town::{Town as Core, TownConfig};
use townwatch_town::viewers::frames::Pace;
use townwatch_town::viewers::keepalive::{self};
use townwatch_town::viewers::silence::is_silent;
use townwatch_town::viewers::{RecallResult, ViewerId};

use crate::event_waiters::EventWaiters;
use crate::images::{self, ImageFetchState};
use crate::log::log;
use crate::socket::{self, Socket};
use crate::sql_store::SqlStore;
use crate::stop_orders::{self, StopOrderState};
use crate::upstream::Upstream;
use crate::{config, platform};

/// The shortest time between two checks for silent sockets, one minute.
const SILENCE_LOOK_MS: u64 = 60_000;

/// One town's object.
pub(super) struct TownObject {
    /// A pointer to the object itself, for work that outlives the call that began it: a timer, an event stream.
    me: Weak<Self>,
    pub(super) state: State,
    pub(super) env: Env,
    pub(super) store: Rc<SqlStore>,
    /// The town, read at the first request; `None` where no town was made.
    pub(super) core: RefCell<Option<Core>>,
    pub(super) sockets: RefCell<HashMap<ViewerId, OpenSocket>>,
    /// The town's own key for calls to its container, read at the first use. The tables have it, and it never changes.
    own_key: RefCell<Option<Rc<SigningKey>>>,
    pub(super) event_waiters: EventWaiters,
    pub(super) image_fetch_state: ImageFetchState,
    pub(super) stop_order_state: StopOrderState,
    /// Whether this instance still has to check if the relay is wanted. The last instance may have died in the middle
    /// of a turn.
    is_new: Cell<bool>,
    /// The time of the alarm, as far as this instance knows.
    pub(super) alarm_at: Cell<Option<Timestamp>>,
    /// The time at which the next timer fires.
    pub(super) timer_at: Cell<Option<Timestamp>>,
    /// The earliest time of the next tick, after a tick that failed.
    pub(super) tick_not_before: Cell<Option<Timestamp>>,
    silence_looked_at: Cell<Option<Timestamp>>,
    /// The time of the next check for sockets that need a heartbeat; `None` where all viewers ping.
    pub(super) keepalive_at: Cell<Option<Timestamp>>,
    /// The counts of this instance.
    counts: Cell<Counts>,
}

/// An open socket, with what this instance knows of it.
pub(super) struct OpenSocket {
    pub(super) socket: Socket,
    /// The time at which the socket was opened; `None` if that was before this instance.
    pub(super) opened_at: Option<Timestamp>,
    /// The time of the last message other than a ping.
    heard_at: Option<Timestamp>,
    /// The time of the last message to the viewer.
    pub(super) sent_at: Cell<Option<Timestamp>>,
}

impl OpenSocket {
    fn new(socket: Socket, opened_at: Option<Timestamp>) -> Self {
        Self { socket, opened_at, heard_at: None, sent_at: Cell::new(None) }
    }
}

impl TownObject {
    /// A new instance, which knows only its tables.
    pub(super) fn new(state: State, env: Env) -> Rc<Self> {
        let store = Rc::new(SqlStore::new(&state));
        if let Err(error) = socket::answer_pings(&state) {
            log("stream_error", &[("message", &error.message)]);
        }
        Rc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            state,
            env,
            store,
            core: RefCell::default(),
            sockets: RefCell::default(),
            own_key: RefCell::default(),
            event_waiters: EventWaiters::default(),
            image_fetch_state: ImageFetchState::default(),
            stop_order_state: StopOrderState::default(),
            is_new: Cell::new(true),
            alarm_at: Cell::new(None),
            timer_at: Cell::new(None),
            tick_not_before: Cell::new(None),
            silence_looked_at: Cell::new(None),
            keepalive_at: Cell::new(None),
            counts: Cell::new(Counts::new(platform::now())),
        })
    }

    /// A counted pointer to this object, for work that outlives its call.
    pub(super) fn shared(&self) -> Result<Rc<Self>> {
        self.me.upgrade().ok_or_else(|| Error::internal("the instance is gone"))
    }

    /// Continues what the last instance left, once for each instance: its relay turn may have died, and its container
    /// would follow.
    pub(super) async fn wake(&self) {
        if !self.is_new.replace(false) || self.with(|_| Ok(())).is_err() {
            return;
        }
        if let Ok(Some(upstream)) = self.upstream()
            && let Err(error) = upstream.keep().await
        {
            log("container_error", &[("message", &error.message)]);
        }
        drop(self.pull_relay().await);
        drop(self.wake_when_due().await);
        if let Ok(Some(at)) = images::due_at(self) {
            self.pull_alarm(at).await;
        }
        stop_orders::begin(self);
    }

    /// The settings and secrets of the installation.
    pub(super) fn config(&self) -> Result<Rc<config::WorkerConfig>> {
        config::read(&self.env)
    }

    /// The connection to the control server; `None` without an address and without a binding.
    pub(super) fn upstream(&self) -> Result<Option<Upstream>> {
        Upstream::of(&self.state, self.config()?.as_ref(), || self.town_id(), || self.own_key())
    }

    /// The town's own key, with which it signs calls to its own container.
    fn own_key(&self) -> Result<Rc<SigningKey>> {
        if let Some(known) = self.own_key.borrow().clone() {
            return Ok(known);
        }
        let key = self.with(|_| control_key::of_town(self.store.as_ref(), &mut platform::key_seed)).map(Rc::new)?;
        self.own_key.replace(Some(Rc::clone(&key)));
        Ok(key)
    }

    /// Runs `ask` on the town in one synchronous step; 404 where there is no town.
    pub(super) fn with<T>(&self, ask: impl FnOnce(&mut Core) -> Result<T>) -> Result<T> {
        let mut core = self.core.borrow_mut();
        if core.is_none() {
            *core = self.open()?;
        }
        ask(core.as_mut().ok_or_else(|| Error::not_found("town"))?)
    }

    /// The town as the tables have it, with the streams that survived hibernation.
    fn open(&self) -> Result<Option<Core>> {
        let installed = self.config()?;
        let settings = &installed.settings;
        self.store.set_max_mib(settings.town_store_mib);
        let config = TownConfig {
            event_cap: settings.event_cap,
            posted_lost_ms: i64::try_from(settings.posted_lost_seconds * 1_000).map_err(Error::internal)?,
            drain_interval_ms: i64::try_from(settings.drain_interval_seconds * 1_000).map_err(Error::internal)?,
            ticket_ttl_ms: i64::try_from(settings.ticket_ttl_seconds * 1_000).map_err(Error::internal)?,
            pace: Pace {
                frame_interval_ms: i64::try_from(settings.frame_interval_ms()).map_err(Error::internal)?,
                window_events: settings.stream_window_events,
                bucket_events: BUCKET_EVENTS_MAX,
            },
            settings: settings.view(),
        };
        let Some(mut core) = Core::open(Rc::clone(&self.store) as Rc<dyn Store>, config, Rc::new(platform::run_id))?
        else {
            return Ok(None);
        };
        let (secrets, now) = (&installed.secrets, platform::now());
        let lasts = |grantor: &Grantor| grantor.lasts(secrets, now);
        let mut sockets = self.sockets.borrow_mut();
        for socket in socket::all(&self.state)? {
            let recalled = match socket.note()? {
                Some(note) => core.recall(&note, &lasts)?,
                None => RecallResult::Unknown,
            };
            match recalled {
                RecallResult::Known(id) => drop(sockets.insert(id, OpenSocket::new(socket, None))),
                RecallResult::RightEnded => socket.close(Ending::RightEnded),
                RecallResult::Unknown => socket.close(Ending::Unknown),
            }
        }
        if !sockets.is_empty() {
            self.keepalive_at.set(Some(platform::now()));
        }
        Ok(Some(core))
    }

    /// The viewer of a socket, by the socket's tag.
    fn viewer_of(&self, socket: &Socket) -> Option<ViewerId> {
        socket.tags(&self.state).ok()?.first()?.parse().ok().map(ViewerId)
    }

    /// Stores a socket under its viewer's id.
    pub(super) fn keep_socket(&self, id: ViewerId, socket: Socket) {
        let now = platform::now();
        self.sockets.borrow_mut().insert(id, OpenSocket::new(socket, Some(now)));
        self.keepalive_at.set(self.keepalive_at.get().into_iter().chain([keepalive::settles_at(now)]).min());
    }

    /// Handles a message of a viewer.
    pub(super) fn on_message(&self, socket: &Socket, message: &WebSocketIncomingMessage) {
        let Some(id) = self.viewer_of(socket) else { return };
        let now = platform::now();
        let content = match message {
            WebSocketIncomingMessage::String(text) => MessageContent::Text(text),
            WebSocketIncomingMessage::Binary(bytes) => MessageContent::Binary(bytes.len()),
        };
        // Within the step, since a town that slept knows its sockets only once it is open.
        let handled = self.step(|town| {
            if let Some(open) = self.sockets.borrow_mut().get_mut(&id) {
                open.heard_at = Some(now);
            }
            town.handle(ViewerMessage { id, content }, now)
        });
        // Without a town there is nobody to speak to, and the socket is being closed.
        if let Err(error) = handled
            && error.code != Code::NotFound
        {
            log("stream_error", &[("message", &error.message)]);
        }
    }

    /// Closes sockets that used to ping and have been silent for too long: their viewers are gone without a close.
    pub(super) fn let_silent_go(&self) {
        let now = platform::now();
        if self.silence_looked_at.get().is_some_and(|at| now.millis_since(at) < SILENCE_LOOK_MS) {
            return;
        }
        self.silence_looked_at.set(Some(now));
        let sockets = self.sockets.borrow();
        let silent = sockets.iter().filter(|(_, OpenSocket { socket, heard_at, .. })| {
            is_silent(socket.pinged_at(&self.state), *heard_at, now)
        });
        let silent: Vec<ViewerId> = silent.map(|(id, _)| *id).collect();
        drop(sockets);
        for id in silent {
            if let Some(town) = self.core.borrow_mut().as_mut() {
                town.leave(id);
            }
            self.close(id, Ending::Silent);
        }
    }

    pub(super) fn forget(&self, socket: &Socket) {
        let Some(id) = self.viewer_of(socket) else { return };
        self.sockets.borrow_mut().remove(&id);
        if let Some(town) = self.core.borrow_mut().as_mut() {
            town.leave(id);
        }
    }

    /// Gives an input to the town, and performs the effects, in one synchronous step.
    pub(super) fn handle<I: TownInput>(&self, input: I) -> Result<I::Answer> {
        self.step(|town| town.handle(input, platform::now()))
    }

    /// Runs `ask`, which may give the town inputs, and performs the effects, in one synchronous step. The effects are
    /// performed even if `ask` fails, because decisions made before the failure are stored.
    pub(super) fn step<T>(&self, ask: impl FnOnce(&mut Core) -> Result<T>) -> Result<T> {
        let outcome = self.step_without_timer(ask);
        self.set_timer();
        outcome
    }

    /// [`TownObject::step`] for a caller that sets the timer itself.
    pub(super) fn step_without_timer<T>(&self, ask: impl FnOnce(&mut Core) -> Result<T>) -> Result<T> {
        let (outcome, effects) = self.with(|town| {
            let outcome = ask(town);
            Ok((outcome, town.take_effects()))
        })?;
        self.perform(effects);
        outcome
    }

    /// Whether there is a reader: a stream, or a request that waits.
    pub(super) fn is_watched(&self) -> Result<bool> {
        Ok(self.event_waiters.present() > 0 || self.with(|town| Ok(town.is_watched()))?)
    }

    /// Changes the counts of this instance.
    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.get();
        change(&mut counts);
        self.counts.set(counts);
    }

    /// The counts of this instance for Prometheus. The rows that this reads are not counted.
    pub(super) async fn metrics(&self) -> Result<String> {
        self.with(|_| Ok(()))?;
        let alarm_at = self.state.storage().get_alarm().await.map_err(Error::internal)?.map(Timestamp::from_millis);
        let (counts, rows) = (self.counts.get(), self.store.rows());
        self.store.uncounted(|| self.with(|town| metrics::of_town(town, &counts, rows, alarm_at)))
    }

    /// The facts that the relay needs and the tables do not have.
    pub(super) fn demand(&self) -> Result<RelayDemand> {
        let is_watched = self.is_watched()?;
        let is_unasked = self.config()?.settings.relay_while_watched
            && is_watched
            && self.upstream()?.is_some_and(|upstream| upstream.is_running());
        Ok(RelayDemand { is_watched, is_unasked })
    }

    /// Whether there is a reason to ask the container.
    pub(super) fn wants_relay(&self) -> Result<bool> {
        let demand = self.demand()?;
        self.with(|town| town.wants_relay(demand))
    }

    /// The id of the town.
    pub(super) fn town_id(&self) -> Result<TownId> {
        self.with(|town| Ok(town.town_id.clone()))
    }

    /// Erases the town: its tables, its alarm, its streams.
    pub(super) async fn erase(&self) -> Result<()> {
        for (_, OpenSocket { socket, .. }) in self.sockets.borrow_mut().drain() {
            socket.close(Ending::TownDeleted);
        }
        self.core.borrow_mut().take();
        self.own_key.borrow_mut().take();
        self.alarm_at.set(None);
        // A timer that finds another time here than its own does nothing.
        self.timer_at.set(None);
        let storage = self.state.storage();
        storage.delete_alarm().await.map_err(Error::internal)?;
        storage.delete_all().await.map_err(Error::internal)?;
        // Who asked meanwhile has opened it once more; who waits without a socket now finds that there is none.
        self.core.borrow_mut().take();
        self.event_waiters.announce();
        Ok(())
    }
}
