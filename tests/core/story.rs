//! A town with one rig for tests that tell a story: agents `a`, `b`, …, events in one line each, frames read back.

mod container;
mod frames;
mod posts;

use std::cell::Cell;
use std::rc::Rc;

use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use townwatch_protocol::error::Result;
use townwatch_protocol::event::Role;
use townwatch_protocol::id::{AgentId, Epoch, RigId, RunId, SourceId, TownId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::RigRequest;
use townwatch_town::access::grantor::Grantor;
use townwatch_town::access::permit::Permit;
use townwatch_town::agents::archive::AgentRegistration;
use townwatch_town::input::TownInput;
use townwatch_town::log::ingest::{Outcome, RunIdSource};
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::streams::{Join, MessageContent, OpenStream, ViewerMessage};
use townwatch_town::store::{Store, Value};
use townwatch_town::town::{Tick, Town, TownConfig};
use townwatch_town::viewers::frames::Pace;
use townwatch_town::viewers::{Effect, RecallResult, ViewerId};

pub use self::frames::{frames, texts, told};
use crate::sqlite::Sqlite;

pub struct Story {
    pub store: Rc<Sqlite>,
    pub town: Town,
    pub now: Timestamp,
    /// The life of the container, and how many events it has had in it.
    pub epoch: Epoch,
    pub emitted: u64,
    posted: u64,
    mint: Rc<Mint>,
    /// What was to be shown and nobody has looked at yet.
    unseen: Vec<Effect>,
}

/// Names runs that nobody has named, where one may be due.
#[derive(Debug, Default)]
struct Mint {
    minted: Cell<u64>,
    is_open: Cell<bool>,
    prefix: Cell<&'static str>,
}

impl Mint {
    fn source(self: &Rc<Self>) -> Rc<RunIdSource> {
        let mint = Rc::clone(self);
        Rc::new(move || {
            assert!(mint.is_open.get(), "a run was minted where none is due");
            mint.minted.set(mint.minted.get() + 1);
            run(&format!("{}{}", mint.prefix.get(), mint.minted.get()))
        })
    }
}

pub fn agent(name: &str) -> AgentId {
    AgentId::parse(name).unwrap()
}

pub fn run(name: &str) -> RunId {
    RunId::parse(name).unwrap()
}

pub fn epoch(name: &str) -> Epoch {
    Epoch::parse(name).unwrap()
}

pub fn position(id: u64) -> SourceId {
    SourceId::new(id).unwrap()
}

pub fn raw(data: &Json) -> Box<RawValue> {
    RawValue::from_string(data.to_string()).unwrap()
}

/// The right of the key's holder.
pub fn operator() -> Permit {
    Permit::of_operator(Grantor { name: "key 1".to_owned(), ends_at: None })
}

/// A source of runs' names for what must not need one.
pub fn no_run() -> Rc<RunIdSource> {
    Rc::new(|| panic!("a run was minted where none is due"))
}

/// What `agent_output` carries.
pub fn said(text: &str) -> Json {
    json!({"text": text, "stream": "assistant"})
}

impl Story {
    pub fn new() -> Self {
        Self::capped(TownConfig::default().event_cap)
    }

    pub fn capped(event_cap: u64) -> Self {
        // Without a pace: a story is told at one moment unless it says otherwise.
        let pace = Pace { frame_interval_ms: 0, ..TownConfig::default().pace };
        Self::with(TownConfig { event_cap, pace, ..TownConfig::default() })
    }

    pub fn with(config: TownConfig) -> Self {
        let now = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        let store = Rc::new(Sqlite::new());
        Town::create(store.as_ref(), &TownId::parse("town").unwrap(), "Town", &epoch("log-1"), now).unwrap();
        let mint = Rc::new(Mint { prefix: Cell::new("minted-"), ..Mint::default() });
        let town = Town::open(Rc::clone(&store) as Rc<dyn Store>, config, mint.source()).unwrap().unwrap();
        let begun =
            Self { store, town, now, epoch: epoch("container-1"), emitted: 0, posted: 0, mint, unseen: Vec::new() };
        begun.add_rig("rig");
        begun
    }

    pub fn add_rig(&self, rig_id: &str) {
        let request = RigRequest { name: rig_id.to_owned(), git_url: None, default_branch: None };
        self.town.add_rig(RigId::parse(rig_id).unwrap(), &request, self.now).unwrap();
    }

    /// Opens the town anew on the same tables, as after a hibernation.
    pub fn reopen(&mut self) {
        self.reopen_with(self.town.config());
    }

    /// The same with other settings.
    pub fn reopen_with(&mut self, config: TownConfig) {
        self.town = Town::open(Rc::clone(&self.store) as Rc<dyn Store>, config, self.mint.source()).unwrap().unwrap();
    }

    pub fn register(&mut self, name: &str) {
        let (rig_id, agent_id) = (RigId::parse("rig").unwrap(), agent(name));
        let register = AgentRegistration { rig_id: &rig_id, agent_id: &agent_id, name, role: Role::Polecat };
        self.handle(register).unwrap();
    }

    /// Lets runs be named from now on, whoever begins them: `r1`, `r2`, … with the prefix `r`.
    pub fn mints(&self, prefix: &'static str) {
        self.mint.prefix.set(prefix);
        self.mint.is_open.set(true);
    }

    // ---- the front door ----

    /// Takes an input; what it shows waits for [`Story::shown`].
    pub fn handle<I: TownInput>(&mut self, input: I) -> Result<I::Answer> {
        self.reported(input).map(|(answer, _)| answer)
    }

    /// [`Story::handle`], with what the log got.
    pub fn reported<I: TownInput>(&mut self, input: I) -> Result<(I::Answer, Outcome)> {
        let answer = self.town.handle(input, self.now);
        let mut outcome = Outcome::default();
        for effect in self.town.take_effects() {
            match effect {
                Effect::LetGo(error) => panic!("viewers were let go: {error:?}"),
                Effect::Report(reported) => outcome = *reported,
                effect => self.unseen.push(effect),
            }
        }
        answer.map(|answer| (answer, outcome))
    }

    /// Takes an input and gives what it shows, and nothing of before.
    pub fn seen<I: TownInput>(&mut self, input: I) -> Vec<Effect> {
        let before = std::mem::take(&mut self.unseen);
        self.handle(input).unwrap();
        std::mem::replace(&mut self.unseen, before)
    }

    /// What was to be shown since the last look.
    pub fn shown(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.unseen)
    }

    pub fn tick(&mut self) -> Vec<Effect> {
        self.seen(Tick)
    }

    pub fn pass(&mut self, millis: i64) {
        self.now = self.now.plus_millis(millis);
    }

    // ---- streams ----

    /// Opens a stream; `agent_id` empty: the whole town's.
    pub fn join(&mut self, agent_id: &str, asked: BeginRequest) -> (ViewerId, Vec<Effect>) {
        self.join_with(&Join { agent_id: AgentId::parse(agent_id), asked, ..Join::default() })
    }

    pub fn join_with(&mut self, join: &Join) -> (ViewerId, Vec<Effect>) {
        let id = self.town.fresh_viewer();
        (id, self.seen(OpenStream { id, join, permit: operator() }))
    }

    /// Lets the town know a stream again whose right lasts.
    pub fn recall(&mut self, note: &str) -> RecallResult {
        self.town.recall(note, &|_| true).unwrap()
    }

    /// Posts, and gives what that shows.
    pub fn shows(&mut self, events: &[(&str, &str, &str, Json)]) -> Vec<Effect> {
        self.post(events);
        self.shown()
    }

    /// A text of a viewer.
    pub fn says(&mut self, id: ViewerId, text: &str) -> Vec<Effect> {
        self.seen(ViewerMessage { id, content: MessageContent::Text(text) })
    }

    /// So many bytes of a viewer that are no text.
    pub fn says_binary(&mut self, id: ViewerId, bytes: usize) -> Vec<Effect> {
        self.seen(ViewerMessage { id, content: MessageContent::Binary(bytes) })
    }

    /// A message of a viewer.
    pub fn hears(&mut self, id: ViewerId, message: &Json) -> Vec<Effect> {
        self.says(id, &message.to_string())
    }

    /// What is due within a minute: not yet the silence of an agent that posts.
    pub fn due_soon(&self) -> Option<Timestamp> {
        self.town.due_at(self.now).filter(|at| at.millis_since(self.now) < 60_000)
    }

    // ---- the tables ----

    pub fn number(&self, sql: &str) -> u64 {
        self.store.query(sql, &[]).unwrap()[0].number(0).unwrap()
    }

    pub fn texts(&self, sql: &str) -> Vec<String> {
        self.store.query(sql, &[]).unwrap().iter().map(|row| row.text(0).unwrap().to_owned()).collect()
    }

    /// All rows of all tables: what must be unchanged is compared with what was.
    pub fn dump(&self) -> Vec<(String, Vec<Vec<Value>>)> {
        dump(&self.store)
    }

    pub fn state(&self, agent_id: &str) -> Json {
        serde_json::to_value(self.town.agent(&agent(agent_id)).unwrap().unwrap()).unwrap()
    }

    /// The log: id, agent, run, name.
    pub fn log(&self) -> Vec<(u64, String, String, String)> {
        let rows = self.store.query("SELECT id, agent_id, run_id, event FROM agent_events ORDER BY id", &[]).unwrap();
        let text = |row: &townwatch_town::store::Row, column| row.text(column).unwrap().to_owned();
        rows.iter().map(|row| (row.number(0).unwrap(), text(row, 1), text(row, 2), text(row, 3))).collect()
    }
}

pub fn dump(store: &Sqlite) -> Vec<(String, Vec<Vec<Value>>)> {
    let tables = store.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", &[]).unwrap();
    tables
        .iter()
        .map(|table| {
            let table = table.text(0).unwrap();
            let rows = store.query(&format!("SELECT * FROM {table} ORDER BY 1, 2"), &[]);
            let rows = rows.or_else(|_| store.query(&format!("SELECT * FROM {table} ORDER BY 1"), &[])).unwrap();
            (table.to_owned(), rows.into_iter().map(|row| row.0).collect())
        })
        .collect()
}
