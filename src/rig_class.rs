//! The Rig's class as the runtime knows it: it hands requests and alarms to its [`RigObject`]. Key: the rig's id.

use std::rc::Rc;

use ::worker::{DurableObject, Env, Request, Response, State};
use worker_macros::durable_object;

use crate::http::respond;
use crate::rig_object::RigObject;

/// One rig.
#[durable_object(alarm)]
pub struct Rig {
    object: Rc<RigObject>,
}

impl DurableObject for Rig {
    fn new(state: State, env: Env) -> Self {
        Self { object: RigObject::new(state, env) }
    }

    async fn fetch(&self, request: Request) -> ::worker::Result<Response> {
        let outcome = self.object.answer(request.inner()).await;
        self.object.wake().await;
        Ok(respond(request.inner(), outcome).await)
    }

    async fn alarm(&self) -> ::worker::Result<Response> {
        self.object.alarm_fires().await;
        Response::empty()
    }
}
