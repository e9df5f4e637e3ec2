//! Readers without a socket: long polls and event streams. A waiting reader holds only a timer, which a new event ends
//! early.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use js_sys::Function;
use wasm_bindgen::JsValue;

use crate::timer::Sleep;

/// The readers of a town that wait for its next event. Their number is bounded with the town's viewers.
#[derive(Default)]
pub(super) struct EventWaiters {
    waiting: RefCell<BTreeMap<u64, Function>>,
    newest: Cell<u64>,
    present: Rc<Cell<usize>>,
}

/// A reader without a socket, counted until it is dropped.
pub(super) struct Presence(Rc<Cell<usize>>);

/// A wait for the next event. An event counts from the call of [`EventWaiters::next`] on, not from the first poll.
pub(super) struct EventWait<'a> {
    event_waiters: &'a EventWaiters,
    name: u64,
    sleep: Sleep,
}

impl EventWaiters {
    /// Waits for the next event, at most `limit_ms`.
    pub(super) fn next(&self, limit_ms: u64) -> EventWait<'_> {
        let sleep = Sleep::new(limit_ms);
        let name = self.newest.get() + 1;
        self.newest.set(name);
        if let Some(wake) = sleep.waker() {
            self.waiting.borrow_mut().insert(name, wake);
        }
        EventWait { event_waiters: self, name, sleep }
    }

    /// Ends every wait, because an event was stored.
    pub(super) fn announce(&self) {
        for wake in std::mem::take(&mut *self.waiting.borrow_mut()).into_values() {
            drop(wake.call0(&JsValue::UNDEFINED));
        }
    }

    /// Ends the wait of this name, if there is one.
    pub(super) fn wake(&self, name: Option<u64>) {
        if let Some(wake) = name.and_then(|name| self.waiting.borrow_mut().remove(&name)) {
            drop(wake.call0(&JsValue::UNDEFINED));
        }
    }

    /// Counts one more reader.
    pub(super) fn enter(&self) -> Presence {
        self.present.set(self.present.get() + 1);
        Presence(Rc::clone(&self.present))
    }

    /// The number of readers.
    pub(super) fn present(&self) -> usize {
        self.present.get()
    }
}

impl EventWait<'_> {
    /// The name by which [`EventWaiters::wake`] ends this wait.
    pub(super) fn name(&self) -> u64 {
        self.name
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Future for EventWait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.sleep).poll(context)
    }
}

impl Drop for EventWait<'_> {
    fn drop(&mut self) {
        self.event_waiters.waiting.borrow_mut().remove(&self.name);
    }
}
