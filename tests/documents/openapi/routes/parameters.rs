//! Parameters and contents that several routes have.

use serde_json::{Value, json};
use townwatch_protocol::limits::{EVENTS_PER_AGENT_MAX, PAGE_EVENTS_DEFAULT, PAGE_EVENTS_MAX};

pub(super) fn text(kind: &str, what: &str) -> Value {
    json!({kind: {"schema": {"type": "string", "description": what}}})
}

pub(super) fn images() -> Value {
    let picture = json!({"schema": {"type": "string", "format": "binary"}});
    json!({"image/png": picture, "image/jpeg": picture, "image/webp": picture, "image/gif": picture})
}

pub(super) fn query(name: &str, what: &str, schema: &Value) -> Value {
    json!({"name": name, "in": "query", "description": what, "schema": schema})
}

pub(super) fn position() -> Value {
    json!({"type": "integer", "minimum": 0})
}

pub(super) fn after_id() -> Value {
    query("after_id", "The events after this one; 0 is the start.", &position())
}

pub(super) fn tail() -> Value {
    let schema = json!({"type": "integer", "minimum": 0, "maximum": EVENTS_PER_AGENT_MAX});
    query("tail", "The newest so many events.", &schema)
}

pub(super) fn limit() -> Value {
    let schema = json!({"type": "integer", "minimum": 1, "maximum": PAGE_EVENTS_MAX, "default": PAGE_EVENTS_DEFAULT});
    query("limit", "How many events a page has at most; a page by `tail` as many as that names.", &schema)
}
