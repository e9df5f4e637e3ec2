//! The calls between our objects, and from the Worker to them: one table for each object.
//!
//! A call is the struct that is its body. The struct has the call's path and the type of its answer. So a caller gets
//! exactly that type, and a handler can return no other. During a deployment objects of two versions call each other,
//! so paths and bodies may only grow.

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

/// The beginning of every call's path. The Worker forwards parsed routes only, so no such path can come from outside.
const INTERNAL: &str = "/internal/";

/// A call of an object: the body of the request.
pub trait ObjectCall: Serialize + DeserializeOwned {
    /// The id of an object that takes the call, `TownId` for example. So a call for a town cannot be sent to a rig.
    type Object;
    /// The data of the answer.
    type Answer: Serialize + DeserializeOwned;
    /// The path of the call: `/internal/rig-events` for example.
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

/// The answer of a call that has no data: `{}`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Done {}

/// Whether a path is a call's and not a route's.
pub fn is_call(path: &str) -> bool {
    path.starts_with(INTERNAL)
}
