//! Readers who pull, for tests that tell a story: event streams and lines read back, and what is being typed.

use serde_json::{Value as Json, json};
use townwatch_protocol::id::AgentId;
use townwatch_town::log::Selection;
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::pages::PageRequest;
use townwatch_town::reading::range::RangeReader;
use townwatch_town::reading::reader::{Next, Reader};
use townwatch_town::reading::streams::Join;

use crate::story::{Story, operator};

/// A message of an event stream.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: Option<String>,
    pub event: String,
    pub data: Json,
}

/// Reads messages as the standard has it: lines of fields, an empty one at the end.
pub fn messages(text: &str) -> Vec<Message> {
    assert!(text.is_empty() || text.ends_with("\n\n"), "whole messages only");
    let mut read = Vec::new();
    for block in text.split("\n\n").filter(|block| !block.is_empty()) {
        let (mut id, mut event, mut data) = (None, "message".to_owned(), None);
        for line in block.split(['\n', '\r']) {
            let (field, value) = line.split_once(": ").unwrap();
            match field {
                "id" => id = Some(value.to_owned()),
                "event" => value.clone_into(&mut event),
                "data" => assert!(data.replace(value.to_owned()).is_none(), "one line of data: {block}"),
                "retry" => assert!(value.parse::<u64>().unwrap() > 0),
                other => panic!("an unknown field {other}"),
            }
        }
        let data = data.unwrap_or_else(|| panic!("a block without data, which some readers cannot take: {block}"));
        read.push(Message { id, event, data: serde_json::from_str(&data).unwrap() });
    }
    read
}

/// In short: `hello`, `state a`, `note 3`, `gap a 1-4 x3`, `caught_up 3`.
pub fn short(messages: &[Message]) -> Vec<String> {
    let words = |Message { id, event, data }: &Message| match event.as_str() {
        "state" => format!("state {}", data["agent"]["agent_id"].as_str().unwrap()),
        "gap" => {
            let count = data["count"].as_u64().map_or_else(String::new, |count| format!(" x{count}"));
            format!("gap {} {}-{}{count}", data["agent_id"].as_str().unwrap(), data["from"], data["to"])
        }
        "caught_up" => format!("caught_up {}", data["id"]),
        "preview" => format!("preview {} {}", data["message_id"].as_str().unwrap(), data["offset"]),
        name => id.as_ref().map_or_else(|| name.to_owned(), |id| format!("{name} {id}")),
    };
    messages.iter().map(words).collect()
}

pub fn town_with(agents: &[&str]) -> Story {
    let mut story = Story::new();
    for name in agents {
        story.register(name);
    }
    story
}

pub fn note(agent_id: &str) -> (&str, &str, &str, Json) {
    (agent_id, "", "note", json!(0))
}

impl Story {
    pub fn open(&self, agent_id: &str, asked: BeginRequest) -> Reader {
        let join = Join { agent_id: AgentId::parse(agent_id), asked, ..Join::default() };
        self.town.open_reader(&join, &operator(), self.now).unwrap()
    }

    /// All that is there for a reader now.
    pub fn pulls(&self, reader: &mut Reader) -> Vec<Message> {
        let mut all = Vec::new();
        loop {
            let turn = self.town.read_on(reader, self.now).unwrap();
            all.extend(messages(&turn.text));
            if turn.next != Next::Pull {
                return all;
            }
        }
    }

    /// What is told of an agent's typing, `(offset, text)`.
    pub fn types(&mut self, agent_id: &str, run_id: &str, message_id: &str, offset: u64, text: &str) -> Vec<u64> {
        let preview = json!({
            "agent_id": agent_id, "run_id": run_id, "message_id": message_id, "offset": offset, "text": text,
        });
        let effects = self.preview(vec![serde_json::from_value(preview).unwrap()]);
        let sent = effects.iter().filter_map(|effect| match effect {
            townwatch_town::viewers::Effect::Send(id, text) if text.contains(r#""type":"preview""#) => Some(id.0),
            _ => None,
        });
        sent.collect()
    }

    pub fn range(&self, agent_id: &str, request: PageRequest) -> RangeReader {
        let selection = AgentId::parse(agent_id).map_or_else(Selection::town, Selection::agent);
        self.town.open_range(selection, request, operator().grantor).unwrap()
    }

    /// The lines of a range, in short, and how large the largest piece was. The last one, `complete`, is looked at and
    /// left out.
    pub fn lines(&self, range: &mut RangeReader) -> (Vec<String>, usize) {
        let (mut lines, mut largest) = (Vec::new(), 0);
        let mut end = None;
        while let Some(piece) = self.town.read_range(range, self.now).unwrap() {
            assert!(piece.ends_with('\n'));
            assert_eq!(end, None, "nothing stands behind the last line");
            largest = largest.max(piece.len());
            for line in piece.lines() {
                let line: Json = serde_json::from_str(line).unwrap();
                lines.push(match line["type"].as_str() {
                    Some("gap") => {
                        format!("gap {} {}-{}", line["agent_id"].as_str().unwrap(), line["from"], line["to"])
                    }
                    Some("complete") => {
                        end = Some((line["next_after_id"].as_u64().unwrap(), line["head"].as_u64().unwrap()));
                        continue;
                    }
                    Some(other) => other.to_owned(),
                    None => line["id"].to_string(),
                });
            }
        }
        let (next_after_id, head) = end.expect("a last line that says that it is whole");
        let last: Option<u64> = lines.iter().filter_map(|line| line.parse().ok()).max();
        assert!(
            last.is_none_or(|last| last <= next_after_id) && next_after_id <= head,
            "{last:?} {next_after_id} {head}"
        );
        (lines, largest)
    }
}

pub fn ids(from: u64, to: u64) -> Vec<String> {
    (from..=to).map(|id| id.to_string()).collect()
}

impl Story {
    pub fn store_frame(&self, id: u64, what: &str, with: &str) {
        use townwatch_town::store::Store;
        let sql = "UPDATE agent_events SET frame = replace(frame, ?, ?) WHERE id = ?";
        self.store.query(sql, &[what.into(), with.into(), id.into()]).unwrap();
        assert!(self.texts("SELECT frame FROM agent_events WHERE id = 1")[0].contains(with));
    }
}
