//! Waiting. The crate's `Delay` expects a timer's id to be a number, but in this runtime it is an object. So `Delay`
//! could never cancel a timer, and a forgotten timer would keep its object in memory.

use std::pin::Pin;
use std::task::{Context, Poll};

use js_sys::futures::JsFuture;
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

#[allow(unsafe_code)] // wasm-bindgen's macro expands to it
mod glue {
    use super::{Function, JsValue, wasm_bindgen};

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_name = setTimeout)]
        pub(super) fn set_timeout(wake: &Function, millis: f64) -> JsValue;

        #[wasm_bindgen(js_name = clearTimeout)]
        pub(super) fn clear_timeout(timer: &JsValue);
    }
}

/// A timer as a future. If it is dropped early, the timer is cancelled.
pub(crate) struct Sleep {
    timer: JsValue,
    wake: Option<Function>,
    woken: JsFuture,
}

impl Sleep {
    /// A timer of `millis`, which starts now.
    pub(crate) fn new(millis: u64) -> Self {
        let (mut timer, mut wake) = (JsValue::UNDEFINED, None);
        #[allow(clippy::cast_precision_loss)] // a few minutes at most
        let promise = Promise::new(&mut |resolve, _| {
            timer = glue::set_timeout(resolve.unchecked_ref(), millis as f64);
            wake = Some(resolve.unchecked_into());
        });
        Self { timer, wake, woken: JsFuture::from(promise) }
    }

    /// A function that ends the timer early.
    pub(crate) fn waker(&self) -> Option<Function> {
        self.wake.clone()
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.woken).poll(context).map(|_| ())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        glue::clear_timeout(&self.timer);
        // A promise that never settles would keep what waits for it for ever.
        drop(self.wake.as_ref().map(|wake| wake.call0(&JsValue::UNDEFINED)));
    }
}
