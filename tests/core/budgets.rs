//! Budgets: what counts as spent, the one warning, the stop and its reason, the day, and what a crash leaves of it.

use serde_json::{Value as Json, json};
use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::event::ExitReason;
use townwatch_protocol::id::RunId;
use townwatch_protocol::wire::{BudgetChange, StartAgent};
use townwatch_town::agents::stop_orders::{StopOrder, StopPlace};
use townwatch_town::log::ingest::Outcome;
use townwatch_town::relay::control_response::StopAnswer;

use crate::story;
use crate::story::Story;

const DAY_MS: i64 = 24 * 3_600_000;

/// A message's figures; `tokens` as what was read.
fn used(message_id: &str, tokens: u64) -> Json {
    json!({"message_id": message_id, "input_tokens": tokens, "output_tokens": 0})
}

fn cost(message_id: &str, cost_usd: f64) -> Json {
    json!({"message_id": message_id, "input_tokens": 1, "output_tokens": 1, "cost_usd": cost_usd})
}

fn run(name: &str) -> RunId {
    RunId::parse(name).unwrap()
}

fn order(agent_id: &str, more: &Json) -> StartAgent {
    let mut order = serde_json::to_value(Story::order(agent_id)).unwrap();
    order["runtime"] = json!("replay");
    order["transcript"] = json!("basic");
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(order).unwrap()
}

fn begin(story: &mut Story, agent_id: &str, run_id: &str, more: &Json) -> Result<(), Error> {
    story.start(order(agent_id, more), run_id).map(drop)
}

fn spend(story: &mut Story, agent_id: &str, run_id: &str, data: Json) -> Outcome {
    story.relay(&[(agent_id, run_id, "agent_usage", data)])
}

fn change(story: &mut Story, agent_id: &str, change: &Json) -> Outcome {
    let change: BudgetChange = serde_json::from_value(change.clone()).unwrap();
    story.set_budget(agent_id, &change).unwrap()
}

fn notices(story: &Story) -> Vec<String> {
    let frames = story.texts("SELECT frame FROM agent_events WHERE event = 'agent_notice' ORDER BY id");
    let data = frames.iter().map(|frame| serde_json::from_str::<Json>(frame).unwrap()["data"].clone());
    data.map(|data| {
        assert_eq!((&data["kind"], &data["level"]), (&json!("budget"), &json!("warning")));
        data["message"].as_str().unwrap().to_owned()
    })
    .collect()
}

fn orders(story: &Story) -> Vec<String> {
    let all = story.town.stop_orders().unwrap();
    all.into_iter()
        .map(|StopOrder { run_id, place, .. }| match place {
            StopPlace::Container => format!("{run_id} in the container"),
            StopPlace::Rig(rig_id, reason) => {
                assert_eq!(reason, ExitReason::BudgetExceeded);
                format!("{run_id} of {rig_id}")
            }
        })
        .collect()
}

fn exit(story: &Story, agent_id: &str) -> (String, String) {
    let exit = story.state(agent_id)["exit"].clone();
    let text = |field: &str| exit[field].as_str().unwrap_or_default().to_owned();
    (text("reason"), text("message"))
}

const USED_UP: &str = "the run's budget is used up: 10,400 of 10,000 tokens";

#[test]
fn a_run_is_warned_once_and_then_stopped_with_the_reason_as_its_end() {
    let mut story = Story::new();
    begin(&mut story, "a", "r", &json!({"max_tokens": 10_000})).unwrap();
    assert_eq!(story.state("a")["run_budget"], json!({"max_tokens": 10_000}));
    assert!(!spend(&mut story, "a", "r", used("m1", 7_999)).orders_stops);
    assert_eq!(notices(&story), [""; 0]);
    // All kinds of tokens count, and a message once.
    let all = json!({"message_id": "m1", "input_tokens": 5_000, "output_tokens": 1_000, "cache_read_input_tokens": 1_200, "cache_creation_input_tokens": 1_000});
    spend(&mut story, "a", "r", all.clone());
    spend(&mut story, "a", "r", all);
    let warning = "the run's budget is nearly used up: 8,200 of 10,000 tokens. At 100 % the run is stopped";
    assert_eq!(notices(&story), [warning]);
    spend(&mut story, "a", "r", used("m2", 1_799));
    assert!(orders(&story).is_empty());
    assert!(spend(&mut story, "a", "r", used("m2", 2_200)).orders_stops);
    assert_eq!(orders(&story), ["r in the container"]);
    // Until it ends it may go on to spend; that asks for nothing new.
    assert!(!spend(&mut story, "a", "r", used("m3", 10)).orders_stops);
    // Whoever opens the town now, after a crash say, finds the order.
    story.reopen();
    assert_eq!(orders(&story), ["r in the container"]);
    assert!(story.stop_answered("r", &StopAnswer::Heard).0);
    assert!(orders(&story).is_empty());
    let ended = story.relay(&[("a", "r", "agent.exited", json!({"reason": "stopped", "signal": "SIGTERM"}))]);
    assert_eq!(ended.ended, [(run("r"), ExitReason::BudgetExceeded)]);
    assert_eq!(exit(&story, "a"), ("budget_exceeded".to_owned(), USED_UP.to_owned()));
    let state = story.state("a");
    assert_eq!((&state["status"], &state["exit"]["signal"]), (&json!("failed"), &json!("SIGTERM")));
    assert_eq!(notices(&story), [warning]);
    // The next run has none.
    begin(&mut story, "a", "r2", &json!({})).unwrap();
    assert_eq!(story.state("a")["run_budget"], Json::Null);
    spend(&mut story, "a", "r2", used("m1", 100_000));
    assert!(orders(&story).is_empty());
}

#[test]
fn a_run_that_ends_by_itself_or_is_lost_before_the_stop_arrives_keeps_its_own_end() {
    for (told, reason) in
        [(json!({"reason": "completed", "exit_code": 0}), "completed"), (json!({"reason": "lost"}), "lost")]
    {
        let mut story = Story::new();
        begin(&mut story, "a", "r", &json!({"max_tokens": 10})).unwrap();
        spend(&mut story, "a", "r", used("m", 12));
        assert_eq!(
            notices(&story),
            ["the run's budget is nearly used up: 12 of 10 tokens. At 100 % the run is stopped"]
        );
        story.relay(&[("a", "r", "agent.exited", told)]);
        assert_eq!(exit(&story, "a").0, reason);
        assert!(orders(&story).is_empty(), "nothing is left to be stopped");
    }
}

#[test]
fn a_posted_run_ends_at_once_and_its_rig_is_to_know() {
    let mut story = Story::new();
    story.register("p");
    change(&mut story, "p", &json!({"max_tokens": 100}));
    story.post(&[("p", "mine", "agent_usage", used("m1", 85))]);
    // What the same batch brings behind the end is dropped.
    let outcome =
        story.post(&[("p", "mine", "agent_usage", used("m2", 20)), ("p", "mine", "agent_output", story::said("more"))]);
    assert_eq!((outcome.orders_stops, outcome.dropped), (true, 1));
    let message =
        "the agent's budget of the day (UTC) is used up: 105 of 100 tokens; raise it, or start again tomorrow";
    assert_eq!(exit(&story, "p"), ("budget_exceeded".to_owned(), message.to_owned()));
    assert_eq!(story.log().last().unwrap().3, "agent.exited");
    assert_eq!((notices(&story).len(), orders(&story)), (1, vec!["mine of rig".to_owned()]));
    // Another run under another name ends with the first usage that it tells, unwarned.
    story.post(&[("p", "again", "agent_output", story::said("hello"))]);
    assert_eq!(exit(&story, "p").0, "");
    story.post(&[("p", "again", "agent_usage", used("m9", 1))]);
    assert_eq!((exit(&story, "p").0.as_str(), notices(&story).len()), ("budget_exceeded", 1));
    assert_eq!(orders(&story), ["again of rig", "mine of rig"]);
    assert!(story.stop_answered("mine", &StopAnswer::Heard).0);
    assert_eq!(orders(&story), ["again of rig"]);
}

#[test]
fn a_batch_without_names_begins_one_run_of_an_agent_whose_budget_is_used_up() {
    let mut story = Story::new();
    story.register("p");
    change(&mut story, "p", &json!({"max_tokens": 100}));
    story.post(&[("p", "", "agent_usage", used("m0", 100))]);
    let names: Vec<String> = (1..=50).map(|number| format!("m{number}")).collect();
    let events: Vec<_> = names.iter().map(|name| ("p", "", "agent_usage", used(name, 1))).collect();
    let outcome = story.post(&events);
    assert_eq!((outcome.begun.len(), outcome.ended.len(), outcome.dropped), (1, 1, 49));
    assert_eq!(story.number("SELECT count(*) FROM runs"), 2);
}

#[test]
fn corrections_move_a_budget_too_and_nothing_counts_twice() {
    let mut story = Story::new();
    begin(&mut story, "a", "r", &json!({})).unwrap();
    change(&mut story, "a", &json!({"max_tokens": 1_000, "max_cost_usd": 5}));
    let spent = |story: &Story| {
        (story.state("a")["day_budget"]["tokens"].clone(), story.state("a")["day_budget"]["cost_usd"].clone())
    };
    spend(&mut story, "a", "r", used("m1", 100));
    spend(&mut story, "a", "r", used("m1", 300));
    assert_eq!(spent(&story), (json!(300), json!(0.0)));
    // A run's total replaces what was said before it, also where it is lower.
    let total =
        json!({"message_id": "total", "input_tokens": 250, "output_tokens": 0, "cost_usd": 0.25, "cumulative": true});
    spend(&mut story, "a", "r", total);
    assert_eq!(spent(&story), (json!(250), json!(0.25)));
    // A sub-agent's are the run's.
    let sub = json!({"message_id": "s", "input_tokens": 50, "output_tokens": 0, "cost_usd": 0.1, "parent_tool_use_id": "call"});
    spend(&mut story, "a", "r", sub);
    assert_eq!(spent(&story), (json!(300), json!(0.35)));
    // A second run of the day comes on top; an answer that is repeated does not.
    story.relay(&[("a", "r", "agent.exited", json!({"reason": "completed"}))]);
    begin(&mut story, "a", "r2", &json!({})).unwrap();
    let answer = story.answer(&[("a", "r2", "agent_usage", used("m1", 400))]);
    story.apply(&answer);
    story.apply(&answer);
    assert_eq!(spent(&story), (json!(700), json!(0.35)));
    let same = json!({"max_cost_usd": 5.0, "max_tokens": 1_000, "day": "2026-11-22", "tokens": 700, "cost_usd": 0.35});
    assert_eq!(story.state("a")["day_budget"], same);
}

#[test]
fn the_towns_budget_stops_all_of_its_runs_and_refuses_starts_until_the_day_is_over() {
    let mut story = Story::new();
    story.register("p");
    for (agent_id, run_id) in [("a", "r1"), ("b", "r2")] {
        begin(&mut story, agent_id, run_id, &json!({})).unwrap();
    }
    story.post(&[("p", "mine", "agent_output", story::said("hello"))]);
    change(&mut story, "", &json!({"max_cost_usd": 1.5}));
    spend(&mut story, "a", "r1", cost("m", 0.75));
    spend(&mut story, "b", "r2", cost("m", 0.5));
    let warning = "the town's budget of the day (UTC) is nearly used up: $1.25 of $1.50. At 100 % all of the town's runs are stopped";
    assert_eq!(notices(&story), [warning]);
    spend(&mut story, "a", "r1", cost("m2", 0.255));
    assert_eq!(orders(&story), ["mine of rig", "r1 in the container", "r2 in the container"]);
    assert_eq!(exit(&story, "p").0, "budget_exceeded");
    let refused = begin(&mut story, "c", "r3", &json!({})).unwrap_err();
    assert_eq!(refused.code, Code::BudgetExceeded);
    let words = "the town's budget of the day is used up, $1.505 of $1.50; raise it by `PATCH /api/towns/town`, or start again tomorrow: a day ends at 00:00 UTC";
    assert_eq!(refused.message, words);
    assert!(story.town.agent(&story::agent("c")).unwrap().is_none(), "a refused start leaves nothing");
    // A higher one lets starts through, and so does the next day.
    change(&mut story, "", &json!({"max_cost_usd": 3}));
    begin(&mut story, "c", "r3", &json!({})).unwrap();
    change(&mut story, "", &json!({"max_cost_usd": 1}));
    assert!(orders(&story).contains(&"r3 in the container".to_owned()), "a lower one stops what is open");
    assert_eq!(begin(&mut story, "d", "r4", &json!({})).unwrap_err().code, Code::BudgetExceeded);
    story.pass(DAY_MS / 2);
    begin(&mut story, "d", "r4", &json!({})).unwrap();
    spend(&mut story, "d", "r4", cost("m", 0.9));
    assert_eq!(notices(&story).len(), 2, "each day has its warning");
    change(&mut story, "", &json!({"max_cost_usd": null}));
    spend(&mut story, "d", "r4", cost("m2", 90.0));
    assert!(!orders(&story).contains(&"r4 in the container".to_owned()));
}

#[test]
fn the_day_is_the_towns_and_not_what_a_poster_says_it_is() {
    let mut story = Story::new();
    story.register("p");
    change(&mut story, "p", &json!({"max_tokens": 100}));
    let long_ago = story.now.plus_millis(-30 * DAY_MS);
    story.post_at(&[("p", "mine", "agent_usage", used("m1", 60))], long_ago);
    story.post_at(&[("p", "mine", "agent_usage", used("m2", 60))], story.now);
    assert_eq!(exit(&story, "p").0, "budget_exceeded");
    let day = story.state("p")["day_budget"].clone();
    assert_eq!((&day["day"], &day["tokens"]), (&json!("2026-11-22"), &json!(120)));
}

#[test]
fn a_message_that_grows_over_midnight_counts_for_each_day_what_it_grew_by() {
    let mut story = Story::new();
    begin(&mut story, "a", "r", &json!({})).unwrap();
    change(&mut story, "a", &json!({"max_tokens": 1_000}));
    spend(&mut story, "a", "r", used("m", 600));
    story.pass(DAY_MS);
    spend(&mut story, "a", "r", used("m", 700));
    assert_eq!(story.state("a")["day_budget"]["tokens"], json!(100));
    spend(&mut story, "a", "r", used("m", 10));
    assert_eq!(story.state("a")["day_budget"]["tokens"], json!(0), "no less than nothing");
}

#[test]
fn what_cannot_hold_a_program_is_said_when_it_starts() {
    let mut story = Story::new();
    let codex = json!({"runtime": "codex", "prompt": "x", "transcript": null, "max_cost_usd": 2});
    begin(&mut story, "a", "r1", &codex).unwrap();
    let process = json!({"runtime": "process", "transcript": null, "max_tokens": 2});
    begin(&mut story, "b", "r2", &process).unwrap();
    begin(&mut story, "c", "r3", &json!({"runtime": "claude_code", "prompt": "x", "max_cost_usd": 2})).unwrap();
    assert_eq!(
        notices(&story),
        [
            "Codex does not tell its cost, so max_cost_usd cannot hold it: max_tokens and timeout_seconds can",
            "A command tells neither its tokens nor its cost, so no budget can hold it: timeout_seconds ends it",
        ]
    );
}

#[test]
fn what_is_no_budget_is_refused_by_its_name() {
    let mut story = Story::new();
    for (field, values) in [
        ("max_tokens", vec![json!(0), json!(1_000_000_000_001_u64)]),
        ("max_cost_usd", vec![json!(0), json!(-1), json!(0.000_000_1), json!(1_000_001), json!(1e300)]),
    ] {
        for value in values {
            let refused = begin(&mut story, "a", "r", &json!({field: value})).unwrap_err();
            assert_eq!(
                (refused.code, refused.details.unwrap().field.as_deref()),
                (Code::InvalidRequest, Some(field)),
                "{value}"
            );
            story.register("p");
            let change: BudgetChange = serde_json::from_value(json!({field: value})).unwrap();
            let refused = story.set_budget("p", &change).unwrap_err();
            assert_eq!(refused.details.unwrap().field.as_deref(), Some(field), "{value}");
            assert!(story.set_budget("", &change).is_err());
        }
    }
    for order in [json!({"max_tokens": -1}), json!({"max_tokens": 1.5}), json!({"max_cost_usd": "5"})] {
        let mut whole = serde_json::to_value(Story::order("a")).unwrap();
        whole.as_object_mut().unwrap().extend(order.as_object().unwrap().clone());
        assert!(serde_json::from_value::<StartAgent>(whole).is_err(), "{order}");
    }
}

#[test]
fn a_rig_of_another_agent_is_told_of_its_own_run() {
    let mut story = Story::new();
    story.add_rig("far");
    story.register_in("far", "q", townwatch_protocol::event::Role::Polecat).unwrap();
    begin(&mut story, "a", "r", &json!({})).unwrap();
    story.post_to("far", &[("q", "theirs", "agent_output", story::said("hello"))]);
    change(&mut story, "", &json!({"max_tokens": 10}));
    spend(&mut story, "a", "r", used("m", 10));
    assert_eq!(orders(&story), ["r in the container", "theirs of far"]);
    assert_eq!(exit(&story, "q").0, "budget_exceeded");
}
