//! What one instance of a Town object has: the core, and the sockets that are open. It asks the core in one synchronous
//! step and performs what the core says; between two awaits nothing is half done.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use ::worker::{Env, State, WebSocketIncomingMessage};
use townwatch_protocol::control_key::SigningKey;
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::TownId;
use townwatch_protocol::limits::BUCKET_EVENTS_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_town::access::grantor::Grantor;
use townwatch_town::input::Input;
use townwatch_town::metrics::{self, Counts};
use townwatch_town::reading::ending::Ending;
use townwatch_town::reading::streams::{MessageContent, ViewerMessage};
use townwatch_town::relay::control_key;
use townwatch_town::relay::turn::RelayDemand;
use townwatch_town::store::Store;
use townwatch_town::town::{Config, Town as Core};
use townwatch_town::viewers::frames::Pace;
use townwatch_town::viewers::keepalive::{self};
use townwatch_town::viewers::silence::is_silent;
use townwatch_town::viewers::{Recalled, ViewerId};

use crate::arrivals::Arrivals;
use crate::images::{self, Fetching};
use crate::log::log;
use crate::socket::{self, Socket};
use crate::sql_store::SqlStore;
use crate::stop_orders::{self, Stopping};
use crate::upstream::Upstream;
use crate::{config, platform};

/// Sockets are asked for their last ping at most once in this time.
const SILENCE_LOOK_MS: u64 = 60_000;

/// One town's object.
pub(super) struct TownObject {
    /// Itself, for what outlives the call that began it: a timer, an event stream.
    me: Weak<Self>,
    pub(super) state: State,
    pub(super) env: Env,
    pub(super) store: Rc<SqlStore>,
    /// The town, once something asked for it; none where none has been made.
    pub(super) core: RefCell<Option<Core>>,
    pub(super) sockets: RefCell<HashMap<ViewerId, OpenSocket>>,
    /// Its own key for calls to its container, once it was needed; it lies in the tables and never changes.
    own_key: RefCell<Option<Rc<SigningKey>>>,
    pub(super) arrivals: Arrivals,
    pub(super) fetching: Fetching,
    pub(super) stopping: Stopping,
    /// Whether this instance has not looked yet if the relay is wanted: what it was doing may have died with the last one.
    is_new: Cell<bool>,
    /// When the alarm is set for, as far as this instance knows.
    pub(super) alarm_at: Cell<Option<Timestamp>>,
    /// When the next timer fires.
    pub(super) timer_at: Cell<Option<Timestamp>>,
    silence_looked_at: Cell<Option<Timestamp>>,
    /// When sockets are looked at that may be owed a sign of life; none where everyone pings.
    pub(super) keepalive_at: Cell<Option<Timestamp>>,
    /// What this instance has done.
    counts: Cell<Counts>,
}

/// An open socket, and what this instance knows of it.
pub(super) struct OpenSocket {
    pub(super) socket: Socket,
    /// When it was opened; none if that was before this instance.
    pub(super) opened_at: Option<Timestamp>,
    /// When something but a ping was last heard on it.
    heard_at: Option<Timestamp>,
    /// When it was last sent something.
    pub(super) sent_at: Cell<Option<Timestamp>>,
}

impl OpenSocket {
    fn new(socket: Socket, opened_at: Option<Timestamp>) -> Self {
        Self { socket, opened_at, heard_at: None, sent_at: Cell::new(None) }
    }
}

impl TownObject {
    /// A new instance, which knows only what is in its tables.
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
            arrivals: Arrivals::default(),
            fetching: Fetching::default(),
            stopping: Stopping::default(),
            is_new: Cell::new(true),
            alarm_at: Cell::new(None),
            timer_at: Cell::new(None),
            silence_looked_at: Cell::new(None),
            keepalive_at: Cell::new(None),
            counts: Cell::new(Counts::new(platform::now())),
        })
    }

    /// What outlives the call that began it holds on to the instance.
    pub(super) fn shared(&self) -> Result<Rc<Self>> {
        self.me.upgrade().ok_or_else(|| Error::internal("the instance is gone"))
    }

    /// Once for each instance: what the last one was doing may have died with it, and its container would follow it.
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

    /// What the installation has set.
    pub(super) fn config(&self) -> Result<Rc<config::Config>> {
        config::read(&self.env)
    }

    /// The way to the control server; none where there is neither an address nor a binding.
    pub(super) fn upstream(&self) -> Result<Option<Upstream>> {
        Upstream::of(&self.state, self.config()?.as_ref(), || self.town_id(), || self.own_key())
    }

    /// The key that the town signs with for a container of its own.
    fn own_key(&self) -> Result<Rc<SigningKey>> {
        if let Some(known) = self.own_key.borrow().clone() {
            return Ok(known);
        }
        let key = self.with(|_| control_key::of_town(self.store.as_ref(), &mut platform::key_seed)).map(Rc::new)?;
        self.own_key.replace(Some(Rc::clone(&key)));
        Ok(key)
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
        let installed = self.config()?;
        let settings = &installed.settings;
        self.store.set_max_mib(settings.town_store_mib);
        let config = Config {
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
                None => Recalled::Unknown,
            };
            match recalled {
                Recalled::Known(id) => drop(sockets.insert(id, OpenSocket::new(socket, None))),
                Recalled::RightEnded => socket.close(Ending::RightEnded),
                Recalled::Unknown => socket.close(Ending::Unknown),
            }
        }
        if !sockets.is_empty() {
            self.keepalive_at.set(Some(platform::now()));
        }
        Ok(Some(core))
    }

    /// The viewer whose name stands in the socket's tag.
    fn viewer_of(&self, socket: &Socket) -> Option<ViewerId> {
        socket.tags(&self.state).ok()?.first()?.parse().ok().map(ViewerId)
    }

    /// Takes a socket in under its viewer's name.
    pub(super) fn keep_socket(&self, id: ViewerId, socket: Socket) {
        let now = platform::now();
        self.sockets.borrow_mut().insert(id, OpenSocket::new(socket, Some(now)));
        self.keepalive_at.set(self.keepalive_at.get().into_iter().chain([keepalive::settles_at(now)]).min());
    }

    /// Takes a message of a viewer.
    pub(super) fn on_message(&self, socket: &Socket, message: &WebSocketIncomingMessage) {
        let Some(id) = self.viewer_of(socket) else { return };
        if let Some(open) = self.sockets.borrow_mut().get_mut(&id) {
            open.heard_at = Some(platform::now());
        }
        let content = match message {
            WebSocketIncomingMessage::String(text) => MessageContent::Text(text),
            WebSocketIncomingMessage::Binary(bytes) => MessageContent::Binary(bytes.len()),
        };
        // An error says that there is no town any more; its sockets are being closed.
        drop(self.handle(ViewerMessage { id, content }));
    }

    /// Closes sockets that used to ping and have been silent for long: their viewers are gone and could not say so.
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

    /// Hands an input to the town, and performs what has to happen, in one synchronous step.
    pub(super) fn handle<I: Input>(&self, input: I) -> Result<I::Answer> {
        self.step(|town| town.handle(input, platform::now()))
    }

    /// Asks the town for something that may hand it inputs, and performs what has to happen, in one synchronous step. That is
    /// done also where it ends with an error: what was decided before it stands.
    pub(super) fn step<T>(&self, ask: impl FnOnce(&mut Core) -> Result<T>) -> Result<T> {
        let (outcome, effects) = self.with(|town| {
            let outcome = ask(town);
            Ok((outcome, town.take_effects()))
        })?;
        self.perform(effects);
        self.set_timer();
        outcome
    }

    /// Whether someone watches: a stream, or a request that waits.
    pub(super) fn is_watched(&self) -> Result<bool> {
        Ok(self.arrivals.present() > 0 || self.with(|town| Ok(town.is_watched()))?)
    }

    /// Counts what this instance does.
    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.get();
        change(&mut counts);
        self.counts.set(counts);
    }

    /// What it has done, for Prometheus. What the look at the tables reads for this is not counted.
    pub(super) async fn metrics(&self) -> Result<String> {
        self.with(|_| Ok(()))?;
        let alarm_at = self.state.storage().get_alarm().await.map_err(Error::internal)?.map(Timestamp::from_millis);
        let (counts, rows) = (self.counts.get(), self.store.rows());
        self.store.uncounted(|| self.with(|town| metrics::of_town(town, &counts, rows, alarm_at)))
    }

    /// What the relay has to know and the tables do not have.
    pub(super) fn demand(&self) -> Result<RelayDemand> {
        let is_watched = self.is_watched()?;
        let is_unasked = self.config()?.settings.relay_while_watched
            && is_watched
            && self.upstream()?.is_some_and(|upstream| upstream.is_running());
        Ok(RelayDemand { is_watched, is_unasked })
    }

    /// Whether there is anything to ask the container for.
    pub(super) fn wants_relay(&self) -> Result<bool> {
        let demand = self.demand()?;
        self.with(|town| town.wants_relay(demand))
    }

    /// The town's name on the wire.
    pub(super) fn town_id(&self) -> Result<TownId> {
        self.with(|town| Ok(town.town_id.clone()))
    }

    /// Lets the town forget everything: its tables, its alarm, its streams.
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
        self.arrivals.announce();
        Ok(())
    }
}
