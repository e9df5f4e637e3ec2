//! The events of the log, told apart by their names.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::schemas::PLACE;
use crate::event::EventData;

/// An event of the contract.
pub(super) struct Known {
    name: &'static str,
    schema_name: String,
    schema: Value,
}

/// The schemas of the known events.
pub(super) fn known(generator: &mut SchemaGenerator) -> Vec<Known> {
    let rows = EventData::schemas(generator).into_iter();
    rows.map(|(name, what, data_type, data)| Known {
        name,
        schema_name: format!("{data_type}Event"),
        schema: json!({
            "description": what.trim(),
            "allOf": [
                {"$ref": format!("{PLACE}AnyEvent")},
                {"type": "object", "properties": {"event": {"const": name}, "data": data}},
            ],
        }),
    })
    .collect()
}

/// Makes `TownEvent` the choice between them. What the type itself says becomes `AnyEvent`, which all of them are.
pub(super) fn tell_apart(all: &mut Map<String, Value>, known: Vec<Known>) {
    let any = all.remove("TownEvent").unwrap();
    let reference = |name: &str| json!({"$ref": format!("{PLACE}{name}")});
    let mut choices: Vec<Value> = known.iter().map(|one| reference(&one.schema_name)).collect();
    let mapping: Map<String, Value> =
        known.iter().map(|one| (one.name.to_owned(), reference(&one.schema_name)["$ref"].clone())).collect();
    let other = json!({
        "description": "Any other event: of a name of the poster's own, or with data that is not as the contract has it, \
            because it was posted so or because parts of it were cut.",
        "allOf": [reference("AnyEvent")],
        "not": {"anyOf": choices},
    });
    choices.push(reference("OtherEvent"));
    let town_event = json!({
        "description": any["description"],
        "oneOf": choices,
        "discriminator": {"propertyName": "event", "mapping": mapping},
    });
    all.insert("AnyEvent".to_owned(), any);
    all.insert("OtherEvent".to_owned(), other);
    all.insert("TownEvent".to_owned(), town_event);
    all.extend(known.into_iter().map(|one| (one.schema_name, one.schema)));
}
