//! Performs what a Town says has to happen.

use std::collections::HashMap;
use std::rc::Rc;

use js_sys::JsString;
use townwatch_protocol::error::Error;
use townwatch_town::log::ingest::Outcome;
use townwatch_town::reading::ending::Ending;
use townwatch_town::viewers::{Effect, ViewerId};

use crate::log::log;
use crate::socket;
use crate::town_object::{OpenSocket, TownObject};
use crate::{images, platform, rig_notices, stop_orders};

impl TownObject {
    /// Closes all streams, because a stored event could not be shown. Viewers that stayed would miss it without notice,
    /// so they have to reconnect.
    fn let_go(&self, error: &Error) {
        log("stream_error", &[("message", &error.message)]);
        for (_, OpenSocket { socket, .. }) in self.sockets.borrow_mut().drain() {
            socket.close(Ending::Fault);
        }
        self.core.borrow_mut().take();
    }

    /// Performs effects in their order. The runtime closes a socket that fails, and reports that.
    pub(super) fn perform(&self, effects: Vec<Effect>) {
        let mut texts: HashMap<*const u8, (Rc<str>, JsString)> = HashMap::new();
        let now = platform::now();
        for effect in effects {
            match effect {
                Effect::Send(id, text) => {
                    let sockets = self.sockets.borrow();
                    let Some(OpenSocket { socket, sent_at, .. }) = sockets.get(&id) else { continue };
                    sent_at.set(Some(now));
                    let bytes = text.len() as u64;
                    let (_, text) = texts.entry(text.as_ptr()).or_insert_with(|| {
                        let converted = socket::text(&text);
                        (text, converted)
                    });
                    // One that is closing says so; the runtime tells us of it next.
                    if socket.send(text).is_ok() {
                        self.count(|counts| {
                            counts.frames_sent += 1;
                            counts.bytes_sent += bytes;
                        });
                    }
                }
                Effect::Remember(id, note) => {
                    if let Some(Err(error)) = self.sockets.borrow().get(&id).map(|open| open.socket.set_note(&note)) {
                        log("stream_error", &[("message", &error.message)]);
                    }
                }
                Effect::Close(id, ending) => self.close(id, ending),
                Effect::LetGo(error) => self.let_go(&error),
                Effect::Announce => self.event_waiters.announce(),
                Effect::FetchImages => images::want(self),
                Effect::PerformStops => stop_orders::ordered(self),
                Effect::TellRig(rig_id, notice) => rig_notices::tell(self, rig_id, notice),
                Effect::Report(outcome) => self.report(&outcome),
            }
        }
    }

    pub(super) fn close(&self, id: ViewerId, ending: Ending) {
        if let Some(OpenSocket { socket, .. }) = self.sockets.borrow_mut().remove(&id) {
            socket.close(ending);
        }
    }

    fn report(&self, outcome: &Outcome) {
        for run_id in &outcome.begun {
            log("run_started", &[("run_id", run_id.as_str())]);
        }
        for (run_id, reason) in &outcome.ended {
            log("run_ended", &[("run_id", run_id.as_str()), ("reason", reason.as_str())]);
        }
        self.count(|counts| counts.events_stored += outcome.stored);
    }
}
