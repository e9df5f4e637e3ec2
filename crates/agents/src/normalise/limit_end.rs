//! The end of a limit, from the words of an error: `Please try again in 1.2s`, `reset after 3h12m`,
//! `"retryDelay":"34s"`, `retry-after: 30`. A time of day without a zone (`try again at 5:30 PM`) gives no moment,
//! because the zone is unknown.

use townwatch_protocol::time::Timestamp;

/// The words before a duration, in lower case.
const LEADS: &[&str] = &[
    "try again in ",
    "try again after ",
    "retry in ",
    "retry after ",
    "retrying in ",
    "retrying after ",
    "reset in ",
    "reset after ",
    "resets in ",
    "resets after ",
    "available in ",
    "available again in ",
    "please wait ",
];
/// The names of fields and headers with a duration, each with the unit in milliseconds of a plain number.
const DURATIONS: &[(&str, f64)] = &[
    ("retrydelay", 1_000.0),
    ("retry_delay", 1_000.0),
    ("retry-after", 1_000.0),
    ("retry_after", 1_000.0),
    ("retryafter", 1_000.0),
    ("retry_after_seconds", 1_000.0),
    ("resets_in_seconds", 1_000.0),
    ("reset_in_seconds", 1_000.0),
    ("retry-after-ms", 1.0),
    ("retry_after_ms", 1.0),
    ("retryafterms", 1.0),
    ("retrydelayms", 1.0),
];
/// The words and names before a moment.
const MOMENTS: &[&str] = &["try again at ", "reset at ", "resets at ", "resets_at", "reset_at", "resetsat", "reached|"];
/// The longest limit, a year. A longer one is ignored.
const LASTS_MS_MAX: f64 = 366.0 * 86_400_000.0;
/// The largest number of seconds since 1970. A larger number is in milliseconds.
const SECONDS_MAX: f64 = 1e11;
/// The bytes of an error's text that are read.
const LOOKED_AT_BYTES_MAX: usize = 64 << 10;

/// The end of a limit by the words of an error that came at `at`.
pub(super) fn in_words(words: &str, at: Timestamp) -> Option<Timestamp> {
    let small = words[..words.floor_char_boundary(LOOKED_AT_BYTES_MAX)].to_ascii_lowercase();
    let said = LEADS.iter().find_map(|lead| behind(&small, lead).find_map(|rest| duration_ms(rest, None)));
    let named = || {
        DURATIONS
            .iter()
            .find_map(|(name, unit_ms)| behind(&small, name).find_map(|rest| duration_ms(value(rest)?, Some(*unit_ms))))
    };
    if let Some(lasts_ms) = said.or_else(named) {
        let lasts_ms = Some(lasts_ms.round()).filter(|ms| (1.0..=LASTS_MS_MAX).contains(ms))?;
        #[allow(clippy::cast_possible_truncation)] // a year at most
        return Some(at.plus_millis(lasts_ms as i64));
    }
    let moments = MOMENTS.iter().flat_map(|lead| behind(&small, lead).filter_map(value));
    let is_ahead = |until: &Timestamp| {
        #[allow(clippy::cast_precision_loss)] // a time between two moments
        let lasts_ms = until.millis().saturating_sub(at.millis()) as f64;
        (1.0..=LASTS_MS_MAX).contains(&lasts_ms)
    };
    moments.filter_map(moment).find(is_ahead)
}

/// The moment of a number of seconds, or of milliseconds, since 1970.
pub(super) fn since_1970(number: f64) -> Option<Timestamp> {
    let millis = if number > SECONDS_MAX { number } else { number * 1_000.0 };
    #[allow(clippy::cast_possible_truncation)] // what is too much for a time is none
    let at = Timestamp::from_millis(millis as i64);
    (at.millis() > 0).then_some(at)
}

/// The text after each occurrence of a word.
fn behind<'a>(text: &'a str, word: &str) -> impl Iterator<Item = &'a str> {
    text.match_indices(word).map(|(at, word)| &text[at + word.len()..])
}

/// The value after a name, without the quotes and signs between them: of `":"34s"` it is `34s"`. `None` if the name
/// continues, as `retry_after` does in `retry_after_ms`.
fn value(behind_name: &str) -> Option<&str> {
    let is_sign = |found: char| matches!(found, '"' | '\'' | '\\' | ':' | '=' | ' ' | '|');
    let value = behind_name.trim_start_matches(is_sign);
    value.starts_with(|first: char| first.is_ascii_digit()).then_some(value)
}

/// The duration at the beginning of a text: `1.2s`, `3h12m15s` or `3 days, 2 hours and 12 minutes`. A number without a
/// unit counts only alone, in units of `unit_ms`.
fn duration_ms(text: &str, unit_ms: Option<f64>) -> Option<f64> {
    let (mut sum, mut rest) = (None, text);
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        rest = rest.strip_prefix("and ").unwrap_or(rest);
        let (number, behind) =
            rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len()));
        let Ok(number) = number.trim_end_matches('.').parse::<f64>() else { return sum };
        let behind = behind.trim_start_matches(' ');
        let (unit, behind) = behind.split_at(behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len()));
        match unit_of(unit).or(unit_ms.filter(|_| sum.is_none() && unit.is_empty())) {
            Some(unit_ms) => sum = Some(sum.unwrap_or(0.0) + number * unit_ms),
            None => return sum,
        }
        if unit.is_empty() {
            return sum;
        }
        rest = behind;
    }
}

fn unit_of(word: &str) -> Option<f64> {
    Some(match word {
        "ms" | "millisecond" | "milliseconds" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000.0,
        "d" | "day" | "days" => 86_400_000.0,
        "w" | "week" | "weeks" => 7.0 * 86_400_000.0,
        _ => return None,
    })
}

/// The moment at the beginning of a text: seconds since 1970, or RFC 3339 with its zone; no time of day.
fn moment(text: &str) -> Option<Timestamp> {
    let word = &text[..text.find(|c: char| !(c.is_ascii_alphanumeric() || "-:.+".contains(c))).unwrap_or(text.len())];
    let word = word.trim_end_matches(['.', ':']);
    // A year alone, as in `at 2027`, is no number of seconds of our time.
    let seconds = word.parse::<f64>().ok().filter(|seconds| *seconds >= 1e9);
    Timestamp::parse(&word.to_ascii_uppercase()).or_else(|| since_1970(seconds?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_tells_when_a_limit_ends() {
        let cases = [
            ("You’ve hit your usage limit. Try again in 3 hours 12 minutes.", Some(11_520_000)),
            ("You've hit your usage limit. Upgrade, or try again in 2 days, 1 hour and 5 minutes.", Some(176_700_000)),
            (
                "Rate limit reached for m: Limit 30000, Used 29000. Please try again in 1.2s. Visit https://e.x",
                Some(1_200),
            ),
            ("rate limit; please try again in 28ms", Some(28)),
            ("Please try again in 6m0s.", Some(360_000)),
            ("Quota exceeded. Please retry in 12.5s.", Some(12_500)),
            ("Your quota will reset after 3h12m15s.", Some(11_535_000)),
            (r#"{"error":{"code":429,"details":[{"@type":"x.RetryInfo","retryDelay":"34s"}]}}"#, Some(34_000)),
            (r#"{\"retryDelay\": \"0.5s\"}"#, Some(500)),
            ("429 Too Many Requests, retry-after: 30", Some(30_000)),
            ("retry-after-ms: 1500", Some(1_500)),
            (r#"{"type":"usage_limit_reached","resets_in_seconds":90}"#, Some(90_000)),
            (r#"{"retry_after":7,"x":1}"#, Some(7_000)),
            ("Usage limit reached|1700000060", Some(60_000)),
            (r#"{"resets_at":1700000005}"#, Some(5_000)),
            ("limited, try again at 2023-11-15T00:13:30+02:00.", Some(10_000)),
            ("You've hit your usage limit. Try again at 5:30 PM.", None),
            ("usage limit, or try again at Feb 23rd, 2027 3:04 PM", None),
            ("resets at 2027", None),
            ("Usage limit reached|1600000000", None),
            ("Try again in a moment", None),
            ("Try again in 0s", None),
            ("Try again in 99999999999999999999 days", None),
            ("Try again in 5 apples", None),
            ("retry in 1.2.3s", None),
            ("quota", None),
            ("", None),
        ];
        let at = Timestamp::from_millis(1_700_000_000_000);
        for (words, lasts_ms) in cases {
            let until = in_words(words, at).map(|until| until.millis() - at.millis());
            assert_eq!(until, lasts_ms, "{words}");
        }
    }
}
