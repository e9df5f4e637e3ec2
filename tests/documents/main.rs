//! The documents that are made of the types and routes: the API's description and the dashboard's types. A test fails when
//! one has drifted; `npm run types` writes them.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod openapi;
mod typescript;
