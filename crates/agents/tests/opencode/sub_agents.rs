//! What sub-agents do, and whose it is.

use super::{handed_over, lines_of, message, sub_frame, told_of};

#[test]
fn a_sub_agents_sub_agent_is_nested_and_strangers_are_not_heard() {
    let text = |session: &str| {
        format!(
            r#"{{"type":"message.part.updated","properties":{{"part":{{"id":"{session}-text","sessionID":"{session}","messageID":"m{session}","type":"text","text":"of {session}","time":{{"start":1,"end":2}}}}}}}}"#
        )
    };
    let task = |session: &str, child: &str| {
        format!(
            r#"{{"type":"message.part.updated","properties":{{"sessionID":"{session}","part":{{"id":"task-{child}","messageID":"m","type":"tool","tool":"task","callID":"call-{child}","state":{{"status":"running","input":{{"description":"d"}},"metadata":{{"sessionId":"{child}"}},"time":{{"start":1}}}}}}}}}}"#
        )
    };
    let created = |child: &str, parent: &str| {
        format!(r#"{{"type":"session.created","properties":{{"info":{{"id":"{child}","parentID":"{parent}"}}}}}}"#)
    };
    insta::assert_snapshot!(told_of(&[
        created("x", "y"),
        text("x"),
        created("c1", "s"),
        task("s", "c1"),
        text("c1"),
        task("c1", "c2"), // one that was there before is not created again
        text("c2"),
        text("stranger"),
        r#"{"type":"session.idle","properties":{"sessionID":"c1"}}"#.into(),
        r#"{"type":"session.created","properties":{"info":{"id":"another","model":{"id":"m"}}}}"#.into(),
    ]));
}

#[test]
fn usage_is_the_last_figure_of_each_message_and_a_sub_agents_is_its_own() {
    let [created, task] = handed_over();
    let tokens =
        |output: u64| format!(r#"{{"input":10,"output":{output},"reasoning":1,"cache":{{"read":2,"write":0}}}}"#);
    let of_sub = message("m2", &tokens(7)).replace(r#""sessionID":"s""#, r#""sessionID":"c""#);
    let frames =
        [created, task, message("m1", &tokens(0)), message("m1", &tokens(5)), message("m1", &tokens(5)), of_sub];
    assert_eq!(
        lines_of(&told_of(&frames), "agent_usage"),
        [
            r#"agent_usage {"message_id":"m1","input_tokens":10,"output_tokens":1,"cache_read_input_tokens":2,"cache_creation_input_tokens":0}"#,
            r#"agent_usage {"message_id":"m1","input_tokens":10,"output_tokens":6,"cache_read_input_tokens":2,"cache_creation_input_tokens":0}"#,
            r#"agent_usage {"message_id":"m2","input_tokens":10,"output_tokens":8,"cache_read_input_tokens":2,"cache_creation_input_tokens":0,"parent_tool_use_id":"call"}"#,
        ]
    );
}

#[test]
fn a_sub_agents_to_dos_are_its_own() {
    let [created, task] = handed_over();
    let list = r#""todos":[{"content":"a","status":"completed"},{"content":"b","status":"in_progress"}]"#;
    let told = told_of(&[created, task, sub_frame("todo.updated", list)]);
    let told = lines_of(&told, "progress_update");
    assert!(told.len() == 1 && told[0].contains(r#""parent_tool_use_id":"call""#), "{told:?}");
}
