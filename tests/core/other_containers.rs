//! Containers that are not ours: they name no epoch, head or oldest event, and their events name no run. One life as long
//! as ids rise; ids that begin anew are the next.

use serde_json::{Value as Json, json};
use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::time::Timestamp;
use townwatch_town::agents::runs::Source;
use townwatch_town::log::ingest::Outcome;
use townwatch_town::relay::source_answer::SourceAnswer;
use townwatch_town::relay::taking::{AnswerEffect, RelayAnswer, RelayFailure};
use townwatch_town::relay::{self, Position, Reach};
use townwatch_town::store::Store as _;

use crate::story::{Story, agent, position};

/// A container that knows `/events?after=N` and answers `{"events":[…]}`.
#[derive(Default)]
struct Container {
    events: Vec<Json>,
    /// Gives every event the time of the answer, cut to so many milliseconds.
    restamps_ms: Option<i64>,
    /// Writes ids as texts.
    writes_texts: bool,
}

impl Container {
    fn says(&mut self, at: Timestamp, text: &str) {
        let id = self.events.last().map_or(1, |event| event["id"].as_u64().unwrap() + 1);
        let data = json!({"text": text, "stream": "assistant"});
        self.events.push(json!({"id": id, "agent_id": "a", "event": "agent_output", "data": data, "timestamp": at}));
    }

    fn answer(&self, query: &str, now: Timestamp) -> String {
        let after: u64 = query.split("after=").nth(1).unwrap().parse().unwrap();
        let mut events = self.events.clone();
        events.retain(|event| event["id"].as_u64().unwrap() > after);
        for event in &mut events {
            if let Some(ms) = self.restamps_ms {
                event["timestamp"] = json!(Timestamp::from_millis(now.millis() / ms * ms));
            }
            if self.writes_texts {
                event["id"] = event["id"].to_string().into();
            }
        }
        json!({ "events": events }).to_string()
    }

    /// Its process begins anew: what it had is gone, what it is like stays.
    fn restart(&mut self) {
        self.events.clear();
    }
}

struct World {
    story: Story,
    container: Container,
}

impl World {
    fn new() -> Self {
        let mut story = Story::new();
        story.register("a");
        story.mints("r");
        Self { story, container: Container::default() }
    }

    /// Lets the container say something, a second later each.
    fn says(&mut self, texts: &[&str]) {
        for text in texts {
            self.story.pass(1_000);
            self.container.says(self.story.now, text);
        }
    }

    fn stands(&self) -> Position {
        relay::position(self.story.store.as_ref(), &Source::Container).unwrap()
    }

    fn ask(&mut self, reach: Reach) -> (AnswerEffect, Outcome) {
        let asked = self.stands();
        let answer =
            SourceAnswer::read(&self.container.answer(&asked.query(reach), self.story.now), self.story.now).unwrap();
        self.story.reported(RelayAnswer { position: &asked, reach, answer }).unwrap()
    }

    /// Asks as the relay's turn does, until nothing more comes; gives how many events were stored.
    fn relay(&mut self) -> u64 {
        let (mut stored, mut reach) = (0, Reach::New);
        for _ in 0..10 {
            match self.ask(std::mem::replace(&mut reach, Reach::New)) {
                (AnswerEffect::Taken { .. }, outcome) if outcome.stored == 0 => return stored,
                (AnswerEffect::Taken { .. } | AnswerEffect::NewEpoch, outcome) => stored += outcome.stored,
                (AnswerEffect::Unrecognised, _) => reach = Reach::All,
                (AnswerEffect::Doubted, _) => self.story.pass(500),
                (AnswerEffect::Stale, _) => panic!("one asks at a time"),
            }
        }
        panic!("there is no end of it");
    }

    /// `run event text` of all that is in the log.
    fn log(&self) -> Vec<String> {
        self.story.texts(
            "SELECT run_id || ' ' || event || ' ' || coalesce(json_extract(frame, '$.data.text'), json_extract(frame, '$.data.reason'), '') \
             FROM agent_events ORDER BY id",
        )
    }
}

#[test]
fn ids_that_rise_are_one_life_and_events_without_a_run_are_in_the_open_one() {
    let mut world = World::new();
    world.says(&["one", "two"]);
    assert_eq!(world.relay(), 2);
    world.says(&["three"]);
    assert_eq!(world.relay(), 1);
    assert_eq!(world.relay(), 0, "nothing comes twice");
    world.story.reopen();
    world.says(&["four"]);
    assert_eq!(world.relay(), 1);
    let texts = ["one", "two", "three", "four"].map(|text| format!("r1 agent_output {text}"));
    assert_eq!(world.log(), texts);
    assert_eq!(world.stands().cursor, position(4));
}

#[test]
fn ids_that_begin_anew_are_a_new_life_whenever_it_is_seen() {
    // After its restart the container has said nothing yet, less than before, as much, or more.
    for said in 0..6 {
        let mut world = World::new();
        world.says(&["one", "two", "three"]);
        world.relay();
        world.container.restart();
        let texts: Vec<String> = (0..said).map(|number| format!("new {number}")).collect();
        world.says(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        world.relay();
        let mut expected = ["one", "two", "three"].map(|text| format!("r1 agent_output {text}")).to_vec();
        if said > 0 {
            expected.extend(["r1 source_gap ".to_owned(), "r1 agent.exited lost".to_owned()]);
        }
        expected.extend(texts.iter().map(|text| format!("r2 agent_output {text}")));
        assert_eq!(world.log(), expected, "{said} said");
        world.says(&["at last"]);
        world.relay();
        assert_eq!(world.log().last().unwrap(), "r2 agent_output at last");
        assert_eq!(world.relay(), 0);
    }
}

/// What the log has of a story: `three` were said, then it was quiet for long, then the container began anew with `second`.
fn told_of_two_lives(world: &mut World, second: &[&str]) -> Vec<String> {
    world.says(&["one", "two", "three"]);
    world.relay();
    for _ in 0..40 {
        world.story.pass(500);
        assert_eq!(world.relay(), 0, "nothing has happened");
    }
    world.story.reopen();
    world.says(&["four"]);
    assert_eq!(world.relay(), 1);
    world.container.restart();
    world.says(second);
    for _ in 0..10 {
        world.story.pass(500);
        world.relay();
    }
    world.log()
}

#[test]
fn a_container_that_gives_its_events_other_times_whenever_it_tells_them_lives_once() {
    let first = ["one", "two", "three", "four"].map(|text| format!("r1 agent_output {text}"));
    let end = ["r1 source_gap ", "r1 agent.exited lost"].map(str::to_owned);
    // Its times are those of its answers, by the millisecond or by the second.
    for ms in [1, 1_000] {
        for second in [&["new"][..], &["new", "one", "two", "three", "five"], &["one", "two", "three", "new", "five"]] {
            let mut world = World::new();
            world.container.restamps_ms = Some(ms);
            let log = told_of_two_lives(&mut world, second);
            let second = second.iter().map(|text| format!("r2 agent_output {text}"));
            let expected: Vec<String> = first.iter().chain(&end).cloned().chain(second).collect();
            assert_eq!(log, expected, "{ms} ms");
        }
    }
}

#[test]
fn an_event_of_the_next_life_that_is_like_the_one_before_is_told_by_its_time() {
    let mut world = World::new();
    let log = told_of_two_lives(&mut world, &["one", "two", "three", "four"]);
    let first = ["one", "two", "three", "four"].map(|text| format!("r1 agent_output {text}"));
    let end = ["r1 source_gap ", "r1 agent.exited lost"].map(str::to_owned);
    let second = ["one", "two", "three", "four"].map(|text| format!("r2 agent_output {text}"));
    assert_eq!(log, [&first[..], &end, &second].concat());
    let gaps = "SELECT count(*) FROM agent_events WHERE event = 'source_gap'";
    assert_eq!(world.story.number(gaps), 1);
}

#[test]
fn a_life_whose_last_event_was_remembered_by_its_time_only_goes_on_and_ends_as_any() {
    for said in [0, 2, 3, 5] {
        let mut world = World::new();
        world.says(&["one", "two", "three"]);
        world.relay();
        world.story.store.query("UPDATE sources SET mark = NULL", &[]).unwrap();
        assert_eq!(world.relay(), 0, "it is the same life");
        world.container.restart();
        world.says(&["new"; 5][..said]);
        for _ in 0..10 {
            world.story.pass(500);
            world.relay();
        }
        let log = world.log();
        assert_eq!(log.iter().filter(|line| line.ends_with("new")).count(), said, "{log:?}");
        assert_eq!(log.iter().filter(|line| line.contains("source_gap")).count(), said.min(1), "{log:?}");
    }
}

#[test]
fn ids_may_be_written_as_texts() {
    let mut world = World::new();
    world.container.writes_texts = true;
    world.says(&["one"; 11]);
    assert_eq!(world.relay(), 11);
    assert_eq!(world.stands().cursor, position(11));
    world.says(&["two"]);
    assert_eq!(world.relay(), 1);
    let wrong = r#"{"events":[{"id":"7a","agent_id":"a","event":"x","data":{},"timestamp":"2026-01-01T00:00:00Z"}]}"#;
    let error = SourceAnswer::read(wrong, world.story.now).unwrap_err();
    assert_eq!(error.message, "the container answers, but not in a form we know: `id` is no integer: \"7a\"");
}

#[test]
fn what_the_container_let_go_before_it_was_asked_is_a_gap_in_the_same_life() {
    let mut world = World::new();
    world.says(&["one", "two"]);
    world.relay();
    world.says(&["three", "four", "five"]);
    world.container.events.drain(..4);
    world.relay();
    assert_eq!(world.log()[2..], ["r1 source_gap ", "r1 agent_output five"]);
    let count = "SELECT json_extract(frame, '$.data.count') FROM agent_events WHERE event = 'source_gap'";
    assert_eq!(world.story.number(count), 2);
    // All that it has is gone, and nothing new is there: no other life.
    world.container.events.clear();
    assert_eq!(world.ask(Reach::New).0, AnswerEffect::Unrecognised);
    assert!(matches!(world.ask(Reach::All).0, AnswerEffect::Taken { .. }));
    assert_eq!(world.log().len(), 4);
}

#[test]
fn a_head_below_the_cursor_is_a_new_life_under_the_same_name() {
    let mut story = Story::new();
    story.begin("a", "r1");
    for text in ["one", "two", "three"] {
        story.relay(&[("a", "r1", "agent_output", json!({"text": text, "stream": "stdout"}))]);
    }
    story.emitted = 0;
    let answer = story.answer(&[("a", "r2", "agent_output", json!({"text": "anew", "stream": "stdout"}))]);
    let (AnswerEffect::NewEpoch, outcome) = story.apply(&answer) else { panic!("its ids begin anew") };
    assert_eq!(outcome.stored, 2, "a gap, and the end of the run");
    let (AnswerEffect::Taken { .. }, outcome) = story.apply(&answer) else { panic!("the same name is not refused") };
    assert_eq!(outcome.stored, 1);
    let events = story.texts("SELECT run_id || ' ' || event FROM agent_events ORDER BY id");
    assert_eq!(events[events.len() - 3..], ["r1 source_gap", "r1 agent.exited", "r2 agent_output"]);
}

#[test]
fn what_cannot_be_read_is_told_as_that() {
    let now = Timestamp::from_millis(0);
    let problem = |text: &str| {
        let error = SourceAnswer::read(text, now).expect_err(text);
        assert_eq!(error.code, Code::ContainerError);
        error.message
    };
    let event = r#"{"agent_id":"a","event":"x","data":{},"timestamp":"2026-01-01T00:00:00Z"}"#;
    assert_eq!(
        problem(&format!(r#"{{"events":[{event}]}}"#)),
        "the container answers, but not in a form we know: missing `id`"
    );
    assert_eq!(problem(r#"{"items":[]}"#), "the container answers, but not in a form we know: missing `events`");
    assert!(problem("<html>").starts_with("the container answers, but not in a form we know: "));
    // One bad event among good ones is a gap of its agent: what stands behind it is not lost with it.
    let bad = r#"{"id":1,"agent_id":"a","event":7,"data":{},"timestamp":"2026-01-01T00:00:00Z"}"#;
    let good = r#"{"id":2,"agent_id":"a","event":"x","data":{},"timestamp":"2026-01-01T00:00:00Z"}"#;
    let answer = SourceAnswer::read(&format!(r#"{{"events":[{bad},{good}]}}"#), now).unwrap();
    let names: Vec<&str> = answer.events.iter().map(|event| event.event.as_str()).collect();
    assert_eq!(names, ["source_gap", "x"]);

    // The agent's state says so, and so does its end.
    let mut story = Story::new();
    story.begin("a", "r1");
    story.relay(&[("a", "r1", "agent.status", json!({"status": "running"}))]);
    let told = |problem: &str| Error::new(Code::ContainerError, problem);
    let note = |story: &mut Story| {
        let error = told("the container answers, but not in a form we know: missing `id`");
        story.handle(RelayFailure { error: &error }).unwrap();
    };
    note(&mut story);
    let detail = |story: &Story| story.state("a")["activity"]["detail"].clone();
    assert_eq!(detail(&story), "the container answers, but not in a form we know: missing `id`");
    // A state has room for the beginning of a long one only, and what refuses is told in its own words.
    for (problem, shown) in [
        ("x".repeat(100_000), None),
        ("the control server answered 500".to_owned(), Some("the control server answered 500")),
    ] {
        story.handle(RelayFailure { error: &told(&problem) }).unwrap();
        let detail = detail(&story).as_str().unwrap().to_owned();
        assert!(detail.len() <= 1_000 && shown.is_none_or(|shown| shown == detail), "{} bytes", detail.len());
    }
    story.pass(300_000);
    note(&mut story);
    let why = &story.state("a")["exit"]["message"];
    assert_eq!(
        why,
        "nothing could be read for five minutes: the container answers, but not in a form we know: missing `id`"
    );
}

#[test]
fn agents_that_nobody_started_here_are_taken_in() {
    let story = Story::new();
    assert!(story.town.admit([agent("new"), agent("a")].iter().map(|agent_id| (agent_id, None))).unwrap());
    assert_eq!(story.state("new")["status"], "idle");
    assert_eq!(story.state("new")["name"], "new");
}
