//! Writes what others say of the settings: PROTOCOL.md's table, and the list that the scripts check by.

use std::fmt::Write;

use serde_json::{Map, Value, json};
use townwatch_town::settings::{Setting, SettingKind, Settings};

use crate::drift;

/// The control server is no dependency of this package, but its table depends on nothing.
#[allow(dead_code, unreachable_pub)]
#[path = "../../container/src/setting.rs"]
mod control;

const TABLE_HEAD: &str = "| variable | default | may be | what it says |\n|---|---|---|---|\n";

/// Both in one test: each writes the document anew.
#[test]
fn the_tables_of_the_settings_are_those_of_the_programs() {
    drift::hold_part("PROTOCOL.md", "settings", &workers());
    drift::hold_part("PROTOCOL.md", "control server's settings", &control_servers());
}

fn workers() -> String {
    let mut table = TABLE_HEAD.to_owned();
    for Setting { name, meaning, kind } in Settings::TABLE {
        let meaning = meaning.trim();
        let (default, may_be) = match kind {
            SettingKind::Number { default, min, max } => (default.to_string(), format!("{min} to {max}")),
            SettingKind::Switch { default } => (default.to_string(), "`true`, `false`".to_owned()),
            SettingKind::Origin => ("none".to_owned(), "`http(s)://host[:port]`".to_owned()),
            SettingKind::Origins => ("none".to_owned(), "several `scheme://host[:port]`, commas between".to_owned()),
        };
        writeln!(table, "| `{name}` | {default} | {may_be} | {meaning} |").unwrap();
    }
    table
}

#[test]
fn the_scripts_check_by_the_workers_settings() {
    let rows: Vec<Value> = Settings::TABLE
        .iter()
        .map(|Setting { name, kind, .. }| match kind {
            SettingKind::Number { default, min, max } => {
                json!({"name": name, "kind": "number", "default": default, "min": min, "max": max})
            }
            SettingKind::Switch { default } => json!({"name": name, "kind": "switch", "default": default}),
            SettingKind::Origin => json!({"name": name, "kind": "origin"}),
            SettingKind::Origins => json!({"name": name, "kind": "origins"}),
        })
        .collect();
    drift::hold("scripts/lib/settings.json", &format!("{}\n", serde_json::to_string_pretty(&rows).unwrap()));
}

fn control_servers() -> String {
    let mut table = TABLE_HEAD.to_owned();
    for control::NumberSetting { name, default, min, max, meaning } in control::NUMBERS {
        let has_bound = *max < u64::from(u32::MAX);
        let may_be = if has_bound { format!("{min} to {max}") } else { format!("from {min} on") };
        writeln!(table, "| `{name}` | {default} | {may_be} | {} |", meaning.trim()).unwrap();
    }
    for control::TextSetting { name, default, meaning } in control::TEXTS {
        writeln!(table, "| `{name}` | {default} | | {} |", meaning.trim()).unwrap();
    }
    table
}

#[test]
fn the_scripts_hand_on_the_control_servers_numbers() {
    let defaults: Map<String, Value> =
        control::NUMBERS.iter().map(|setting| (setting.name.to_owned(), setting.default.into())).collect();
    let text = serde_json::to_string_pretty(&defaults).unwrap();
    drift::hold("scripts/lib/control_settings.json", &format!("{text}\n"));
}
