//! Posts of agents to their rig, and the refusals of them.

use std::borrow::Cow;

use serde_json::value::RawValue;
use townwatch_protocol::body::is_deeper_than;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::{AgentExited, EventKind};
use townwatch_protocol::limits::{BATCH_EVENTS_MAX, EVENT_BYTES_MAX, JSON_DEPTH_MAX};
use townwatch_protocol::wire::{AgentState, PostEvent, PostEvents, ServerFrame};
use townwatch_redaction::Redactor;

/// Checks the events of a post, after the redactor has removed the secrets in their data.
pub(crate) fn checked(request: PostEvents, redactor: Option<&Redactor>) -> Result<Vec<PostEvent>> {
    let mut events = events_of(request)?;
    if let Some(redactor) = redactor {
        for event in &mut events {
            redact(event, redactor);
        }
    }
    for (index, event) in events.iter().enumerate() {
        check_event(index, event, events.len() == 1)?;
    }
    Ok(events)
}

/// Redacts the data of an event. Data without a secret stays as it is, byte for byte.
fn redact(event: &mut PostEvent, redactor: &Redactor) {
    if let Cow::Owned(clean) = redactor.text(data_of(event)) {
        event.data = Some(RawValue::from_string(clean).unwrap_or_default());
    }
}

/// An event's data as JSON text.
pub(crate) fn data_of(event: &PostEvent) -> &str {
    event.data.as_deref().map_or("null", RawValue::get)
}

/// Gives the events of a batch, or the single event as a batch of one.
fn events_of(request: PostEvents) -> Result<Vec<PostEvent>> {
    let PostEvents { events, event_type, data, at, event_id, run_id, .. } = request;
    let single = [
        ("event_type", event_type.is_some()),
        ("data", data.is_some()),
        ("at", at.is_some()),
        ("event_id", event_id.is_some()),
        ("run_id", run_id.is_some()),
    ];
    if let (Some(_), Some((field, _))) = (&events, single.iter().find(|(_, is_given)| *is_given)) {
        return Err(Error::invalid("events", format!("not together with {field}; post one event or a batch")));
    }
    match (events, event_type) {
        (Some(events), _) if events.is_empty() => Err(Error::invalid("events", "expected at least one event")),
        (Some(events), _) if events.len() > BATCH_EVENTS_MAX => {
            let message = format!("events: {} in one batch; post at most {BATCH_EVENTS_MAX}", events.len());
            Err(Error::new(Code::TooLarge, message))
        }
        (Some(events), _) => Ok(events.into_iter().map(|event| event.0).collect()),
        (None, Some(event_type)) => Ok(vec![PostEvent { event_type, data, at, event_id, run_id }]),
        (None, None) => Err(Error::invalid("event_type", "missing; name the event, or post a batch in events")),
    }
}

fn check_event(index: usize, event: &PostEvent, single: bool) -> Result<()> {
    let field = |name: &str| if single { name.to_owned() } else { format!("events[{index}].{name}") };
    let name = event.event_type.as_str();
    if ServerFrame::<AgentState>::NAMES.contains(&name) {
        return Err(Error::invalid(
            &field("event_type"),
            format!("{name} is the name of a stream frame; choose another"),
        ));
    }
    let data = data_of(event);
    if data.len() > EVENT_BYTES_MAX {
        let message = format!("{}: {} bytes; an event may have {EVENT_BYTES_MAX}", field("data"), data.len());
        return Err(Error::new(Code::TooLarge, message));
    }
    if is_deeper_than(data.as_bytes(), JSON_DEPTH_MAX) {
        return Err(Error::invalid(&field("data"), format!("nested deeper than {JSON_DEPTH_MAX} levels")));
    }
    // The reason decides how the run ends, so it has to be readable.
    if event.event_type.is(EventKind::Exited) && serde_json::from_str::<AgentExited>(data).is_err() {
        let problem = "expected {\"reason\": \"completed\", \"failed\", \"stopped\", \"timeout\", \"budget_exceeded\" or \"lost\"}";
        return Err(Error::invalid(&field("data.reason"), problem));
    }
    Ok(())
}
