//! The events of the log, told apart by their names.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use townwatch_protocol::event::EventData;

use super::schemas::{PLACE, choice};

/// An event of the contract.
pub(super) struct Known {
    name: &'static str,
    schema_name: String,
    what: &'static str,
    data: Value,
}

/// The known events, each with the schema of its data.
pub(super) fn known(generator: &mut SchemaGenerator) -> Vec<Known> {
    let rows = EventData::schemas(generator).into_iter();
    rows.map(|(name, what, data_type, data)| Known {
        name,
        schema_name: format!("{data_type}Event"),
        what: what.trim(),
        data: data.to_value(),
    })
    .collect()
}

/// Makes `TownEvent` the choice between a `KnownEvent`, which its name tells apart, and an `OtherEvent`. Each of them
/// stands for itself: what generators make of a schema that refers to a common part has optional fields.
pub(super) fn tell_apart(all: &mut Map<String, Value>, known: Vec<Known>) {
    let reference = |name: &str| json!({"$ref": format!("{PLACE}{name}")});
    let mut other = all.remove("TownEvent").unwrap();
    let what_any = other["description"].clone();
    let names: Vec<(String, String)> = known.iter().map(|one| (one.name.to_owned(), one.schema_name.clone())).collect();
    for Known { name, schema_name, what, data } in known {
        let mut event = other.clone();
        event["description"] = what.into();
        event["properties"]["event"] = json!({"type": "string", "const": name});
        event["properties"]["data"] = data;
        all.insert(schema_name, event);
    }
    let mut any_known = choice("event", &names);
    any_known["description"] = "An event of the contract, with data that is as the contract has it.".into();
    all.insert("KnownEvent".to_owned(), any_known);
    other["description"] =
        "Any other event: of a name of the poster's own, or with data that is not as the contract has \
        it, because it was posted so or because parts of it were cut."
            .into();
    other["not"] = reference("KnownEvent");
    all.insert("OtherEvent".to_owned(), other);
    let both = [reference("KnownEvent"), reference("OtherEvent")];
    all.insert("TownEvent".to_owned(), json!({"description": what_any, "oneOf": both}));
}
