//! Whatever stands around secrets: they go, a second look finds no more of them, and JSON stays JSON.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use townwatch_agents::redact::{Redactor, SecretValues};

const VALUE: &str = "hunter-2-hunter-2";
const TOKEN: &str = concat!("ghp", "_q7Xc2LmZ9aTf4RkV0bNw8JyH3sPd6GuE1oQx"); // in two parts, so that no scanner takes it for one

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| {
    Redactor::new(SecretValues::of([("ONE_KEY".to_owned(), VALUE.to_owned())], &[])).expect("one value is not too much")
});

fuzz_target!(|around: (&str, &str)| {
    let (before, after) = around;
    REDACTOR.text(before);
    let text = format!("{before} {VALUE} {TOKEN} {after}");
    let clean = REDACTOR.text(&text);
    // In the middle of a word the token is none, and what was read may hold one there.
    let tokens = |text: &str| text.matches(TOKEN).count();
    assert!(!clean.contains(VALUE) && tokens(&clean) < tokens(&text), "{clean}");
    assert_eq!(REDACTOR.text(&clean), clean);
    let quoted = serde_json::Value::from(text).to_string();
    for json in [before, &quoted] {
        let is_valid = |json: &str| serde_json::from_str::<&RawValue>(json).is_ok();
        let clean = REDACTOR.text(json);
        assert!(is_valid(&clean) || !is_valid(json), "{json} became {clean}");
    }
});
