//! What our objects ask of each other, and the Worker of them: one table for each object, of its calls.
//!
//! A call is the struct that is its body. Its path and the type of its answer belong to it, so that a caller is given that type,
//! and a handler can give no other. Objects of two versions call each other while one is deployed: paths and bodies only grow.

/// The calls of one object, a line each: `"/internal/stop" Stop(StopRuns) -> Done;`.
macro_rules! calls {
    ($(#[$doc:meta])* $name:ident to $object:ty {
        $($(#[$call_doc:meta])* $path:literal $variant:ident($request:ty) -> $answer:ty;)*
    }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name { $($(#[$call_doc])* $variant($request),)* }

        impl $name {
            /// The paths of all of them, for tables and tests.
            pub const PATHS: &'static [&'static str] = &[$($path),*];

            /// Reads a call.
            ///
            /// # Errors
            /// `not_found` where the path is none of these (a newer version asks); `invalid` for a body that is not of
            /// the call's shape.
            pub fn read(path: &str, body: &[u8]) -> crate::error::Result<Self> {
                match path {
                    $($path => crate::body::parse_body(body).map(Self::$variant),)*
                    _ => Err(crate::error::Error::not_found("path")),
                }
            }
        }

        $(impl super::ObjectCall for $request {
            type Object = $object;
            type Answer = $answer;
            const PATH: &'static str = $path;
        })*
    };
}

mod account;
mod rig;
mod town;

pub use account::*;
pub use rig::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
pub use town::*;

use crate::error::{Error, Result};

/// The beginning of every call's path. The Worker forwards none from outside: it forwards parsed routes.
const INTERNAL: &str = "/internal/";

/// A call of an object: the body of the request.
pub trait ObjectCall: Serialize + DeserializeOwned {
    /// The name of an object that takes it: a `TownId` say, so that no rig is asked what only a town answers.
    type Object;
    /// The data of its success.
    type Answer: Serialize + DeserializeOwned;
    /// Its path: `/internal/rig-events` say.
    const PATH: &'static str;

    /// Answers this call: a handler's only way to an [`ObjectAnswer`].
    fn answer(&self, answer: &Self::Answer) -> Result<ObjectAnswer> {
        serde_json::to_string(answer).map(ObjectAnswer).map_err(Error::internal)
    }
}

/// The data of a call's success, as JSON text.
#[derive(Debug)]
pub struct ObjectAnswer(String);

impl ObjectAnswer {
    /// The text, for [`crate::envelope::success`].
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// The answer to a call that only has something done: `{}`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Done {}

/// Whether a path is a call's and not a route's.
pub fn is_call(path: &str) -> bool {
    path.starts_with(INTERNAL)
}
