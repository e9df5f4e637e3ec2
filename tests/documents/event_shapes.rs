//! Writes the shapes of the known events' data as a table by which the dashboard checks what was posted, and fails when
//! the file has drifted from the types.

use std::fmt::Write;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use townwatch_protocol::event::EventData;

use crate::drift;

const HEAD: &str = "\
// Generated from crates/protocol/ by `npm run types`; do not edit.

import type { Fields } from \"../client/event_shape.ts\";

/** Of each known event the fields of its data. */
export const EVENT_SHAPES: Readonly<Record<string, Fields>> = {
";

/// Words of which the page shows one that it does not know like any other of its kind: an event with such a one is no less
/// of the protocol than the rest of it.
const OPEN_WORDS: &[&str] =
    &["AgentNoticeKind", "AttachmentKind", "QuestionKind", "SubjectKind", "TaskKind", "ToolCategory"];

fn generate() -> String {
    let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let events = EventData::schemas(&mut generator);
    let definitions = generator.take_definitions(true);
    let mut text = HEAD.to_owned();
    for (name, _, _, schema) in events {
        let shape = Shapes { definitions: &definitions }.of(schema.as_value(), 1);
        writeln!(text, "  {name:?}: {shape},").unwrap();
    }
    text + "};\n"
}

struct Shapes<'a> {
    definitions: &'a Map<String, Value>,
}

impl Shapes<'_> {
    /// A shape in the words of `dashboard/src/client/event_shape.ts`. What it has no word for fails here, so that no check is left out.
    fn of(&self, schema: &Value, depth: usize) -> String {
        if let Some(reference) = schema.get("$ref") {
            let name = reference.as_str().unwrap().rsplit('/').next().unwrap();
            if OPEN_WORDS.contains(&name) {
                return "\"text\"".to_owned();
            }
            return self.of(&self.definitions[name], depth);
        }
        if schema.get("properties").is_some() {
            return self.fields(schema, depth);
        }
        if let Some(words) = schema.get("oneOf").and_then(Value::as_array) {
            let words: Vec<&str> = words.iter().map(|one| one["const"].as_str().unwrap()).collect();
            return format!("{words:?}");
        }
        let Some(name) = schema.get("type") else {
            let says_nothing = schema.as_object().is_none_or(|all| all.keys().all(|key| key == "description"));
            assert!(says_nothing, "no shape for {schema}");
            return "\"anything\"".to_owned();
        };
        match name.as_str() {
            Some("string") => "\"text\"",
            Some("boolean") => "\"flag\"",
            Some("number") => "\"number\"",
            Some("integer") if schema.get("minimum").is_some_and(|minimum| *minimum == 0) => "\"count\"",
            Some("integer") => "\"integer\"",
            _ => panic!("no shape for {schema}"),
        }
        .to_owned()
    }

    fn fields(&self, schema: &Value, depth: usize) -> String {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let indent = "  ".repeat(depth);
        let mut text = "{\n".to_owned();
        for (name, field) in schema["properties"].as_object().unwrap() {
            let (value, is_nullable) = without_null(field);
            let mark = if is_nullable || !required.contains(&name.as_str().into()) { "?" } else { "" };
            let (value, list) = match value.get("items") {
                Some(items) => (items.clone(), "[]"),
                None => (value, ""),
            };
            let key = if list.is_empty() && mark.is_empty() { name.clone() } else { format!("\"{name}{list}{mark}\"") };
            writeln!(text, "{indent}  {key}: {},", self.of(&value, depth + 1)).unwrap();
        }
        text + &indent + "}"
    }
}

/// The schema of a value that may be null, and whether it may be.
fn without_null(schema: &Value) -> (Value, bool) {
    let mut schema = schema.clone();
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        let [only, null] = choices.as_slice() else { panic!("no shape for {schema}") };
        assert_eq!(null["type"], "null");
        return (only.clone(), true);
    }
    if let Some([name, null]) = schema.get("type").and_then(Value::as_array).map(Vec::as_slice) {
        assert_eq!(null, "null");
        schema["type"] = name.clone();
        return (schema, true);
    }
    (schema, false)
}

#[test]
fn open_words_are_of_the_events() {
    let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    EventData::schemas(&mut generator);
    let definitions = generator.take_definitions(true);
    for name in OPEN_WORDS {
        assert!(definitions.contains_key(*name), "{name}");
    }
}

#[test]
fn the_shapes_that_the_dashboard_checks_are_those_of_the_types() {
    drift::hold("dashboard/src/protocol/event_shapes.ts", &generate());
}
