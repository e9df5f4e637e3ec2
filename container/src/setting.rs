//! A setting that is a whole number: read, and refused by its name.

use std::ops::RangeInclusive;

/// Reads a variable; where it is not set, the default counts.
pub(crate) fn whole_number(
    variable: &impl Fn(&str) -> Option<String>,
    name: &str,
    range: RangeInclusive<u64>,
    default: u64,
) -> Result<u64, String> {
    let Some(text) = variable(name) else { return Ok(default) };
    let wrong = || format!("{name}: expected a whole number from {} to {}, not {text:?}", range.start(), range.end());
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(wrong)
}
