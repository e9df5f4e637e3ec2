//! WebSockets that live longer than their object's memory. The runtime accepts them and finds them again, each with a
//! note.

use ::worker::worker_sys::WebSocketRequestResponsePair;
use ::worker::{Response, State, WebSocket, WebSocketPair, web_sys};
use js_sys::JsString;
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::time::Timestamp;
use townwatch_town::reading::ending::Ending;
use wasm_bindgen::prelude::*;

use crate::js;

/// The runtime's bound on the note that it keeps with a socket.
pub const NOTE_BYTES_MAX: usize = 16_384;

/// The ping of a viewer, to the letter. The runtime answers it without waking the object.
const PING: &str = r#"{"type":"ping"}"#;
const PONG: &str = r#"{"type":"pong"}"#;

/// The parts of the platform's WebSocket that the crate does not bind.
#[allow(unsafe_code)] // wasm-bindgen's macro expands to it
mod glue {
    use super::{JsString, JsValue, wasm_bindgen, web_sys};

    #[wasm_bindgen]
    extern "C" {
        pub(super) type Socket;

        /// Sends a text that is already a JavaScript string, so that it is converted once for all sockets.
        #[wasm_bindgen(method, catch)]
        pub(super) fn send(this: &Socket, text: &JsString) -> Result<(), JsValue>;

        #[wasm_bindgen(method, catch, js_name = serializeAttachment)]
        pub(super) fn serialize_attachment(this: &Socket, value: &str) -> Result<(), JsValue>;

        pub(super) type ObjectState;

        /// The time of the runtime's last answer to a ping on this socket; null before the first.
        #[wasm_bindgen(method, catch, js_name = getWebSocketAutoResponseTimestamp)]
        pub(super) fn auto_response_timestamp(
            this: &ObjectState,
            socket: &web_sys::WebSocket,
        ) -> Result<JsValue, JsValue>;

        #[wasm_bindgen(method, catch, js_name = deserializeAttachment)]
        pub(super) fn deserialize_attachment(this: &Socket) -> Result<JsValue, JsValue>;
    }
}

/// One viewer's socket.
#[derive(Debug, Clone, PartialEq)]
pub struct Socket(web_sys::WebSocket);

/// A text for any number of sockets, converted once.
pub fn text(frame: &str) -> JsString {
    JsString::from(frame)
}

/// Makes the runtime answer pings. Called once, when the object is made.
pub fn answer_pings(state: &State) -> Result<()> {
    let pair = WebSocketRequestResponsePair::new(PING, PONG).map_err(|thrown| js::fault(&thrown))?;
    state.as_raw().set_websocket_auto_response(&pair).map_err(|thrown| js::fault(&thrown))
}

/// Accepts a WebSocket with its note and its tags (at most 10, each of at most 256 characters). Gives our end, and the
/// answer 101 that gives the viewer the other end. Nothing is awaited between the two.
pub fn accept(state: &State, tags: &[&str], note: &str) -> Result<(Socket, Response)> {
    let failed = |error: ::worker::Error| Error::internal(error);
    let pair = WebSocketPair::new().map_err(failed)?;
    let socket = Socket::from(pair.server);
    socket.set_note(note)?;
    let tags = tags.iter().map(|tag| JsValue::from_str(tag)).collect();
    state.as_raw().accept_websocket_with_tags(&socket.0, tags).map_err(|thrown| js::fault(&thrown))?;
    Ok((socket, Response::from_websocket(pair.client).map_err(failed)?))
}

/// All open sockets.
pub fn all(state: &State) -> Result<Vec<Socket>> {
    let sockets = state.as_raw().get_websockets().map_err(|thrown| js::fault(&thrown))?;
    Ok(sockets.into_iter().map(Socket).collect())
}

impl Socket {
    /// Sends a frame. It fails only on a socket that is closing, and then the caller drops the viewer.
    pub fn send(&self, text: &JsString) -> Result<()> {
        self.0.unchecked_ref::<glue::Socket>().send(text).map_err(|thrown| js::fault(&thrown))
    }

    /// Stores a note, our JSON text, with the socket. The note survives hibernation.
    pub fn set_note(&self, note: &str) -> Result<()> {
        if note.len() > NOTE_BYTES_MAX - 16 {
            return Err(Error::internal(format!("a socket's note of {} bytes", note.len())));
        }
        self.0.unchecked_ref::<glue::Socket>().serialize_attachment(note).map_err(|thrown| js::fault(&thrown))
    }

    /// The note; `None` where there is none.
    pub fn note(&self) -> Result<Option<String>> {
        let note =
            self.0.unchecked_ref::<glue::Socket>().deserialize_attachment().map_err(|thrown| js::fault(&thrown))?;
        Ok(note.as_string())
    }

    /// The time of the last ping; `None` before the first.
    pub fn pinged_at(&self, state: &State) -> Option<Timestamp> {
        let state: &glue::ObjectState = state.as_raw().unchecked_ref();
        let date: js_sys::Date = state.auto_response_timestamp(&self.0).ok()?.dyn_into().ok()?;
        #[allow(clippy::cast_possible_truncation)] // milliseconds since 1970 are far below 2^53
        Some(Timestamp::from_millis(date.get_time() as i64))
    }

    /// The tags that the socket was accepted with.
    pub fn tags(&self, state: &State) -> Result<Vec<String>> {
        state.as_raw().get_tags(&self.0).map_err(|thrown| js::fault(&thrown))
    }

    /// Closes the socket from this side. A closed socket stays closed. Nothing else can fail, since the runtime accepts
    /// the code and reason of every [`Ending`].
    pub fn close(&self, ending: Ending) {
        let _ = self.0.close_with_code_and_reason(ending.code(), ending.reason());
    }

    /// Answers the close of the other side, with its code where that code may be sent.
    pub fn answer_close(&self, code: u16) {
        if self.0.close_with_code(code).is_err() {
            let _ = self.0.close_with_code(1000);
        }
    }
}

impl From<WebSocket> for Socket {
    fn from(socket: WebSocket) -> Self {
        Self(socket.as_ref().clone())
    }
}
