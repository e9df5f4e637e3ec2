//! Writes `openapi.json`, the description of the REST API, out of the route table and the wire's types, and fails when
//! the file has drifted from them. Like the TypeScript types it is made by a test, so nothing of it is in the Worker.

mod events;
mod operation;
mod routes;
mod schemas;

use schemas::Schemas;
use serde_json::{Map, Value, json};
use townwatch_protocol::id::{AgentId, Epoch, EventKey, EventName, ImageId, RigId, RunId, TownId};
use townwatch_town::access::cookie::SESSION_COOKIE;
use townwatch_town::route::Route;

use crate::drift;

/// In the folder whose files are served as they are.
const FILE: &str = "dashboard/public/openapi.json";

fn generate() -> Value {
    let mut schemas = Schemas::new();
    let mut responses = Map::new();
    let mut paths: Map<String, Value> = Map::new();
    for (method, pattern) in Route::table() {
        let route = Route::parse(method, &example(pattern)).unwrap();
        let operation = routes::describe(&route, &mut schemas).to_json(&route, (method, pattern), &mut responses);
        let path = paths.entry(pattern).or_insert_with(|| json!({"parameters": schemas.of_path(pattern)}));
        path[method.to_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Townwatch",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Watch coding agents work, live.",
            "description": "The REST API of the Worker; PROTOCOL.md is the whole contract, streams and their order among \
                it. A path that is called with a method that is not listed answers 405 `method_not_allowed` with `Allow`, \
                a path that is not listed 404 `not_found`.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"operator": []}, {"session": []}],
        "tags": routes::TAGS.map(|(name, description)| json!({"name": name, "description": description})),
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "responses": responses,
            "securitySchemes": {
                "operator": {
                    "type": "http", "scheme": "bearer",
                    "description": "TOWNWATCH_API_KEY: may do everything.",
                },
                "session": {
                    "type": "apiKey", "in": "cookie", "name": SESSION_COOKIE,
                    "description": "The operator's browser, signed in by `POST /api/session`. Where the address names a port \
                        `_<port>` follows, on https `__Host-` comes before it. What writes needs the `Origin` header beside it.",
                },
                "agent": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "Made by `POST …/token`: posts events as one agent and reads them.",
                },
                "ticket": {
                    "type": "apiKey", "in": "query", "name": "ticket",
                    "description": "Made by `POST …/stream-ticket`: opens one stream, once, within a minute. An event stream is resumed \
                        with it and the `Last-Event-ID` of that stream.",
                },
            },
        },
    })
}

/// A path of the pattern.
fn example(pattern: &str) -> String {
    pattern.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/")
}

#[test]
fn the_document_is_that_of_the_route_table_and_the_types() {
    drift::hold(FILE, &format!("{}\n", serde_json::to_string_pretty(&generate()).unwrap()));
}

#[test]
fn every_route_is_in_the_document_and_nothing_else_is() {
    let document = generate();
    let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
    let mut described: Vec<(String, String)> = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let keys = item.as_object().unwrap().keys().filter(|key| methods.contains(&key.as_str()));
        described.extend(keys.map(|method| (path.clone(), method.to_uppercase())));
    }
    let mut served: Vec<(String, String)> =
        Route::table().map(|(method, pattern)| (pattern.to_owned(), method.to_owned())).collect();
    described.sort();
    served.sort();
    assert_eq!(described, served);
}

#[test]
fn every_reference_leads_somewhere() {
    fn look(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|one| look(one, found));
            }
            Value::Array(all) => all.iter().for_each(|one| look(one, found)),
            _ => {}
        }
    }
    let document = generate();
    let mut found = Vec::new();
    look(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        assert!(target.is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn nothing_stands_beside_a_reference_and_every_choice_by_a_word_names_all_of_its_schemas() {
    fn look(value: &Value, document: &Value, choices: &mut usize) {
        match value {
            Value::Object(members) => {
                assert!(!members.contains_key("$ref") || members.len() == 1, "{value}");
                if let Some(discriminator) = members.get("discriminator") {
                    let property = discriminator["propertyName"].as_str().unwrap();
                    let mapping = discriminator["mapping"].as_object().unwrap();
                    assert_eq!(mapping.len(), members["oneOf"].as_array().unwrap().len());
                    for (word, reference) in mapping {
                        let schema = document.pointer(&reference.as_str().unwrap()[1..]).unwrap();
                        assert_eq!(schema["properties"][property]["const"], word.as_str());
                        assert!(schema["required"].as_array().unwrap().contains(&property.into()), "{word}");
                    }
                    *choices += 1;
                }
                members.values().for_each(|one| look(one, document, choices));
            }
            Value::Array(all) => all.iter().for_each(|one| look(one, document, choices)),
            _ => {}
        }
    }
    let document = generate();
    let mut choices = 0;
    look(&document, &document, &mut choices);
    assert_eq!(choices, 3, "events, and the frames either way");
}

/// A pattern says to others what `parse` says to us.
#[test]
fn ids_have_the_alphabet_that_their_patterns_name() {
    fn check<T: schemars::JsonSchema>(parse: fn(&str) -> Option<T>) {
        let schema = schemars::schema_for!(T).to_value();
        let pattern = schema["pattern"].as_str().unwrap();
        let (alphabet, bound) = pattern.strip_prefix("^[").unwrap().split_once("]{1,").unwrap();
        let max: usize = bound.strip_suffix("}$").unwrap().parse().unwrap();
        let mut named: Vec<char> = Vec::new();
        let mut rest = alphabet;
        while let Some(first) = rest.chars().next() {
            let range = rest.as_bytes().get(1..3).filter(|range| range[0] == b'-').map(|range| char::from(range[1]));
            named.extend(first..=range.unwrap_or(first));
            rest = &rest[if range.is_some() { 3 } else { 1 }..];
        }
        for character in '\0'..='\u{ff}' {
            let taken = parse(&character.to_string()).is_some();
            assert_eq!(taken, named.contains(&character), "{character:?} of {pattern}");
        }
        assert!(parse(&"a".repeat(max)).is_some() && parse(&"a".repeat(max + 1)).is_none(), "{pattern}");
    }
    check(TownId::parse);
    check(RigId::parse);
    check(AgentId::parse);
    check(RunId::parse);
    check(Epoch::parse);
    check(EventKey::parse);
    check(EventName::parse);
    check(ImageId::parse);
}
