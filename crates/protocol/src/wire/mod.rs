//! The wire: requests and answers of REST, frames of streams, answers of the container. See PROTOCOL.md.

// Shapes of the wire. What has no value is left out of them, and is null where a shape is said to be `with nulls`.
macro_rules! wire {
    () => {};
    ($(#[$meta:meta])* $name:ident with nulls { $($(#[$fmeta:meta])* $field:ident: $type:ty,)* } $($rest:tt)*) => {
        $(#[$meta])*
        #[cfg_attr(feature = "schema", derive(TS, JsonSchema))]
        pub struct $name { $($(#[$fmeta])* pub $field: $type,)* }
        wire! { $($rest)* }
    };
    ($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident: $type:ty,)* } $($rest:tt)*) => {
        #[serde_with::skip_serializing_none]
        $(#[$meta])*
        #[cfg_attr(feature = "schema", derive(TS, JsonSchema), ts(optional_fields))]
        pub struct $name { $($(#[$fmeta])* pub $field: $type,)* }
        wire! { $($rest)* }
    };
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(TS, JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }
    )*};
}

mod answers;
mod budgets;
mod checks;
mod control;
mod filters;
mod log;
mod mayor;
mod requests;
mod state;
mod stream;

pub use answers::*;
pub use budgets::*;
pub use checks::{check_timeout, check_words};
pub use control::*;
pub use log::*;
pub use mayor::*;
pub use requests::*;
pub use state::*;
pub use stream::*;
