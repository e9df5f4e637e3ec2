//! The delivery of a rig's outbox: when it is carried, and which alarm stands meanwhile.

use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::wire::RigCursor;
use townwatch_town::rig::carrier::{AlarmChange, Carrier, CarryEnd, CarryProgress, CarryStep};

use crate::desk::Desk;
use crate::story::position;

/// The alarm for the case that an instance dies while it carries.
const GUARD: AlarmChange = AlarmChange::SetIn(3_000);

fn unavailable() -> Error {
    Error::new(Code::TownUnavailable, "the town is moving")
}

#[test]
fn a_post_is_carried_at_once_and_an_alarm_that_stands_is_set_no_second_time() {
    let mut carrier = Carrier::default();
    assert_eq!(carrier.posted(), CarryStep::Carry(GUARD));
    assert_eq!(carrier.posted(), CarryStep::Wait(AlarmChange::Keep), "part of the next batch");
    assert_eq!(carrier.end(CarryEnd::Done), AlarmChange::Keep);
    assert_eq!(carrier.posted(), CarryStep::Carry(AlarmChange::Keep), "the alarm has not fired yet");
    assert_eq!(carrier.end(CarryEnd::Done), AlarmChange::Keep);
    assert_eq!(carrier.alarm_fires(Some(false)), CarryStep::Wait(AlarmChange::Keep), "nothing is left for it");
    assert_eq!(carrier.posted(), CarryStep::Carry(GUARD));
}

#[test]
fn an_alarm_that_fires_while_a_batch_is_under_way_is_set_again() {
    let mut carrier = Carrier::default();
    assert_eq!(carrier.posted(), CarryStep::Carry(GUARD));
    assert_eq!(carrier.alarm_fires(Some(true)), CarryStep::Wait(GUARD));
    assert_eq!(carrier.begin(), AlarmChange::Keep, "a deletion that hands over beside it");
    assert_eq!(carrier.end(CarryEnd::Done), AlarmChange::Keep);
    assert_eq!(carrier.posted(), CarryStep::Wait(AlarmChange::Keep), "the first caller still carries");
    assert_eq!(carrier.end(CarryEnd::Done), AlarmChange::Keep);
    assert_eq!(carrier.alarm_fires(Some(true)), CarryStep::Carry(GUARD));
}

#[test]
fn while_the_town_takes_nothing_posts_wait_for_the_alarm() {
    let mut carrier = Carrier::default();
    assert_eq!(carrier.posted(), CarryStep::Carry(GUARD));
    for millis in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
        assert_eq!(carrier.end(CarryEnd::Failed), AlarmChange::Keep);
        assert_eq!(carrier.retry(), AlarmChange::SetIn(millis));
        assert_eq!(carrier.posted(), CarryStep::Wait(AlarmChange::Keep));
        assert_eq!(carrier.alarm_fires(Some(true)), CarryStep::Carry(GUARD));
    }
    assert_eq!(carrier.end(CarryEnd::Done), AlarmChange::Keep);
    assert_eq!(carrier.posted(), CarryStep::Carry(GUARD), "the alarm of the last failure was far ahead");
}

#[test]
fn an_alarm_that_could_not_be_set_is_set_with_the_next_post() {
    let mut carrier = Carrier::default();
    assert_eq!(carrier.posted(), CarryStep::Carry(GUARD));
    carrier.alarm_failed();
    assert_eq!(carrier.posted(), CarryStep::Wait(GUARD));
}

#[test]
fn an_instance_looks_once_for_what_the_one_before_left() {
    let mut carrier = Carrier::default();
    assert_eq!(carrier.wake(|| None), AlarmChange::Keep, "nothing could be read");
    assert_eq!(carrier.wake(|| Some(true)), AlarmChange::SetIn(0));
    assert_eq!(carrier.wake(|| panic!("it has looked")), AlarmChange::Keep);
    assert_eq!(Carrier::default().wake(|| Some(false)), AlarmChange::Keep);
}

#[test]
fn an_alarm_that_cannot_read_what_waits_is_followed_by_another() {
    let mut carrier = Carrier::default();
    assert_eq!(carrier.posted(), CarryStep::Carry(GUARD));
    assert_eq!(carrier.end(CarryEnd::Failed), AlarmChange::Keep);
    assert_eq!(carrier.retry(), AlarmChange::SetIn(500));
    assert_eq!(carrier.alarm_fires(None), CarryStep::Carry(GUARD));
    assert_eq!(carrier.end(CarryEnd::Failed), AlarmChange::Keep);
    assert_eq!(carrier.retry(), AlarmChange::SetIn(1_000));
}

#[test]
fn a_rig_whose_town_is_gone_is_not_woken_for_it() {
    let mut carrier = Carrier::default();
    assert_eq!(carrier.posted(), CarryStep::Carry(GUARD));
    assert_eq!(carrier.end(CarryEnd::TownGone), AlarmChange::Clear);
    assert_eq!(carrier.posted(), CarryStep::Carry(GUARD), "each post asks once more");
}

#[test]
fn an_answer_says_whether_another_batch_is_to_be_carried() {
    let desk = Desk::new();
    desk.notes("a", 3);
    let carrier = Carrier::default();
    let answered = |cursor| carrier.answered(&desk.rig, Ok(RigCursor { cursor: position(cursor) })).unwrap();
    assert_eq!([answered(2), answered(3)], [CarryProgress::Next, CarryProgress::End(CarryEnd::Done)]);
    assert_eq!(answered(1), CarryProgress::Next, "the town's word counts, also backwards");
    let gone = carrier.answered(&desk.rig, Err(Error::not_found("rig in this town")));
    assert_eq!(gone.unwrap(), CarryProgress::End(CarryEnd::TownGone));
    assert_eq!(carrier.answered(&desk.rig, Err(unavailable())).unwrap_err().code, Code::TownUnavailable);
}
