//! Pictures beside the log: what is wanted, kept and gone.

use serde_json::{Value as Json, json};
use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::id::{ImageId, RigId};
use townwatch_protocol::image::{ImageType, name};
use townwatch_protocol::limits::{IMAGE_BYTES_MAX, IMAGES_PER_AGENT_MAX, IMAGES_PER_EVENT_MAX};
use townwatch_town::log::images::{self, Found, WantedImage};

use crate::story::{Story, agent, said};

const PNG: &[u8] = include_bytes!("../pictures/dot.png");
const GIF: &[u8] = include_bytes!("../pictures/dot.gif");

/// A PNG of about so many bytes, each number another one: a text chunk is put before its end.
fn png(number: u32, bytes: usize) -> Vec<u8> {
    let end = PNG.len() - 12;
    let mut text = number.to_be_bytes().to_vec();
    text.resize(bytes.max(PNG.len() + 16) - PNG.len() - 12, b'x');
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&PNG[..end], &length, b"tEXt", &text, &[0; 4], &PNG[end..]].concat()
}

fn result(pictures: &[&ImageId]) -> Json {
    let attachments: Vec<Json> = pictures.iter().map(|id| json!({"kind": "image", "image_id": id})).collect();
    json!({"tool_use_id": "t", "success": true, "content": "", "content_length": 0, "duration_ms": 1,
           "attachments": attachments})
}

fn working() -> Story {
    let mut story = Story::new();
    story.begin("a", "r1");
    story
}

fn show(story: &mut Story, pictures: &[&ImageId]) {
    story.relay(&[("a", "r1", "agent_tool_result", result(pictures))]);
}

fn next(story: &Story) -> Option<ImageId> {
    images::next_wanted(story.store.as_ref(), story.now).unwrap().map(|wanted| wanted.image_id)
}

fn wanted(image_id: &ImageId) -> WantedImage {
    WantedImage { agent_id: agent("a"), image_id: image_id.clone() }
}

fn fetched(story: &Story, image_id: &ImageId, bytes: &[u8]) {
    images::fetched(story.store.as_ref(), &wanted(image_id), bytes).unwrap();
}

fn find(story: &Story, image_id: &ImageId) -> Found {
    images::find(story.store.as_ref(), &agent("a"), image_id).unwrap()
}

fn why(story: &Story, image_id: &ImageId) -> String {
    let Found::Gone(why) = find(story, image_id) else { panic!("it is not gone: {:?}", find(story, image_id)) };
    why
}

fn post(story: &Story, who: &str, image_id: &ImageId, kind: ImageType, bytes: &[u8]) -> Result<bool, Error> {
    let rig = RigId::parse("rig").unwrap();
    images::post(story.store.as_ref(), &rig, &agent(who), image_id, kind, bytes).map(|posted| posted.is_new)
}

#[test]
fn what_an_event_names_is_wanted_until_it_came() {
    let mut story = working();
    let (one, two) = (name(PNG), name(GIF));
    show(&mut story, &[&one, &two, &one]);
    story.reopen();
    assert_eq!(find(&story, &one), Found::Wanted);
    let first = next(&story).unwrap();
    let bytes = if first == one { PNG } else { GIF };
    fetched(&story, &first, bytes);
    fetched(&story, &next(&story).unwrap(), if first == one { GIF } else { PNG });
    assert_eq!((next(&story), images::due_at(story.store.as_ref()).unwrap()), (None, None));
    assert_eq!(find(&story, &one), Found::Kept(ImageType::Png, PNG.to_vec()));
    assert_eq!(find(&story, &two), Found::Kept(ImageType::Gif, GIF.to_vec()));
    show(&mut story, &[&one]);
    assert_eq!(next(&story), None, "it is here already");
}

#[test]
fn a_large_one_lies_in_several_rows_and_comes_back_whole() {
    let mut story = working();
    let bytes = png(1, IMAGE_BYTES_MAX);
    assert_eq!(bytes.len(), IMAGE_BYTES_MAX);
    show(&mut story, &[&name(&bytes)]);
    fetched(&story, &name(&bytes), &bytes);
    assert_eq!(story.number("SELECT count(*) FROM image_parts"), 4);
    assert!(find(&story, &name(&bytes)) == Found::Kept(ImageType::Png, bytes));
}

#[test]
fn events_without_pictures_cost_nothing() {
    let mut story = working();
    let plain = json!({"tool_use_id": "t", "success": true, "content": "x", "content_length": 1, "duration_ms": 1});
    story.relay(&[("a", "r1", "agent_output", said("x"))]);
    let statements = |story: &mut Story, event: &str, data: Json| {
        let before = story.store.statements();
        story.relay(&[("a", "r1", event, data)]);
        story.store.statements() - before
    };
    let of_output = statements(&mut story, "agent_output", said("\"image_id\": \"00\""));
    assert_eq!(statements(&mut story, "agent_tool_result", plain), of_output);
    assert_eq!(story.number("SELECT count(*) FROM images"), 0);
}

#[test]
fn what_came_is_looked_at() {
    let mut story = working();
    let (png_id, gif_id) = (name(PNG), name(GIF));
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".as_slice();
    let page = [PNG, b"<script>alert(1)</script>"].concat();
    for (named, came, words) in [
        (name(svg), svg, "no PNG, JPEG, WebP or GIF"),
        (name(&page), page.as_slice(), "behind its end"),
        (png_id.clone(), &PNG[..PNG.len() - 1], "not whole"),
        (gif_id, PNG, "another picture"),
    ] {
        show(&mut story, &[&named]);
        fetched(&story, &named, came);
        assert!(why(&story, &named).contains(words), "{}", why(&story, &named));
    }
    assert_eq!(next(&story), None);
    assert_eq!(story.number("SELECT count(*) FROM image_parts"), 0);
    show(&mut story, &[&png_id]);
    assert_eq!(next(&story), Some(png_id.clone()), "an event names it anew");
    fetched(&story, &png_id, PNG);
    assert_eq!(find(&story, &png_id), Found::Kept(ImageType::Png, PNG.to_vec()));
}

#[test]
fn a_try_that_fails_is_repeated_for_five_minutes() {
    let mut story = working();
    let id = name(PNG);
    show(&mut story, &[&id]);
    let began = story.now;
    let mut tries = 0;
    while let Some(due) = images::due_at(story.store.as_ref()).unwrap() {
        story.now = story.now.max(due);
        assert_eq!(next(&story), Some(id.clone()));
        images::failed(story.store.as_ref(), &wanted(&id), story.now).unwrap();
        tries += 1;
    }
    assert_eq!(tries, 10);
    let seconds = story.now.millis_since(began) / 1_000;
    assert!((200..=320).contains(&seconds), "{seconds} s");
    assert!(why(&story, &id).contains("five minutes"), "{}", why(&story, &id));
}

#[test]
fn one_that_will_never_come_is_gone() {
    let mut story = working();
    let id = name(PNG);
    show(&mut story, &[&id]);
    images::lost(story.store.as_ref(), &wanted(&id), "It was not there.").unwrap();
    assert_eq!(why(&story, &id), "This picture is gone. It was not there.");
    assert!(why(&story, &name(GIF)).contains("not here"));
    // What comes late changes nothing.
    fetched(&story, &id, PNG);
    images::failed(story.store.as_ref(), &wanted(&id), story.now).unwrap();
    assert_eq!(why(&story, &id), "This picture is gone. It was not there.");
}

#[test]
fn the_oldest_go_when_64_mib_are_full() {
    let mut story = working();
    let pictures: Vec<Vec<u8>> = (0..18).map(|number| png(number, IMAGE_BYTES_MAX)).collect();
    for bytes in &pictures {
        show(&mut story, &[&name(bytes)]);
        fetched(&story, &name(bytes), bytes);
        if name(bytes) == name(&pictures[9]) {
            show(&mut story, &[&name(&pictures[0])]); // which makes it young again
        }
    }
    let kept = |story: &Story, at: usize| matches!(find(story, &name(&pictures[at])), Found::Kept(..));
    let gone: Vec<usize> = (0..18).filter(|at| !kept(&story, *at)).collect();
    assert_eq!(gone, [1, 2]);
    assert!(why(&story, &name(&pictures[1])).contains("Newer ones needed its room"));
    assert_eq!(story.number("SELECT count(*) FROM image_parts"), 64);
}

#[test]
fn rows_have_a_bound_too() {
    let mut story = working();
    let many: Vec<ImageId> =
        (0..=u32::try_from(IMAGES_PER_AGENT_MAX).unwrap()).map(|n| name(&n.to_be_bytes())).collect();
    let first: Vec<&ImageId> = many.iter().take(IMAGES_PER_EVENT_MAX + 1).collect();
    show(&mut story, &first);
    assert_eq!(story.number("SELECT count(*) FROM images"), IMAGES_PER_EVENT_MAX as u64, "of one event");
    for chunk in many.chunks(IMAGES_PER_EVENT_MAX) {
        show(&mut story, &chunk.iter().collect::<Vec<_>>());
    }
    assert_eq!(story.number("SELECT count(*) FROM images"), IMAGES_PER_AGENT_MAX);
    assert_eq!(find(&story, many.last().unwrap()), Found::Wanted);
}

#[test]
fn what_no_retained_event_names_goes_with_the_next_picture() {
    let mut story = Story::capped(3);
    story.begin("a", "r1");
    let (old, new) = (name(PNG), name(GIF));
    show(&mut story, &[&old]);
    fetched(&story, &old, PNG);
    for text in ["1", "2", "3"] {
        story.relay(&[("a", "r1", "agent_output", said(text))]);
    }
    assert!(matches!(find(&story, &old), Found::Kept(..)), "until then it stays");
    show(&mut story, &[&new]);
    assert!(why(&story, &old).contains("not here"));
    assert_eq!(story.number("SELECT count(*) FROM image_parts"), 0);
    fetched(&story, &new, GIF);
    assert!(matches!(find(&story, &new), Found::Kept(..)));
}

#[test]
fn a_posting_agent_brings_its_own_before_or_after_the_event() {
    let mut story = Story::new();
    story.register("a");
    let (before, after) = (name(PNG), name(GIF));
    assert_eq!(post(&story, "a", &before, ImageType::Png, PNG), Ok(true));
    let unnamed = png(1, 200);
    assert_eq!(post(&story, "a", &name(&unnamed), ImageType::Png, &unnamed), Ok(true));
    assert_eq!(find(&story, &before), Found::Kept(ImageType::Png, PNG.to_vec()), "before there is any event");
    story.post(&[("a", "", "agent_tool_result", result(&[&before, &after]))]);
    assert_eq!(next(&story), None, "the container is not asked for what others post");
    assert!(why(&story, &after).contains("not here"));
    assert_eq!(post(&story, "a", &after, ImageType::Gif, GIF), Ok(true));
    assert_eq!(find(&story, &after), Found::Kept(ImageType::Gif, GIF.to_vec()));
    assert_eq!(find(&story, &before), Found::Kept(ImageType::Png, PNG.to_vec()));
    let rows = story.store.rows_changed();
    assert_eq!(post(&story, "a", &after, ImageType::Gif, GIF), Ok(false));
    assert_eq!(story.store.rows_changed(), rows, "the same again writes nothing");
}

#[test]
fn a_posted_picture_is_refused_by_what_is_wrong() {
    let mut story = Story::new();
    story.register("a");
    let refused = |who: &str, id: &ImageId, kind, bytes: &[u8]| post(&story, who, id, kind, bytes).unwrap_err();
    let field = |error: Error| (error.code, error.details.and_then(|details| details.field));
    let invalid = |name: &str| (Code::InvalidRequest, Some(name.to_owned()));
    assert_eq!(field(refused("a", &name(b"<svg/>"), ImageType::Png, b"<svg/>")), invalid("body"));
    assert_eq!(field(refused("a", &name(GIF), ImageType::Png, PNG)), invalid("image_id"));
    assert_eq!(field(refused("a", &name(PNG), ImageType::Gif, PNG)), invalid("Content-Type"));
    let large = vec![0; IMAGE_BYTES_MAX + 1];
    assert_eq!(refused("a", &name(&large), ImageType::Png, &large).code, Code::TooLarge);
    assert_eq!(refused("nobody", &name(PNG), ImageType::Png, PNG).code, Code::NotFound);
    let other = RigId::parse("other").unwrap();
    let foreign = images::post(story.store.as_ref(), &other, &agent("a"), &name(PNG), ImageType::Png, PNG);
    assert_eq!(foreign.unwrap_err().code, Code::NotFound, "an agent of another rig");
    assert_eq!(story.number("SELECT count(*) FROM images"), 0);
}

#[test]
fn what_only_looks_like_a_result_names_nothing() {
    let mut story = working();
    let id = name(PNG);
    for data in [
        json!({"image_id": id}),
        json!({"attachments": {"image_id": id}}),
        json!({"attachments": [[id], {"image_id": 7}, {"image_id": "../x"}, {"image_id": "ABC"}, null]}),
        json!("\"image_id\""),
    ] {
        story.relay(&[("a", "r1", "agent_tool_result", data)]);
    }
    assert_eq!(story.number("SELECT count(*) FROM images"), 0);
    // One good entry among what is none, and text that no JSON value could hold.
    let raw = format!(r#"{{"content":"\ud800","x":1e999,"attachments":[{{"name":"\udc00"}},{{"image_id":"{id}"}}]}}"#);
    let mut answer = story.answer(&[("a", "r1", "agent_tool_result", json!(null))]);
    answer.events[0].data = serde_json::value::RawValue::from_string(raw).unwrap();
    story.apply(&answer);
    assert_eq!(next(&story), Some(id));
}

#[test]
fn a_failed_transaction_leaves_nothing_half() {
    let mut story = working();
    let bytes = png(3, 3 << 20);
    show(&mut story, &[&name(&bytes)]);
    let before = story.store.dump();
    let mut failures = 0;
    for at in 0.. {
        story.store.fail_after(at);
        let outcome = images::fetched(story.store.as_ref(), &wanted(&name(&bytes)), &bytes);
        if !story.store.has_failed() {
            outcome.unwrap();
            break;
        }
        assert!(outcome.is_err());
        assert!(story.store.dump() == before, "statement {at}");
        failures += 1;
    }
    assert!(failures >= 5, "{failures}");
    assert!(matches!(find(&story, &name(&bytes)), Found::Kept(..)));
}
