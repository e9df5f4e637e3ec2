//! The neutral cases of `tests/resume/`, for tests that run them by one transport each: a case's town, its request in our own
//! words, and what came in the cases' frames.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use townwatch_protocol::error::Result;
use townwatch_protocol::id::{AgentId, EventName};
use townwatch_protocol::query::Query;
use townwatch_town::agents::deletion::EraseAgent;
use townwatch_town::log::{PageFilter, Selection};
use townwatch_town::reading::cursor::BeginRequest;
use townwatch_town::reading::pages::PageRequest;
use townwatch_town::reading::stream_query::StreamQuery;
use townwatch_town::reading::streams::Join;
use townwatch_town::town::TownConfig;
use townwatch_town::viewers::Effect;

use crate::story::{Story, agent, said};

const CASES: &str = include_str!("../resume/cases.json");
const README: &str = include_str!("../resume/README.md");

pub fn cases() -> Vec<Json> {
    serde_json::from_str(CASES).unwrap()
}

/// What a transport cannot say, by the README's table.
fn cannot(transport: &str) -> BTreeSet<String> {
    let (_, table) = README.split_once("## Transports").unwrap();
    let rows = table.lines().filter(|line| line.starts_with('|'));
    let mut rows = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let head = rows.next().unwrap();
    let column = head.iter().position(|name| *name == transport).unwrap();
    rows.filter(|row| row[column] == "no").map(|row| row[1].trim_matches('`').to_owned()).collect()
}

/// What has come, in the cases' frames.
#[derive(Default)]
pub struct Told(pub Vec<Json>);

impl Told {
    pub fn hello(&mut self, reset: bool) {
        self.0.push(json!({"hello": {"reset": reset}}));
        self.0.push(json!({"agents": []}));
    }

    fn is_caught_up(&self) -> bool {
        self.0.iter().any(|frame| !frame["caught_up"].is_null())
    }

    pub fn caught_up(&mut self, id: &Json) {
        if !self.is_caught_up() {
            self.0.push(json!({"caught_up": id}));
        }
    }

    pub fn event(&mut self, event: &Json) {
        match self.0.last_mut().and_then(|frame| frame.get_mut("events")) {
            Some(ids) => ids.as_array_mut().unwrap().push(event["id"].clone()),
            None => self.0.push(json!({"events": [event["id"]]})),
        }
    }

    pub fn gap(&mut self, gap: &Json) {
        assert_eq!(gap["reason"], "pruned");
        let told = gap.as_object().unwrap().clone().into_iter();
        let told = told.filter(|(name, _)| ["agent_id", "from", "to", "count"].contains(&name.as_str()));
        self.0.push(json!({"gap": Json::Object(told.collect())}));
    }

    /// A state belongs before the history, or comes of something that has happened since.
    fn state(&mut self, agent_id: &Json) {
        if !self.is_caught_up() {
            let agents =
                self.0.last_mut().and_then(|frame| frame.get_mut("agents")).expect("states come before history");
            agents.as_array_mut().unwrap().push(agent_id.clone());
        }
    }

    pub fn frame(&mut self, frame: &Json) {
        match frame["type"].as_str() {
            None => self.event(frame),
            Some("hello") => self.hello(frame["reset"].as_bool().unwrap()),
            Some("state") => self.state(&frame["agent"]["agent_id"]),
            Some("gap") => self.gap(frame),
            Some("events") => frame["events"].as_array().unwrap().iter().for_each(|event| self.event(event)),
            Some("caught_up") => self.caught_up(&frame["id"]),
            Some(other) => panic!("nothing is said of {other}"),
        }
    }
}

/// A case under way.
pub struct Run<'a> {
    pub case: &'a Json,
    pub story: Story,
    pub told: Told,
}

impl<'a> Run<'a> {
    fn begin(case: &'a Json) -> Self {
        let cap = case["log"]["event_cap"].as_u64().unwrap_or(TownConfig::default().event_cap);
        let mut run = Self { case, story: Story::capped(cap), told: Told::default() };
        for name in case["log"]["agents"].as_array().unwrap() {
            run.story.register(name.as_str().unwrap());
        }
        run.happens(&case["log"]["events"]);
        run
    }

    /// Lets steps happen; events of one agent that follow each other are one post.
    pub fn happens(&mut self, steps: &Json) -> Vec<Effect> {
        let steps = steps.as_array().unwrap();
        let mut effects = Vec::new();
        for post in steps.chunk_by(|one, next| author(one).is_some() && author(one) == author(next)) {
            if author(&post[0]).is_some() {
                let events: Vec<_> = post.iter().map(|step| event(step.as_str().unwrap())).collect();
                effects.extend(self.story.shows(&events));
            } else if let Some(name) = post[0]["register"].as_str() {
                self.story.register(name);
            } else {
                let plan = self.story.town.begin_deletion(&agent(post[0]["delete"].as_str().unwrap())).unwrap();
                effects.extend(self.story.seen(EraseAgent { plan: &plan }));
            }
        }
        effects
    }

    pub fn asks(&self, name: &str) -> &'a Json {
        &self.case["request"][name]
    }

    pub fn agent_id(&self) -> Option<AgentId> {
        self.asks("agent_id").as_str().map(agent)
    }

    pub fn selection(&self) -> Selection {
        self.agent_id().map_or_else(Selection::town, Selection::agent)
    }

    fn query(&self) -> Query {
        let mut parts = Vec::new();
        for name in ["after_id", "from", "tail", "until"] {
            match self.asks(name) {
                Json::Null => {}
                Json::String(word) => parts.push(format!("{name}={word}")),
                number => parts.push(format!("{name}={number}")),
            }
        }
        parts.extend(self.asks("epoch").as_str().map(|name| format!("epoch={}", life(name))));
        Query::parse(&parts.join("&"))
    }

    /// The stream that it asks for, and whether it comes back to it.
    pub fn join(&self) -> Result<(Join, bool)> {
        let header = self.asks("last_event_id").as_object().map(|last| {
            let life = last.get("epoch").map_or_else(String::new, |name| format!("{}.", life(name.as_str().unwrap())));
            format!("{life}{}", last["id"])
        });
        let query = StreamQuery::parse(&self.query(), header.as_deref())?;
        let join =
            Join { agent_id: self.agent_id(), asked: query.begin, until_exit: query.until_exit, ..Join::default() };
        self.story.town.check_join(&join, 0)?;
        Ok((join, query.comes_back))
    }

    pub fn page(&self) -> Result<PageRequest> {
        let query = self.query();
        let names = self.asks("types").as_array().into_iter().flatten();
        Ok(PageRequest {
            asked: BeginRequest::of_page(&query)?,
            wanted: PageFilter {
                run_id: None,
                events: names.map(|name| EventName::parse(name.as_str().unwrap()).unwrap()).collect(),
            },
            ..PageRequest::default()
        })
    }

    /// Holds what came against the case; `then` lets the rest happen and takes what comes of it.
    pub fn ends(mut self, transport: &str, opened: Result<()>, then: impl FnOnce(&mut Self)) {
        let name = self.case["name"].as_str().unwrap();
        if let Err(error) = opened {
            self.told.0.push(json!({"refused": error.code.name()}));
        }
        let silent = cannot(transport);
        let sayable = |frames: &[Json]| {
            let can = |frame: &&Json| frame.as_object().unwrap().keys().all(|kind| !silent.contains(kind));
            frames.iter().filter(can).cloned().collect::<Vec<_>>()
        };
        let expected = self.case["expect"].as_array().unwrap();
        assert_eq!(sayable(&self.told.0), sayable(expected), "{transport}: {name}");
        let more = self.case["then"]["expect"].as_array();
        if let Some(more) = more {
            let before = self.told.0.len();
            // What is live begins a frame of its own.
            self.told.0.push(json!({"then": {}}));
            then(&mut self);
            assert_eq!(sayable(&self.told.0[before + 1..]), sayable(more), "{transport}, then: {name}");
        }
    }
}

fn life(name: &str) -> &'static str {
    if name == "current" { "log-1" } else { "log-0" }
}

fn author(step: &Json) -> Option<&str> {
    step.as_str().map(|step| step.split_once(' ').unwrap().0)
}

fn event(step: &str) -> (&str, &str, &str, Json) {
    let (agent_id, name) = step.split_once(' ').unwrap();
    let data = match name {
        "agent_output" => said("x"),
        "agent.exited" => json!({"reason": "completed"}),
        _ => json!(0),
    };
    (agent_id, "", name, data)
}

/// Runs each case that a transport can ask for.
pub fn each(transport: &str, run: impl Fn(Run<'_>)) {
    let cannot = cannot(transport);
    let cases = cases();
    let asked = |case: &&Json| case["request"].as_object().unwrap().keys().all(|name| !cannot.contains(name));
    let able: Vec<&Json> = cases.iter().filter(asked).collect();
    assert!(able.len() >= 18, "{transport}: {} cases", able.len());
    for case in able {
        run(Run::begin(case));
    }
}
