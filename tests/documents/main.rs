//! The documents that are made of the types, routes and settings: the API's description, the dashboard's types and the shapes
//! that it checks, the tables of settings. A test fails when one has drifted; `npm run types` writes them.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod drift;
mod event_shapes;
mod openapi;
mod settings;
mod typescript;
