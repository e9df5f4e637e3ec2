//! Sums of tokens and cost: right at every moment, whatever is told again, and how late.

use crate::reduced::Agent;
use serde_json::{Value as Json, json};

fn message(id: &str, input: u64, output: u64) -> Json {
    json!({"message_id": id, "input_tokens": input, "output_tokens": output})
}

fn by(mut usage: Json, parent: &str) -> Json {
    usage["parent_tool_use_id"] = json!(parent);
    usage
}

fn total(input: u64, output: u64) -> Json {
    json!({"message_id": "", "input_tokens": input, "output_tokens": output, "cumulative": true})
}

fn tokens(usage: &Json) -> (u64, u64) {
    (usage["input_tokens"].as_u64().unwrap(), usage["output_tokens"].as_u64().unwrap())
}

#[test]
fn of_a_message_the_last_figures_count_once() {
    let mut agent = Agent::at_work();
    assert_eq!(tokens(&agent.uses(&message("m1", 10, 1))), (10, 1));
    agent.stored();
    assert_eq!(tokens(&agent.uses(&message("m1", 10, 300))), (10, 300));
    assert_eq!(tokens(&agent.uses(&message("m2", 5, 2))), (15, 302));
    assert_eq!(tokens(&agent.uses(&message("m1", 10, 250))), (15, 252), "the last figures, even if they are lower");
    for _ in 0..3 {
        agent.stored();
        assert_eq!(tokens(&agent.uses(&message("m1", 10, 250))), (15, 252));
    }
    let priced = json!({"message_id": "m1", "input_tokens": 10, "output_tokens": 250, "cache_read_input_tokens": 7, "cost_usd": 0.25});
    agent.uses(&priced);
    let usage = agent.uses(&priced);
    assert_eq!((&usage["cost_usd"], &usage["cache_read_input_tokens"]), (&json!(0.25), &json!(7)));
}

#[test]
fn a_message_that_is_repeated_late_still_counts_once() {
    let mut agent = Agent::at_work();
    for number in 0..280 {
        agent.uses(&message(&format!("m{number}"), 1, 1));
    }
    agent.stored();
    for number in 0..280 {
        assert_eq!(tokens(&agent.uses(&message(&format!("m{number}"), 1, 1))), (280, 280), "m{number}");
    }
}

#[test]
fn a_total_takes_the_place_of_the_sum() {
    let mut agent = Agent::at_work();
    agent.uses(&message("m1", 10, 1));
    assert_eq!(tokens(&agent.uses(&total(10, 400))), (10, 400));
    agent.stored();
    assert_eq!(tokens(&agent.uses(&message("m1", 10, 390))), (10, 400), "what the total has taken in is not added");
    assert_eq!(tokens(&agent.uses(&message("m2", 5, 5))), (15, 405), "what comes later is");
    assert_eq!(tokens(&agent.uses(&total(12, 402))), (12, 402), "a total is believed, also where it is lower");
}

#[test]
fn a_sub_agents_usage_counts_for_the_run_and_as_its_own() {
    let mut agent = Agent::at_work();
    agent.calls("task", "Task");
    agent.uses(&message("m1", 10, 1));
    agent.uses(&by(message("s1", 100, 1), "task"));
    let usage = agent.uses(&by(message("s1", 100, 50), "task"));
    assert_eq!(tokens(&usage), (110, 51));
    let state = agent.is("running");
    assert_eq!(tokens(&state["sub_agents"][0]["usage"]), (100, 50));
    // In the background it goes on beyond the run's total, in the middle of a message.
    agent.uses(&by(message("s2", 100, 1), "task"));
    agent.uses(&total(215, 60));
    assert_eq!(tokens(&agent.uses(&by(message("s2", 100, 41), "task"))), (215, 100));
    assert_eq!(tokens(&agent.uses(&by(message("s3", 10, 10), "task"))), (225, 110));
    let state = agent.is("running");
    assert_eq!(tokens(&state["sub_agents"][0]["usage"]), (210, 101));
    // Its own total replaces what was counted of it.
    assert_eq!(tokens(&agent.uses(&by(total(300, 101), "task"))), (315, 110));
}

#[test]
fn what_is_remembered_stays_small() {
    let mut agent = Agent::at_work();
    let empty = agent.stored();
    for number in 0..1_000 {
        let id = format!("msg_{number:024}");
        let usage = json!({"message_id": id, "input_tokens": 12, "output_tokens": 3_456, "cache_read_input_tokens": 123_456,
            "cache_creation_input_tokens": 1_234, "cost_usd": 0.0123});
        agent.uses(&usage);
        agent.does("agent_output", &json!({"text": "x", "stream": "assistant", "message_id": id}));
        agent.calls(&format!("toolu_{number:024}"), "Read");
        agent.gets(&format!("toolu_{number:024}"));
    }
    let bytes = agent.stored() - empty;
    assert!(bytes <= 4_096, "{bytes} bytes more");
}
