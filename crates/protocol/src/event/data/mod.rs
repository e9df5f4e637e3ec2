//! The data of each event of the wire contract.

macro_rules! data {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(TS, JsonSchema))]
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
