//! Ordered stops of which the one who is asked knows no such run, or no such call.

use serde_json::{Value as Json, json};
use townwatch_protocol::error::Error;
use townwatch_protocol::event::ExitReason;
use townwatch_protocol::wire::{BudgetChange, ControlStarted, StartAgent};
use townwatch_town::agents::stop_orders::StopPlace;
use townwatch_town::relay::control_response::StopAnswer;

use crate::story;
use crate::story::{Story, run};

/// A run of `a` in the container, which its budget of the day stops.
fn stopped(is_confirmed: bool) -> Story {
    let mut story = Story::new();
    story.register("b");
    let mut order = serde_json::to_value(Story::order("a")).unwrap();
    order["runtime"] = json!("replay");
    order["transcript"] = json!("basic");
    let order: StartAgent = serde_json::from_value(order).unwrap();
    story.start(order, "r").unwrap();
    if is_confirmed {
        story.relay(&[("a", "r", "agent_output", story::said("hello"))]);
    }
    let change: BudgetChange = serde_json::from_value(json!({"max_tokens": 10})).unwrap();
    story.set_budget("", &change).unwrap();
    let used = json!({"message_id": "m", "input_tokens": 10, "output_tokens": 0});
    assert!(story.post(&[("b", "posted", "agent_usage", used)]).orders_stops);
    assert!(story.stop_answered("posted", &StopAnswer::Heard).0);
    assert_eq!(orders(&story), ["r"]);
    story
}

/// A container of another make, which knows no such call.
fn no_route() -> StopAnswer {
    StopAnswer::NoRoute(Error::not_found("path"))
}

fn orders(story: &Story) -> Vec<String> {
    let orders = story.town.stop_orders().unwrap();
    assert!(orders.iter().all(|order| order.place == StopPlace::Container));
    orders.iter().map(|order| order.run_id.to_string()).collect()
}

fn unconfirmed(story: &Story) -> Vec<String> {
    let runs = story.town.unconfirmed_runs(story.now.plus_millis(5_000), 5_000).unwrap();
    runs.iter().map(|run| run.run_id.to_string()).collect()
}

#[test]
fn a_run_that_the_control_server_had_and_knows_no_more_is_not_asked_for_again_and_is_settled() {
    let mut story = stopped(true);
    assert_eq!(unconfirmed(&story), [""; 0]);
    assert!(story.stop_answered("r", &StopAnswer::NoRun).0);
    assert_eq!((orders(&story), unconfirmed(&story)), (vec![], vec!["r".to_owned()]));
    // Its own end may still be on its way, and is its end.
    let ended = story.relay(&[("a", "r", "agent.exited", json!({"reason": "completed"}))]);
    assert_eq!((ended.ended, unconfirmed(&story)), (vec![(run("r"), ExitReason::Completed)], vec![]));
    assert!(story.stop_answered("r", &StopAnswer::NoRun).0, "it is over, and nobody is asked again");
    // Else the control server's word ends it.
    let mut story = stopped(true);
    story.stop_answered("r", &StopAnswer::NoRun);
    let ended = story.refuse("r", "it does not know of it");
    assert_eq!(ended.ended, [(run("r"), ExitReason::Failed)]);
    assert_eq!(story.state("a")["exit"]["message"], "it does not know of it");
}

#[test]
fn a_run_whose_start_is_under_way_is_asked_for_until_it_is_there() {
    let mut story = stopped(false);
    assert!(!story.stop_answered("r", &StopAnswer::NoRun).0);
    assert_eq!((orders(&story), unconfirmed(&story)), (vec!["r".to_owned()], vec!["r".to_owned()]));
    let started = ControlStarted { epoch: story.epoch.clone(), run_id: run("r") };
    story.confirm(&started);
    assert_eq!(orders(&story), ["r"], "now it can be stopped");
}

#[test]
fn a_run_whose_start_is_confirmed_after_the_town_gave_it_up_is_stopped() {
    let mut story = Story::new();
    let order = Story::order("a");
    story.start(order, "r").unwrap();
    story.refuse("r", "its start never arrived there");
    assert_eq!(orders(&story), [""; 0]);
    let started = ControlStarted { epoch: story.epoch.clone(), run_id: run("r") };
    assert!(story.confirm(&started).orders_stops);
    assert_eq!(orders(&story), ["r"]);
    assert!(story.stop_answered("r", &StopAnswer::NoRun).0);
    assert_eq!(orders(&story), [""; 0]);
    // One that had its own end already needs no stop.
    story.begin("b", "s");
    story.relay(&[("b", "s", "agent.exited", json!({"reason": "completed"}))]);
    let started = ControlStarted { epoch: story.epoch.clone(), run_id: run("s") };
    assert!(!story.confirm(&started).orders_stops);
}

#[test]
fn a_container_that_stops_nothing_is_not_asked_again_and_the_log_says_so() {
    let mut story = stopped(true);
    let outcome = story.stop_answered("r", &no_route()).1;
    assert_eq!((outcome.stored, orders(&story)), (1, vec![]));
    let frame = story.texts("SELECT frame FROM agent_events WHERE agent_id = 'a' ORDER BY id DESC LIMIT 1").remove(0);
    let notice: Json = serde_json::from_str(&frame).unwrap();
    assert_eq!((&notice["event"], &notice["data"]["kind"]), (&json!("agent_notice"), &json!("budget")));
    let message = notice["data"]["message"].as_str().unwrap();
    assert!(message.starts_with("The container cannot be asked to stop a run"), "{message}");
    assert_eq!(story.state("a")["exit"], Json::Null, "it goes on");
    // More usage orders nothing new.
    let used = json!({"message_id": "m2", "input_tokens": 10, "output_tokens": 0});
    assert!(!story.relay(&[("a", "r", "agent_usage", used)]).orders_stops);
    story.relay(&[("a", "r", "agent.exited", json!({"reason": "completed"}))]);
    assert_eq!(story.stop_answered("r", &no_route()).1.stored, 0, "it is over");
}
