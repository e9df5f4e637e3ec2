//! The container that is bound to a Town: start, readiness, stop.

use ::worker::{State, web_sys};
use js_sys::{Object, Promise, Reflect};
use townwatch_protocol::control_key::PublicControlKey;
use townwatch_protocol::error::{Code, Error, Result};
use wasm_bindgen::prelude::*;

use crate::js;
use crate::timer::Sleep;

/// The port that the control server listens on in the container.
const PORT: u16 = 8788;

/// The time from a container's start until it must answer, one minute. After that the start has failed.
const READY_MS: u64 = 60_000;
/// The time limit of one try while the container starts, 1 s. Without it a try at a port where nothing listens can hang
/// for a minute.
const READY_TRY_MS: u64 = 1_000;
/// The pause between two tries.
const READY_PAUSE_MS: u64 = 100;

/// The parts of the platform's container that the crate does not bind, or binds with faults: its
/// `ContainerStartupOptions` loses the fields that are set.
#[allow(unsafe_code)] // wasm-bindgen's macro expands to it
mod glue {
    use super::{JsValue, Object, Promise, wasm_bindgen, web_sys};

    #[wasm_bindgen]
    extern "C" {
        #[derive(Clone, Debug)]
        pub(super) type Container;

        #[wasm_bindgen(method, getter)]
        pub(super) fn running(this: &Container) -> bool;

        #[wasm_bindgen(method, catch)]
        pub(super) fn start(this: &Container, options: &Object) -> Result<(), JsValue>;

        #[wasm_bindgen(method, catch)]
        pub(super) fn destroy(this: &Container) -> Result<Promise, JsValue>;

        #[wasm_bindgen(method, catch, js_name = setInactivityTimeout)]
        pub(super) fn set_inactivity_timeout(this: &Container, millis: f64) -> Result<Promise, JsValue>;

        #[wasm_bindgen(method, catch, js_name = getTcpPort)]
        pub(super) fn get_tcp_port(this: &Container, port: u16) -> Result<Port, JsValue>;

        pub(super) type Port;

        #[wasm_bindgen(method, catch)]
        pub(super) fn fetch(this: &Port, url: &str, init: &web_sys::RequestInit) -> Result<Promise, JsValue>;
    }
}

/// The container of a Town.
#[derive(Clone, Debug)]
pub struct Container(glue::Container);

impl Container {
    /// The container that is bound to the object, if one is.
    pub fn of(state: &State) -> Option<Self> {
        state.container().map(|container| {
            let raw: &JsValue = container.as_ref();
            Self(raw.clone().unchecked_into())
        })
    }

    /// Whether the container runs.
    pub fn is_running(&self) -> bool {
        self.0.running()
    }

    /// Starts the container if it sleeps. Its control server takes only calls that are signed with this key.
    pub async fn start(&self, key: &PublicControlKey, idle_seconds: u64) -> Result<()> {
        if !self.is_running() {
            let options = startup_options(key).map_err(|thrown| js::fault(&thrown))?;
            self.0.start(&options).map_err(|thrown| {
                Error::new(
                    Code::ContainerUnavailable,
                    format!("the container does not start: {}", js::describe(&thrown)),
                )
            })?;
        }
        self.keep(idle_seconds).await
    }

    /// Keeps the container alive while its Town sleeps. This has to be repeated at every wake, because the engine
    /// destroys the container of an evicted object.
    #[allow(clippy::cast_precision_loss)] // at most 86,400 s
    pub async fn keep(&self, idle_seconds: u64) -> Result<()> {
        if !self.is_running() {
            return Ok(());
        }
        let millis = (idle_seconds * 1_000) as f64;
        js::settle(self.0.set_inactivity_timeout(millis).map_err(|thrown| js::fault(&thrown))?).await.map(|_| ())
    }

    /// Ends the container and all that runs in it.
    pub async fn stop(&self) -> Result<()> {
        js::settle(self.0.destroy().map_err(|thrown| js::fault(&thrown))?).await.map(|_| ())
    }

    /// Calls the container's control server.
    pub(crate) fn fetch(&self, path: &str, init: &web_sys::RequestInit) -> std::result::Result<Promise, JsValue> {
        self.0.get_tcp_port(PORT)?.fetch(&format!("http://container{path}"), init)
    }

    /// Waits until the container's control server answers: until `ask` succeeds. `ask` gets the time limit of one try
    /// in milliseconds.
    pub async fn ready<T>(&self, ask: impl AsyncFn(u64) -> Result<T>) -> Result<()> {
        for _ in 0..READY_MS / (READY_TRY_MS + READY_PAUSE_MS) {
            if ask(READY_TRY_MS).await.is_ok() {
                return Ok(());
            }
            if !self.is_running() {
                return Err(Error::new(
                    Code::ContainerUnavailable,
                    "the container ended while it started; see its log",
                ));
            }
            Sleep::new(READY_PAUSE_MS).await;
        }
        Err(Error::new(Code::ContainerTimeout, "the container was started and its control server does not answer"))
    }
}

/// The options as a plain object.
fn startup_options(key: &PublicControlKey) -> std::result::Result<Object, JsValue> {
    let variables = Object::new();
    Reflect::set(&variables, &JsValue::from_str("CONTROL_PUBLIC_KEY"), &JsValue::from_str(&key.to_string()))?;
    let options = Object::new();
    Reflect::set(&options, &JsValue::from_str("enableInternet"), &JsValue::TRUE)?;
    Reflect::set(&options, &JsValue::from_str("env"), &variables)?;
    Ok(options)
}
