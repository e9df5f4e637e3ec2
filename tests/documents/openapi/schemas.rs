//! The wire's types as JSON Schemas, under `components.schemas`.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use townwatch_protocol::error::Error;
use townwatch_protocol::id::{AgentId, ImageId, POSITION_MAX, RigId, SessionId, TokenId, TownId};
use townwatch_protocol::wire::{ClientFrame, RangeEnd, ServerFrame};

use super::events;

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
                    "session_id" => self.given::<SessionId>(),
                    "token_id" => self.given::<TokenId>(),
                    "image_id" => self.given::<ImageId>(),
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
        self.answered::<RangeEnd>();
        self.answered::<Error>();
        self.given::<ClientFrame>();
        let known = events::known(&mut self.given);
        let mut all = self.answered.take_definitions(true);
        all.values_mut().for_each(leave_out_null);
        all.extend(self.given.take_definitions(true));
        // Its data is the poster's, the rest is ours.
        all.get_mut("TownEvent").into_iter().for_each(leave_out_null);
        events::tell_apart(&mut all, known);
        for name in ["ServerFrame", "ClientFrame"] {
            name_variants(&mut all, name);
        }
        all.insert("Failure".to_owned(), failure());
        all.values_mut().for_each(tidy);
        all
    }
}

/// A choice between schemas by the word that one of their properties has: `(word, schema's name)` each.
pub(super) fn choice(property: &str, names: &[(String, String)]) -> Value {
    let place = |name: &str| format!("{PLACE}{name}");
    let choices: Vec<Value> = names.iter().map(|(_, name)| json!({"$ref": place(name)})).collect();
    let mapping: Map<String, Value> = names.iter().map(|(word, name)| (word.clone(), place(name).into())).collect();
    json!({"oneOf": choices, "discriminator": {"propertyName": property, "mapping": mapping}})
}

/// Makes the variants of a tagged enum schemas of their own, `hello` the `HelloFrame`, which name all their fields
/// themselves: a reference with fields beside it is half lost on most generators.
fn name_variants(all: &mut Map<String, Value>, name: &str) {
    let mut frame = all.remove(name).unwrap();
    let mut names = Vec::new();
    for mut variant in frame["oneOf"].take().as_array().cloned().unwrap() {
        let word = variant["properties"]["type"]["const"].as_str().unwrap().to_owned();
        if let Some(inner) = variant.as_object_mut().unwrap().remove("$ref") {
            let inner = &all[inner.as_str().unwrap().strip_prefix(PLACE).unwrap()];
            let required = inner["required"].as_array().cloned().unwrap_or_default();
            variant["required"].as_array_mut().unwrap().extend(required);
            let fields = inner["properties"].as_object().cloned().unwrap();
            variant["properties"].as_object_mut().unwrap().extend(fields);
        }
        let capitals = word.split('_').map(|part| format!("{}{}", part[..1].to_uppercase(), &part[1..]));
        let variant_name = format!("{}Frame", capitals.collect::<String>());
        assert!(all.insert(variant_name.clone(), variant).is_none(), "{variant_name} is there already");
        names.push((word, variant_name));
    }
    let mut chosen = choice("type", &names);
    chosen["description"] = frame["description"].take();
    all.insert(name.to_owned(), chosen);
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
            // Beside a reference nothing may stand by the older standard, which many tools still read it by.
            if let Some(reference) = members.get("$ref").filter(|_| members.len() > 1).cloned() {
                members.remove("$ref");
                members.insert("allOf".to_owned(), json!([{"$ref": reference}]));
            }
            members.values_mut().for_each(tidy);
        }
        Value::Array(all) => all.iter_mut().for_each(tidy),
        _ => {}
    }
}
