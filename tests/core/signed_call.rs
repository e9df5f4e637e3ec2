//! Signed calls: good for one call of one town, for some seconds, once.

use proptest::prelude::*;
use townwatch_protocol::control_key::{PublicControlKey, SigningKey};
use townwatch_protocol::error::Code;
use townwatch_protocol::id::TownId;
use townwatch_protocol::replays::{REPLAYS_MAX, Replays};
use townwatch_protocol::signed_call::{CALL_LIFE_MS_MAX, Call, Claims, Purpose, Refusal};
use townwatch_protocol::time::Timestamp;
use townwatch_town::relay::control_key::of_town;

use crate::story::Story;

const BODY: &[u8] = br#"{"request_id":"r","answer":"once"}"#;
const ANSWER: &str = "/agents/a/answer";

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

fn key() -> SigningKey {
    SigningKey::of([7; 32])
}

fn town(name: &str) -> TownId {
    TownId::parse(name).unwrap()
}

/// The header of an answer that is signed now.
fn signed(nonce: u8) -> String {
    let call = Call { town_id: &town("mine"), method: "POST", target: ANSWER };
    call.sign(&key(), Purpose::Answer, BODY, now(), [nonce; 16])
}

fn verify(header: &str, town_id: &str, method: &str, target: &str, at: Timestamp) -> Result<Claims, Refusal> {
    Call { town_id: &town(town_id), method, target }.verify(Some(header), &key().public(), at)
}

#[test]
fn it_is_good_for_what_it_was_signed_for() {
    let claims = verify(&signed(1), "mine", "POST", ANSWER, now()).unwrap();
    assert_eq!((claims.purpose, claims.issued_at), (Purpose::Answer, now()));
    assert_eq!(claims.check_body(BODY), Ok(()));
    assert_eq!(claims.check_body(b""), Err(Refusal::AlteredBody));
    assert!(signed(1).len() <= 310, "{}", signed(1).len());
}

#[test]
fn it_is_good_for_nothing_else() {
    let header = signed(1);
    for (town_id, method, target) in [
        ("other", "POST", ANSWER),
        ("mine", "GET", ANSWER),
        ("mine", "POST", "/agents/b/answer"),
        ("mine", "POST", "/agents/a/answer?x=1"),
        ("mine", "POST", "/agents/start"),
    ] {
        let refused = verify(&header, town_id, method, target, now());
        assert_eq!(refused, Err(Refusal::WrongSignature), "{town_id} {method} {target}");
    }
    let other = SigningKey::of([8; 32]).public();
    let call = Call { town_id: &town("mine"), method: "POST", target: ANSWER };
    assert_eq!(call.verify(Some(&header), &other, now()), Err(Refusal::WrongSignature));
    assert_eq!(call.verify(None, &key().public(), now()), Err(Refusal::NotSigned));
}

#[test]
fn a_path_takes_only_calls_of_its_own_purpose() {
    let town_id = town("mine");
    for (path, needed) in [
        ("/health", Purpose::Look),
        ("/agents/a/status", Purpose::Look),
        ("/events", Purpose::Relay),
        ("/agents/a/events", Purpose::Relay),
        ("/agents/a/images/b", Purpose::Relay),
        ("/agents/start", Purpose::Start),
        ("/agents/a/stop", Purpose::Stop),
        ("/agents/a/message", Purpose::Tell),
        ("/agents/a/answer", Purpose::Answer),
    ] {
        let target = format!("{path}?a=b");
        for purpose in Purpose::ALL {
            let call = Call { town_id: &town_id, method: "GET", target: &target };
            let header = call.sign(&key(), *purpose, b"", now(), [0; 16]);
            let verified = call.verify(Some(&header), &key().public(), now()).map(|claims| claims.purpose);
            let expected = if *purpose == needed { Ok(needed) } else { Err(Refusal::WrongPurpose) };
            assert_eq!(verified, expected, "{path} for {purpose:?}");
        }
    }
}

#[test]
fn it_is_good_for_some_seconds() {
    let at = |millis| verify(&signed(1), "mine", "POST", ANSWER, now().plus_millis(millis)).map(|_| ());
    assert_eq!(at(CALL_LIFE_MS_MAX - 1), Ok(()));
    assert_eq!(at(CALL_LIFE_MS_MAX), Err(Refusal::Expired));
    assert_eq!(at(-5_000), Ok(()), "the other clock may be ahead a little");
    assert_eq!(at(-60_000), Err(Refusal::Early));
}

#[test]
fn every_letter_of_it_counts() {
    let header = signed(1);
    for place in "Townwatch ".len()..header.len() {
        let mut altered = header.clone().into_bytes();
        altered[place] = if altered[place] == b'1' { b'2' } else { b'1' };
        let altered = String::from_utf8(altered).unwrap();
        let refused = verify(&altered, "mine", "POST", ANSWER, now());
        assert!(matches!(refused, Err(Refusal::WrongSignature | Refusal::Malformed)), "{altered} {refused:?}");
    }
    for (altered, expected) in [
        (header.to_ascii_uppercase(), Refusal::Malformed),
        (format!("{header}.00"), Refusal::Malformed),
        (header.replace("answer.", "answer.0"), Refusal::Malformed),
        (header.replace("answer.", "answer.+"), Refusal::Malformed),
        (header.replace("answer.", "start."), Refusal::WrongSignature),
        ("Townwatch".to_owned(), Refusal::Malformed),
        ("Bearer k3y-of-somebody-else".to_owned(), Refusal::NotSigned),
        (format!("Townwatch {}", "a".repeat(10_000)), Refusal::Malformed),
    ] {
        assert_eq!(verify(&altered, "mine", "POST", ANSWER, now()), Err(expected), "{altered}");
    }
}

#[test]
fn it_is_good_once() {
    let mut replays = Replays::new(now());
    let first = verify(&signed(1), "mine", "POST", ANSWER, now()).unwrap();
    let second = verify(&signed(2), "mine", "POST", ANSWER, now()).unwrap();
    assert_eq!(replays.take(&first, now()), Ok(()));
    assert_eq!(replays.take(&second, now()), Ok(()));
    for after in [0, 1, CALL_LIFE_MS_MAX - 1] {
        assert_eq!(replays.take(&first, now().plus_millis(after)), Err(Refusal::Replayed), "{after} ms later");
    }
    assert_eq!(replays.take(&first, now().plus_millis(CALL_LIFE_MS_MAX)), Err(Refusal::Expired));
    assert_eq!(replays.take(&first, now()), Err(Refusal::Expired), "the clock stepped back");
}

#[test]
fn what_was_signed_before_the_server_began_is_refused() {
    let mut replays = Replays::new(now().plus_millis(1));
    let claims = verify(&signed(1), "mine", "POST", ANSWER, now()).unwrap();
    assert_eq!(replays.take(&claims, now().plus_millis(2)), Err(Refusal::BeforeStart));
}

#[test]
fn at_the_bound_calls_are_refused_and_none_is_forgotten() {
    let mut replays = Replays::new(now());
    let one = verify(&signed(1), "mine", "POST", ANSWER, now()).unwrap();
    let numbered = |number: usize| {
        let mut claims = one.clone();
        claims.nonce[..8].copy_from_slice(&number.to_be_bytes());
        claims
    };
    for number in 0..REPLAYS_MAX {
        assert_eq!(replays.take(&numbered(number), now()), Ok(()));
    }
    assert_eq!(replays.take(&numbered(REPLAYS_MAX), now()), Err(Refusal::Full));
    assert_eq!(Refusal::Full.error().code, Code::RateLimited);
    assert_eq!(replays.take(&numbered(0), now()), Err(Refusal::Replayed));
    let later = now().plus_millis(CALL_LIFE_MS_MAX);
    let mut fresh = one;
    (fresh.issued_at, fresh.expires_at) = (later, later.plus_millis(1));
    assert_eq!(replays.take(&fresh, later), Ok(()), "there is room again once their time is over");
}

#[test]
fn a_town_has_one_key_for_life_and_another_than_its_neighbour() {
    let mut story = Story::new();
    let mut made = 0;
    let mut fresh = || {
        made += 1;
        [made; 32]
    };
    let first = of_town(story.store.as_ref(), &mut fresh).unwrap();
    story.reopen();
    assert!(first == of_town(story.store.as_ref(), &mut fresh).unwrap());
    assert!(first != of_town(Story::new().store.as_ref(), &mut fresh).unwrap());
    assert_eq!(made, 2);
}

#[test]
fn keys_are_read_as_they_are_written_and_the_private_one_is_not_shown() {
    // RFC 8032, test 1.
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let key = SigningKey::parse(seed).unwrap();
    assert_eq!(key.public().to_string(), public);
    assert_eq!(PublicControlKey::parse(public), Some(key.public()));
    assert_eq!(format!("{key:?}"), "SigningKey(…)");
    for text in ["", "9d61", &seed.to_uppercase(), &format!("{seed}00"), &seed.replace('9', "g")] {
        assert!(SigningKey::parse(text).is_none() && PublicControlKey::parse(text).is_none(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_is_taken_for_a_signature(text in "\\PC*", rest in "[a-z0-9.]{0,300}") {
        for header in [text, format!("Townwatch {rest}")] {
            prop_assert!(verify(&header, "mine", "POST", ANSWER, now()).is_err());
        }
    }
}
