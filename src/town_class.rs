//! The Town's class as the runtime knows it: it decodes requests and hands them to its [`TownObject`]. Key: the town's
//! id.

use std::rc::Rc;

use ::worker::{DurableObject, Env, Request, Response, State, WebSocket, WebSocketIncomingMessage};
use townwatch_protocol::error::Code;
use worker_macros::durable_object;

use crate::http::respond;
use crate::log::log;
use crate::socket::Socket;
use crate::town_object::TownObject;
use crate::{platform, relay_turn, town_routes};

/// The pause after a relay turn that failed.
const TURN_RETRY_MS: i64 = 1_000;

/// One town.
#[durable_object]
pub struct Town {
    object: Rc<TownObject>,
}

impl DurableObject for Town {
    fn new(state: State, env: Env) -> Self {
        Self { object: TownObject::new(state, env) }
    }

    async fn fetch(&self, request: Request) -> ::worker::Result<Response> {
        let outcome = town_routes::answer(&self.object, request.inner()).await;
        self.object.wake().await;
        self.object.let_silent_go();
        Ok(respond(request.inner(), outcome).await)
    }

    async fn websocket_message(&self, socket: WebSocket, message: WebSocketIncomingMessage) -> ::worker::Result<()> {
        self.object.on_message(&Socket::from(socket), &message);
        drop(self.object.wake_when_due().await);
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
        self.object.forget(&socket);
        let pinged_at = socket.pinged_at(&self.object.state);
        let pinged_ms_ago = pinged_at.map_or("never".to_owned(), |at| platform::now().millis_since(at).to_string());
        let fields = [("code", code.to_string()), ("clean", clean.to_string()), ("pinged_ms_ago", pinged_ms_ago)];
        log("disconnect", &fields.each_ref().map(|(name, value)| (*name, value.as_str())));
        // 1005 and 1006 only say that the peer named no code; they may not be sent.
        socket.answer_close(u16::try_from(code).ok().filter(|code| !matches!(code, 1005 | 1006)).unwrap_or(1000));
        Ok(())
    }

    async fn websocket_error(&self, socket: WebSocket, error: ::worker::Error) -> ::worker::Result<()> {
        self.object.forget(&Socket::from(socket));
        log("disconnect", &[("error", &error.to_string())]);
        Ok(())
    }

    async fn alarm(&self) -> ::worker::Result<Response> {
        self.object.alarm_fires();
        self.object.wake().await;
        // A town that was deleted meanwhile is not to be woken again.
        if let Err(error) = relay_turn::take(&self.object).await
            && error.code != Code::NotFound
        {
            log("relay_error", &[("message", &error.message)]);
            self.object.pull_alarm(platform::now().plus_millis(TURN_RETRY_MS)).await;
        }
        Response::empty()
    }
}
