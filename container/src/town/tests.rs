use townwatch_agents::redact::SecretValues;
use townwatch_protocol::event::{AgentOutput, OutputStream};
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::wire::ControlEvents;

use super::*;
use crate::run::{ENDED_KEPT, RunHandle};

fn town() -> Arc<Town> {
    Arc::new(Town::new(Bounds::default(), std::env::temp_dir()).unwrap())
}

fn begin(town: &Arc<Town>, run: &str) -> RunHandle {
    let (agent_id, run_id) = (AgentId::parse("a").unwrap(), RunId::parse(run).unwrap());
    RunHandle::begin(town, &agent_id, &run_id, Runtime::Process, SecretValues::default()).unwrap().expect("a new run")
}

fn output(run: &RunHandle) {
    let (text, stream) = ("\u{2028}\"".to_owned(), OutputStream::Stdout);
    let at = Timestamp::from_millis(7);
    run.append(
        vec![
            AgentOutput { text, stream, message_id: None, parent_tool_use_id: None, partial: false, broken_off: false }
                .into(),
        ],
        at,
    );
}

fn page(town: &Town) -> ControlEvents {
    let page = town.read(None, PageQuery { after: 0, limit: 500 });
    serde_json::from_str(&page.answer(town.epoch()).unwrap()).unwrap()
}

#[tokio::test]
async fn an_answer_is_a_control_events_and_nothing_follows_an_exit() {
    let town = town();
    let run = begin(&town, "one");
    output(&run);
    let late = run.clone();
    run.fail("no");
    output(&late);
    late.clone().fail("again");
    let page = page(&town);
    let names: Vec<_> = page.events.iter().map(|event| event.event.as_str()).collect();
    assert_eq!(names, ["agent_output", "agent.exited"]);
    assert_eq!((page.head.get(), page.oldest.get(), &page.epoch), (2, 1, town.epoch()));
    output(&begin(&town, "two"));
    output(&late);
    late.fail("a third time");
    assert_eq!(town.read(None, PageQuery { after: 0, limit: 500 }).head, 3, "nor does it get into the next run");
}

#[tokio::test(start_paused = true)]
async fn an_ended_run_goes_after_five_minutes_and_a_newer_one_stays() {
    let town = town();
    let run = begin(&town, "one");
    output(&run);
    run.fail("no");
    let newer = begin(&town, "two");
    output(&newer);
    town.acknowledge(3);
    tokio::time::sleep(ENDED_KEPT.checked_sub(Duration::from_secs(1)).unwrap()).await;
    assert_eq!(page(&town).events.len(), 3);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(page(&town).events.len(), 1);
    assert_eq!(town.status(&newer.agent_id).unwrap().run_id, newer.run_id);
    let agent_id = newer.agent_id.clone();
    newer.fail("no");
    tokio::time::sleep(ENDED_KEPT * 2).await;
    assert!(town.status(&agent_id).is_none());
    let waiting = page(&town);
    assert_eq!(waiting.events.len(), 1, "its end was not acknowledged, so it waits");
    town.acknowledge(4);
    assert_eq!((page(&town).events.len(), page(&town).oldest.get()), (0, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_wake_up_is_lost() {
    let town = town();
    let run = begin(&town, "one");
    let writer = tokio::spawn(async move {
        for _ in 0..2000 {
            output(&run);
            tokio::task::yield_now().await;
        }
    });
    let mut after = 0;
    while after < 2000 {
        let waiting = town.wait(PageQuery { after, limit: 500 }, false, Duration::from_secs(30));
        let page = tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("it woke up");
        after += page.texts.len() as u64;
    }
    writer.await.unwrap();
}
