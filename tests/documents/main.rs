//! The documents that are made of the types, routes, runtimes and settings: the API's description, the dashboard's types, the
//! shapes that it checks and its facts of the runtimes, the programs to install, the tables of settings. A test fails when one
//! has drifted; `npm run types` writes them.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod drift;
mod event_shapes;
mod openapi;
mod runtimes;
mod settings;
mod typescript;
