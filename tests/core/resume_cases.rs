//! The rules of the contract's "Resuming", by the neutral cases of `tests/resume/`: as a socket's viewer, a reader of an event
//! stream, pages and lines tell them. What each of these can say is in the README beside the cases.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use townwatch_protocol::error::Result;
use townwatch_town::reading::cursor::{BeginAt, BeginRequest};
use townwatch_town::reading::pages::PageRequest;
use townwatch_town::reading::reader::{Next, Reader};
use townwatch_town::reading::streams::OpenStream;
use townwatch_town::viewers::{Effect, ViewerId};

use crate::pulled::messages;
use crate::resuming::{Run, Told, cases, each};
use crate::story::{epoch, operator};

const PROTOCOL: &str = include_str!("../../PROTOCOL.md");

/// The filters of a `subscribe`, each with the kind of event that it shows.
const FILTERS: [(&str, &str); 5] = [
    ("tool_calls", "agent_tool_call"),
    ("tool_results", "agent_tool_result"),
    ("output", "agent_output"),
    ("files", "file_changed"),
    ("progress", "progress_update"),
];

#[test]
fn every_rule_has_a_case_and_every_case_a_rule() {
    let (_, section) = PROTOCOL.split_once("\n## Resuming\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rule = |line: &str| Some(line.strip_prefix("- **")?.split_once("** ")?.0.to_owned());
    let rules: Vec<String> = section.lines().filter_map(rule).collect();
    assert!(!rules.is_empty());
    assert_eq!(rules, (1..=rules.len()).map(|number| format!("R{number}")).collect::<Vec<_>>(), "in order");
    let of_cases: BTreeSet<String> = cases().iter().map(|case| case["rule"].as_str().unwrap().to_owned()).collect();
    assert_eq!(of_cases, rules.into_iter().collect());
}

/// Takes what a viewer was sent; where it subscribes, with the cursor that was `asked` for, from the confirmation on.
fn watched(told: &mut Told, viewer: ViewerId, effects: &[Effect], asked: Option<&Json>) {
    let mut is_subscribed = asked.is_none();
    for effect in effects {
        match effect {
            Effect::Send(id, text) if *id == viewer => {
                let frame: Json = serde_json::from_str(text).unwrap();
                if frame["type"] == "subscription_confirmed" {
                    is_subscribed = true;
                    told.hello(Some(&frame["after_id"]) != asked);
                } else if is_subscribed {
                    told.frame(&frame);
                }
            }
            Effect::Close(id, ending) if *id == viewer => {
                assert_eq!(ending.code(), 1000);
                told.0.push(json!({"end": {}}));
            }
            _ => {}
        }
    }
}

#[test]
fn a_socket_keeps_the_rules() {
    each("WebSocket", |mut run| {
        let viewer = run.story.town.fresh_viewer();
        let types = run.asks("types").as_array();
        let opened = run.join().map(|(mut join, _)| {
            if types.is_some() {
                join.asked = BeginRequest::tail(0);
            }
            let mut effects = run.story.seen(OpenStream { id: viewer, join: &join, permit: operator() });
            if let Some(types) = types {
                let shows = |(filter, name): (&str, &str)| (filter.to_owned(), json!(types.contains(&json!(name))));
                let filters: serde_json::Map<_, _> = FILTERS.map(shows).into_iter().collect();
                let agents = run.agent_id().map_or(json!("*"), |agent_id| json!([agent_id]));
                let after_id = run.asks("after_id");
                let wish = json!({"type": "subscribe", "agents": agents, "after_id": after_id, "filters": filters});
                effects.extend(run.story.hears(viewer, &wish));
            }
            let asked = types.map(|_| run.asks("after_id"));
            watched(&mut run.told, viewer, &effects, asked);
        });
        run.ends("WebSocket", opened, |run| {
            let effects = run.happens(&run.case["then"]["events"]);
            watched(&mut run.told, viewer, &effects, None);
        });
    });
}

#[test]
fn an_event_stream_keeps_the_rules() {
    fn pulled(run: &mut Run<'_>, reader: &mut Reader) {
        loop {
            let turn = run.story.town.read_on(reader, run.story.now).unwrap();
            for message in messages(&turn.text) {
                assert_eq!(message.id.is_some(), message.data["type"].is_null(), "events have ids");
                run.told.frame(&message.data);
            }
            match turn.next {
                Next::Pull => {}
                Next::Wait => return,
                Next::End => return run.told.0.push(json!({"end": {}})),
            }
        }
    }
    each("event stream", |mut run| {
        let mut reader = None;
        let opened = run.join().map(|(join, comes_back)| {
            if comes_back && run.story.town.is_past_exit(&join).unwrap() {
                return run.told.0.push(json!({"nothing_left": {}}));
            }
            let mut opened = run.story.town.open_reader(&join, &operator(), run.story.now).unwrap();
            pulled(&mut run, &mut opened);
            reader = Some(opened);
        });
        run.ends("event stream", opened, |run| {
            run.happens(&run.case["then"]["events"]);
            pulled(run, &mut reader.unwrap());
        });
    });
}

/// Where the next page or range goes on.
fn behind(request: &PageRequest, next_after_id: u64) -> PageRequest {
    let asked = BeginRequest::after(next_after_id).of_epoch(Some(epoch("log-1")));
    PageRequest { asked, ..request.clone() }
}

/// Reads pages until one reaches the head; gives what comes next.
fn read_pages(run: &mut Run<'_>, mut request: PageRequest) -> Result<PageRequest> {
    let mut is_first = run.told.0.is_empty();
    loop {
        let page = run.story.town.page(&run.selection(), &request)?;
        let page: Json = serde_json::from_str(&page.to_json().unwrap()).unwrap();
        if std::mem::take(&mut is_first) {
            run.told.hello(page["reset"] == true);
        } else {
            assert_eq!(page["reset"], Json::Null, "it goes on where it was");
        }
        page["gaps"].as_array().unwrap().iter().for_each(|gap| run.told.gap(gap));
        page["events"].as_array().unwrap().iter().for_each(|event| run.told.event(event));
        request = behind(&request, page["next_after_id"].as_u64().unwrap());
        if page["next_after_id"] == page["head"] {
            run.told.caught_up(&page["head"]);
            return Ok(request);
        }
    }
}

#[test]
fn pages_keep_the_rules() {
    each("long poll", |mut run| {
        let mut next = None;
        let opened = run.page().and_then(|mut request| {
            if request.asked.at == BeginAt::Unsaid {
                request.asked.at = BeginAt::After(0);
            }
            next = Some(read_pages(&mut run, request)?);
            Ok(())
        });
        run.ends("long poll", opened, |run| {
            run.happens(&run.case["then"]["events"]);
            read_pages(run, next.unwrap()).unwrap();
        });
    });
}

/// Reads a range; gives the one behind it.
fn read_range(run: &mut Run<'_>, request: &PageRequest) -> Result<PageRequest> {
    let mut range = run.story.town.open_range(run.selection(), request.clone(), operator().grantor)?;
    let mut text = String::new();
    while let Some(piece) = run.story.town.read_range(&mut range, run.story.now)? {
        text.push_str(&piece);
    }
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (complete, lines) = lines.split_last().unwrap();
    if run.told.0.is_empty() && lines.first().is_none_or(|line| line["type"] != "hello") {
        run.told.hello(false);
    }
    for line in lines {
        run.told.frame(line);
    }
    assert_eq!((&complete["type"], &complete["next_after_id"]), (&json!("complete"), &complete["head"]));
    run.told.caught_up(&complete["head"]);
    Ok(behind(request, complete["next_after_id"].as_u64().unwrap()))
}

#[test]
fn lines_keep_the_rules() {
    each("lines", |mut run| {
        let mut next = None;
        let opened = run.page().and_then(|request| {
            next = Some(read_range(&mut run, &request)?);
            Ok(())
        });
        run.ends("lines", opened, |run| {
            run.happens(&run.case["then"]["events"]);
            read_range(run, &next.unwrap()).unwrap();
        });
    });
}
