//! Integers as JSON Schema defines them: `5.0` and `5e0` are 5. Programs that have only one type of number write them
//! so.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// The largest f64 below which every integer is exact, 2^53 - 1.
const EXACT_MAX: f64 = 9_007_199_254_740_991.0;

/// An integer of at least 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Integer(pub(crate) u64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Integer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer of at least 0")
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Integer, E> {
                Ok(Integer(value))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Integer, E> {
                u64::try_from(value).map(Integer).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Integer, E> {
                if value.fract() != 0.0 || !(0.0..=EXACT_MAX).contains(&value) {
                    return Err(E::invalid_value(Unexpected::Float(value), &self));
                }
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // it is such an integer
                Ok(Integer(value as u64))
            }
        }

        deserializer.deserialize_u64(Number)
    }
}

/// For a field that may be left out or null.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Option::<Integer>::deserialize(deserializer).map(|given| given.map(|integer| integer.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_integers_however_they_are_written() {
        let read = |text: &str| serde_json::from_str::<Integer>(text).ok().map(|integer| integer.0);
        for (text, expected) in [
            ("5", Some(5)),
            ("5.0", Some(5)),
            ("5e2", Some(500)),
            ("-0.0", Some(0)),
            ("9007199254740991.0", Some(9_007_199_254_740_991)),
            ("5.5", None),
            ("-1", None),
            ("-1.0", None),
            ("1e300", None),
            ("\"5\"", None),
            ("null", None),
            ("true", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
