//! The Rig object: a placeholder that knows nothing yet.
#![allow(missing_docs)] // the macro writes methods without

use ::worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::edge::http;
use crate::error::Error;

/// Answers 404 to everything.
#[durable_object(fetch)]
pub struct Rig;

impl DurableObject for Rig {
    fn new(_state: State, _env: Env) -> Self {
        Self
    }

    async fn fetch(&self, request: Request) -> ::worker::Result<Response> {
        Ok(http::respond(request.inner(), Err(Error::not_found("rig"))).await)
    }
}
