//! The frames that a viewer is sent, read back.

use std::rc::Rc;

use serde_json::Value as Json;
use townwatch_protocol::wire::{Gap, ServerFrame, TownEvent};
use townwatch_town::viewers::{Effect, ViewerId, text_of};

/// The frames that a viewer is sent, read.
pub fn frames(effects: &[Effect], viewer: ViewerId) -> Vec<Json> {
    texts(effects, viewer).iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

/// The same as a client in Rust has them. What it reads is what was written, to the byte.
fn server_frames(effects: &[Effect], viewer: ViewerId) -> Vec<ServerFrame> {
    let read = |text: Rc<str>| {
        let frame = ServerFrame::read(&text).unwrap().unwrap_or_else(|| panic!("an unknown frame: {text}"));
        assert_eq!(text_of(&frame), *text);
        frame
    };
    texts(effects, viewer).into_iter().map(read).collect()
}

pub fn texts(effects: &[Effect], viewer: ViewerId) -> Vec<Rc<str>> {
    let sent = effects.iter().filter_map(|effect| match effect {
        Effect::Send(id, text) if *id == viewer => Some(Rc::clone(text)),
        _ => None,
    });
    sent.collect()
}

/// Frames in short: `hello`, `state a`, `history 1 2`, `live 3`, `gap a 1-4 x3`, `caught_up 3`.
pub fn told(effects: &[Effect], viewer: ViewerId) -> Vec<String> {
    server_frames(effects, viewer)
        .iter()
        .map(|frame| match frame {
            ServerFrame::Events { events, backfill } => {
                let kind = if *backfill { "history" } else { "live" };
                let ids = events.iter().map(|event| serde_json::from_str::<TownEvent>(event.get()).unwrap().id);
                ids.fold(kind.to_owned(), |told, id| format!("{told} {id}"))
            }
            ServerFrame::State { agent } => format!("state {}", agent.agent_id),
            ServerFrame::Gap(Gap { agent_id, from, to, count, .. }) => {
                let count = count.map_or_else(String::new, |count| format!(" x{count}"));
                format!("gap {agent_id} {from}-{to}{count}")
            }
            ServerFrame::CaughtUp { id } => format!("caught_up {id}"),
            ServerFrame::Error { code, .. } => format!("error {code}"),
            other => other.name().to_owned(),
        })
        .collect()
}
