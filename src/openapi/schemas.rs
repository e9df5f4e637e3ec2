//! The wire's types as JSON Schemas, under `components.schemas`.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::events;
use crate::error::Error;
use crate::id::{AgentId, POSITION_MAX, RigId, TownId};
use crate::protocol::{ClientFrame, ServerFrame};

/// Where a document keeps its schemas.
pub(super) const PLACE: &str = "#/components/schemas/";

/// What is read and what is written, apart: a field that may be left out of a request is always there in an answer.
pub(super) struct Schemas {
    given: SchemaGenerator,
    answered: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings =
            || SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
        Self {
            given: settings().for_deserialize().into_generator(),
            answered: settings().for_serialize().into_generator(),
        }
    }

    /// What a request carries.
    pub(super) fn given<T: JsonSchema>(&mut self) -> Value {
        self.given.subschema_for::<T>().to_value()
    }

    /// What an answer carries.
    pub(super) fn answered<T: JsonSchema>(&mut self) -> Value {
        self.answered.subschema_for::<T>().to_value()
    }

    /// The parameters that stand in a path.
    pub(super) fn of_path(&mut self, pattern: &str) -> Vec<Value> {
        let names = pattern.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        names
            .map(|name| {
                let schema = match name {
                    "town_id" => self.given::<TownId>(),
                    "rig_id" => self.given::<RigId>(),
                    "agent_id" => self.given::<AgentId>(),
                    "id" => json!({"type": "integer", "minimum": 1, "maximum": POSITION_MAX}),
                    name => panic!("{pattern}: what is {name}?"),
                };
                json!({"name": name, "in": "path", "required": true, "schema": schema})
            })
            .collect()
    }

    /// All of them. A type that is both read and written has the reader's schema, which is the wider one: events are
    /// kept as they were posted.
    pub(super) fn finish(mut self) -> Map<String, Value> {
        self.answered::<ServerFrame>();
        self.answered::<Error>();
        self.given::<ClientFrame>();
        let known = events::known(&mut self.given);
        let mut all = self.answered.take_definitions(true);
        all.values_mut().for_each(leave_out_null);
        all.extend(self.given.take_definitions(true));
        // Its data is the poster's, the rest is ours.
        all.get_mut("TownEvent").into_iter().for_each(leave_out_null);
        events::tell_apart(&mut all, known);
        all.insert("Failure".to_owned(), failure());
        all.values_mut().for_each(tidy);
        all
    }
}

fn failure() -> Value {
    json!({
        "type": "object",
        "description": "The envelope of every failure.",
        "properties": {"success": {"const": false}, "error": {"$ref": format!("{PLACE}Error")}},
        "required": ["success", "error"],
    })
}

/// What we write we leave out where it is not there, and never write as null; what may be null is always there.
fn leave_out_null(schema: &mut Value) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties {
            if required.iter().any(|one| one == name.as_str()) {
                continue;
            }
            if let Some(types) = property.get_mut("type").and_then(Value::as_array_mut) {
                types.retain(|one| one != "null");
                if let [only] = types.as_slice() {
                    property["type"] = only.clone();
                }
            }
            if let Some(choices) = property.get_mut("anyOf").and_then(Value::as_array_mut) {
                choices.retain(|one| one["type"] != "null");
                if let [only] = choices.as_slice() {
                    let reference = only["$ref"].clone();
                    property.as_object_mut().unwrap().remove("anyOf");
                    property["$ref"] = reference;
                }
            }
        }
    }
    if let Some(variants) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        variants.iter_mut().for_each(leave_out_null);
    }
}

/// Without what only Rust knows: the sizes of its unsigned integers, and that an absent value is null inside.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
                members.remove("format");
            }
            if members.get("default").is_some_and(Value::is_null) {
                members.remove("default");
            }
            members.values_mut().for_each(tidy);
        }
        Value::Array(all) => all.iter_mut().for_each(tidy),
        _ => {}
    }
}
