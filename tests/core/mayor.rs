//! The town's mayor: which agent it is, and how it stands.

use serde_json::{Value as Json, json};
use townwatch_protocol::error::Code;
use townwatch_protocol::event::Role;
use townwatch_protocol::id::RigId;

use crate::story::{Story, agent};

fn view(story: &Story) -> Json {
    serde_json::to_value(story.town.mayor_view().unwrap()).unwrap()
}

fn does(story: &mut Story, name: &str, event: &str, data: Json) {
    story.pass(1_000);
    let _outcome = story.post(&[(name, "", event, data)]);
    story.shown();
}

#[test]
fn it_is_the_agent_with_that_role_and_of_several_one_that_runs() {
    let mut story = Story::new();
    story.register("worker");
    does(&mut story, "worker", "note", json!(0));
    assert_eq!(view(&story), json!({"configured": false, "session": null, "townId": "town"}));
    assert_eq!(story.town.running_mayor().unwrap_err().code, Code::NotFound);

    let _rig = RigId::parse("rig").unwrap();
    for name in ["first", "second"] {
        story.register_in("rig", name, Role::Mayor).unwrap();
    }
    assert_eq!(view(&story)["configured"], json!(true));
    assert_eq!(view(&story)["session"], json!(null), "it has had no run");

    does(&mut story, "first", "agent_session", json!({"session_id": "s-1"}));
    let at = story.now.to_string();
    let expected = json!({"agentId": "first", "sessionId": "s-1", "status": "active", "lastActivityAt": at});
    assert_eq!(view(&story)["session"], expected);
    does(&mut story, "first", "agent.status", json!({"status": "waiting"}));
    assert_eq!(view(&story)["session"]["status"], json!("idle"));

    does(&mut story, "second", "note", json!(0));
    assert_eq!(story.town.running_mayor().unwrap().agent_id, agent("second"), "both run: who was heard of last");
    assert!(
        view(&story)["session"]["sessionId"].as_str().unwrap().starts_with("minted"),
        "the run where it has no session"
    );
    does(&mut story, "second", "agent.exited", json!({"reason": "completed"}));
    assert_eq!(
        story.town.running_mayor().unwrap().agent_id,
        agent("first"),
        "who runs comes before who was heard of last"
    );
    does(&mut story, "first", "agent.exited", json!({"reason": "completed"}));
    assert_eq!(view(&story), json!({"configured": true, "session": null, "townId": "town"}));
    assert_eq!(story.town.running_mayor().unwrap_err().code, Code::NotFound);
}
