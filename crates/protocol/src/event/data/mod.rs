//! The data of each event of the wire contract.

// What has no value is left out, and is null where a field is marked `serialize_always`.
macro_rules! data {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        #[serde_with::skip_serializing_none]
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(TS, JsonSchema), ts(optional_fields))]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }
    )*};
}

mod calls;
mod orders;
mod questions;
mod run;
mod said;
mod sums;

pub use calls::*;
pub use orders::*;
pub use questions::*;
pub use run::*;
pub use said::*;
pub use sums::*;
