//! What a viewer says: it subscribes anew, with filters, and is told what is wrong with a message.

use crate::story::{Story, frames, said, told};
use crate::viewers::{closed, five, note};
use serde_json::{Value as Json, json};
use townwatch_town::reading::cursor::BeginRequest;

#[test]
fn filters_hide_what_they_name_and_nothing_else() {
    let call = json!({"tool_use_id": "t", "tool": "Read", "category": "Read", "input": {}, "summary": "s"});
    let kinds = [
        ("tool_calls", "agent_tool_call", call),
        ("tool_results", "agent_tool_result", json!({"tool_use_id": "t"})),
        ("output", "agent_output", said("x")),
        ("files", "file_changed", json!({"path": "p", "action": "created"})),
        ("progress", "progress_update", json!({})),
    ];
    let always = [
        "agent.status",
        "agent_question",
        "agent_question_answered",
        "agent_error",
        "agent_usage",
        "source_gap",
        "note",
    ];
    let mut events: Vec<_> = kinds.iter().map(|(_, name, data)| ("a", "", *name, data.clone())).collect();
    events.extend(always.map(|name| ("a", "", name, json!({}))));
    events.push(("a", "", "agent.exited", json!({"reason": "completed"})));
    let all: Vec<u64> = (1..=13).collect();
    let hidden = |name: &str, shown: bool| {
        let mut story = Story::new();
        story.register("a");
        let id = story.join("a", BeginRequest::default()).0;
        let heard = story.hears(id, &json!({"type": "subscribe", "agents": "*", "filters": {name: shown}}));
        assert_eq!(frames(&heard, id)[0]["filters"][name], shown);
        let heard = story.hears(id, &json!({"type": "subscribe", "agents": "*", "filters": [shown]}));
        assert_eq!(told(&heard, id), ["error invalid_request"], "a list says nothing of which");
        let effects = story.shows(&events);
        let live = frames(&effects, id).into_iter().filter(|frame| frame["type"] == "events");
        let ids: Vec<u64> = live
            .flat_map(|frame| frame["events"].as_array().unwrap().clone())
            .map(|e| e["id"].as_u64().unwrap())
            .collect();
        all.iter().copied().filter(|id| !ids.contains(id)).collect::<Vec<u64>>()
    };
    for (index, (filter, ..)) in kinds.iter().enumerate() {
        assert_eq!(hidden(filter, false), [index as u64 + 1], "{filter}");
        assert!(hidden(filter, true).is_empty(), "{filter}");
    }
}

#[test]
fn subscribe_replaces_the_whole_selection() {
    let mut story = five();
    let id = story.join("a", BeginRequest::default()).0;
    let heard = story.hears(id, &json!({"type": "subscribe", "agents": ["c", "b", "c"]}));
    assert_eq!(told(&heard, id), ["subscription_confirmed", "state b", "state c", "caught_up 5"]);
    let confirmed = &frames(&heard, id)[0];
    assert_eq!((&confirmed["agents"], &confirmed["after_id"]), (&json!(["b", "c"]), &json!(5)));
    assert_eq!(told(&story.shows(&[note("a"), note("b")]), id), ["live 7"]);
    let heard = story.hears(id, &json!({"type": "subscribe", "agents": "*", "after_id": 3}));
    assert_eq!(told(&heard, id)[4..], ["history 4 5 6 7", "caught_up 7"]);
    let heard = story.hears(id, &json!({"type": "subscribe", "agents": ["b"], "after_id": 99}));
    assert_eq!(frames(&heard, id)[0]["after_id"], 0, "beyond the head: from the start");
    assert_eq!(told(&heard, id)[2..], ["history 4 5 7", "caught_up 7"]);
}

#[test]
fn a_bad_message_is_answered_and_the_stream_lives() {
    let mut story = five();
    let id = story.join("a", BeginRequest::default()).0;
    let many: Vec<String> = (0..101).map(|number| format!("agent-{number}")).collect();
    let bad = [
        String::new(),
        "[".to_owned(),
        r#"{"type":"dance"}"#.to_owned(),
        r#"{"type":"subscribe"}"#.to_owned(),
        r#"{"type":"subscribe","agents":"a"}"#.to_owned(),
        r#"{"type":"subscribe","agents":["a b"]}"#.to_owned(),
        r#"{"type":"subscribe","agents":"*","after_id":-1}"#.to_owned(),
        r#"{"type":"ack"}"#.to_owned(),
        json!({"type": "subscribe", "agents": many}).to_string(),
        r#"{"type":"subscribe","agents":"*","filters":{"colour":true}}"#.to_owned(),
        r#"{"type":"subscribe","agents":"*","filters":{"output":false,"output":true}}"#.to_owned(),
        format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000)),
    ];
    for message in bad {
        assert_eq!(told(&story.says(id, &message), id), ["error invalid_request"], "{message:.60}");
    }
    assert_eq!(told(&story.hears(id, &json!({"type": "ping"})), id), ["pong"]);
    assert_eq!(told(&story.shows(&[note("a")]), id)[0], "live 6");
    let effects = story.says(id, &"x".repeat((16 << 10) + 1));
    assert_eq!(closed(&effects), [(id, 1009)]);
    assert_eq!(told(&story.shows(&[note("a")]), id), Vec::<String>::new());
}

#[test]
fn an_error_says_when_which_message_and_what_is_wrong_with_it() {
    let mut story = five();
    let id = story.join("a", BeginRequest::default()).0;
    let now = story.now.to_string();
    for (message, frame, words) in [
        ("nonsense", None, "message: is not JSON"),
        ("{}", None, "type: is missing"),
        (r#"{"type":"dance"}"#, None, "type: unknown variant `dance`"),
        (r#"{"type":"ack","id":"x"}"#, Some("ack"), "ack: "),
        (r#"{"type":"ack"}"#, Some("ack"), "ack: id: is missing"),
        (r#"{"type":"ack","id":99}"#, Some("ack"), "ack: id: is above all"),
        (r#"{"type":"subscribe"}"#, Some("subscribe"), "subscribe: agents: expected"),
        (r#"{"type":"subscribe","agents":"a"}"#, Some("subscribe"), "subscribe: agents: expected"),
        (
            r#"{"type":"subscribe","agents":"*","filters":{"output":"no"}}"#,
            Some("subscribe"),
            "subscribe: filters.output: ",
        ),
        (r#"{"type":"subscribe","agents":"*","filters":[true]}"#, Some("subscribe"), "subscribe: "),
        (
            r#"{"type":"subscribe","agents":"*","filters":{"colour":true,"output":false,"si\"ze":1}}"#,
            Some("subscribe"),
            r#"subscribe: filters: "colour", "si\"ze": no such filter; there are tool_calls, tool_results, output, files, progress"#,
        ),
    ] {
        let effects = story.says(id, message);
        let told = &frames(&effects, id)[0];
        assert_eq!(
            (&told["type"], &told["at"], told["frame"].as_str()),
            (&json!("error"), &json!(now), frame),
            "{told}"
        );
        assert!(told["message"].as_str().unwrap().starts_with(words), "{message}: {told}");
        assert!(!told["message"].as_str().unwrap().contains("body"), "{told}");
    }
    let many: Json =
        (0..500).map(|number| (format!("filter-{number}"), json!(true))).collect::<serde_json::Map<_, _>>().into();
    let effects = story.hears(id, &json!({"type": "subscribe", "agents": "*", "filters": many}));
    assert!(frames(&effects, id)[0]["message"].as_str().unwrap().len() < 600, "a refusal has a bound");
    assert_eq!(
        told(&story.hears(id, &json!({"type": "subscribe", "agents": "*", "filters": {}})), id)[0],
        "subscription_confirmed"
    );
}
