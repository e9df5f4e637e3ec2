//! Requests that wait for the next event: long polls. They hold nothing but a timer, which an event ends early.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll};

use js_sys::Function;
use wasm_bindgen::JsValue;

use crate::edge::timer::Sleep;

/// Who waits on a town. Bounded with its viewers.
#[derive(Default)]
pub(super) struct Arrivals {
    waiting: RefCell<BTreeMap<u64, Function>>,
    newest: Cell<u64>,
}

/// The next event, for one that waits. It counts from the moment that it was asked for, not from the first look at it.
pub(super) struct Arrival<'a> {
    arrivals: &'a Arrivals,
    name: u64,
    sleep: Sleep,
}

impl Arrivals {
    /// Waits for the next event, or for so long.
    pub(super) fn next(&self, limit_ms: u64) -> Arrival<'_> {
        let sleep = Sleep::new(limit_ms);
        let name = self.newest.get() + 1;
        self.newest.set(name);
        if let Some(wake) = sleep.waker() {
            self.waiting.borrow_mut().insert(name, wake);
        }
        Arrival { arrivals: self, name, sleep }
    }

    /// Something was stored.
    pub(super) fn announce(&self) {
        for wake in std::mem::take(&mut *self.waiting.borrow_mut()).into_values() {
            drop(wake.call0(&JsValue::UNDEFINED));
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.borrow().len()
    }
}

impl Future for Arrival<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.sleep).poll(context)
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        self.arrivals.waiting.borrow_mut().remove(&self.name);
    }
}
