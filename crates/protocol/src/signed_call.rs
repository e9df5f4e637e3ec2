//! A call to a control server, signed by the town that makes it.
//!
//! A signature is valid for one call, once ([`crate::replays`]), and for some seconds. It covers the town, the method,
//! the path with its query, the purpose and the body; [`Call::text`] makes the text of them. It travels in the
//! `Authorization` header, as `Townwatch <purpose>.<issued>.<expires>.<nonce>.<body>.<signature>`. Both times are
//! milliseconds since 1970; nonce, body hash and signature are hexadecimal digits.

use sha2::{Digest, Sha256};

use crate::control_key::{PublicControlKey, SigningKey};
use crate::error::{Code, Error};
use crate::hexadecimal;
use crate::id::TownId;
use crate::time::Timestamp;

/// The header's scheme.
pub const SCHEME: &str = "Townwatch";

/// The longest life of a call, 20 s: the time for its way, and for the difference of two clocks. A call that claims a
/// longer life is refused.
pub const CALL_LIFE_MS_MAX: i64 = 20_000;

/// The time by which the caller's clock may be ahead of ours, 10 s. A call from further ahead is refused.
pub const CLOCK_AHEAD_MS_MAX: i64 = 10_000;

/// The bytes of the header, 512; ours has at most 310. A longer header is refused.
const HEADER_BYTES_MAX: usize = 512;

macro_rules! purposes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal;)*) => {
        /// The purpose of a call. A path takes only calls of its own purpose.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Purpose { $($(#[doc = $doc])* $name,)* }

        impl Purpose {
            /// All of them, for tables and tests.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name of the purpose in the header.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

purposes! {
    /// To see how the server or a run is.
    Look = "look";
    /// To fetch events and pictures.
    Relay = "relay";
    /// To start an agent.
    Start = "start";
    /// To stop one.
    Stop = "stop";
    /// To tell one something, as the operator.
    Tell = "tell";
    /// To answer one's question, as the operator.
    Answer = "answer";
    /// To let what the town's runs made go: it is deleted.
    Forget = "forget";
}

impl Purpose {
    /// The purpose of a control server's path; `None` for an unknown path.
    pub fn of_path(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        match parts[..] {
            ["health"] | ["agents", _, "status"] => Some(Self::Look),
            ["events"] | ["agents", _, "events"] | ["agents", _, "images", _] => Some(Self::Relay),
            ["agents", "start"] => Some(Self::Start),
            ["agents", _, "stop"] => Some(Self::Stop),
            ["agents", _, "message"] => Some(Self::Tell),
            ["agents", _, "answer"] => Some(Self::Answer),
            ["forget"] => Some(Self::Forget),
            _ => None,
        }
    }
}

/// The reason for which a call is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The call has no signature.
    NotSigned,
    /// The signature's header has another form than ours.
    Malformed,
    /// The signature is for another call, or by another key.
    WrongSignature,
    /// The signature is for another purpose than the path's.
    WrongPurpose,
    /// The call claims a longer life than a call may have.
    TooLong,
    /// The call comes from a clock that is too far ahead.
    Early,
    /// The call's life is over.
    Expired,
    /// The call was signed before this server began. The server cannot know whether its predecessor took it.
    BeforeStart,
    /// The call was taken before.
    Replayed,
    /// The memory for taken calls is full.
    Full,
    /// The body is not the one that was signed.
    AlteredBody,
}

impl Refusal {
    /// The name of the reason in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotSigned => "not_signed",
            Self::Malformed => "malformed",
            Self::WrongSignature => "wrong_signature",
            Self::WrongPurpose => "wrong_purpose",
            Self::TooLong => "too_long",
            Self::Early => "early",
            Self::Expired => "expired",
            Self::BeforeStart => "before_start",
            Self::Replayed => "replayed",
            Self::Full => "full",
            Self::AlteredBody => "altered_body",
        }
    }

    /// The failure that the caller gets.
    pub fn error(self) -> Error {
        let message = match self {
            Self::NotSigned => "only the town's Worker may call: each call carries its signature",
            Self::Malformed => {
                "the signature is not in the form `Townwatch purpose.issued.expires.nonce.body.signature`"
            }
            Self::WrongSignature => {
                "the signature does not fit: it is of another town, method, path or time, or of another key than \
                 CONTROL_PUBLIC_KEY"
            }
            Self::WrongPurpose => "the call was signed for another purpose than this path has",
            Self::TooLong => "the call says that it is good for longer than 20 s",
            Self::Early => "the call is of the future: the clocks of the Worker and the control server differ",
            Self::Expired => {
                "the call is too old: it was held up for long, or the clocks of the Worker and the control server differ"
            }
            Self::BeforeStart => "the call was signed before this control server began; sign it anew",
            Self::Replayed => "the call came before, and is good only once; sign it anew",
            Self::Full => "more calls came than can be remembered; call again in some seconds",
            Self::AlteredBody => "the body is not the one that was signed",
        };
        let code = if self == Self::Full { Code::RateLimited } else { Code::Unauthorized };
        Error::new(code, message)
    }
}

/// A random number that makes each call unique. Nobody can guess it.
pub type Nonce = [u8; 16];

/// A call, without its body.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The town that calls.
    pub town_id: &'a TownId,
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The path with its query.
    pub target: &'a str,
}

/// The claims of the header, after its signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The purpose of the call.
    pub purpose: Purpose,
    /// The time at which the call was signed.
    pub issued_at: Timestamp,
    /// The time from which the call is no longer valid.
    pub expires_at: Timestamp,
    /// The number that makes the call unique.
    pub nonce: Nonce,
    body: [u8; 32],
}

impl Call<'_> {
    /// The `Authorization` header of a call that is signed now.
    pub fn sign(&self, key: &SigningKey, purpose: Purpose, body: &[u8], now: Timestamp, nonce: Nonce) -> String {
        let expires_at = now.plus_millis(CALL_LIFE_MS_MAX);
        let claims = Claims { purpose, issued_at: now, expires_at, nonce, body: Sha256::digest(body).into() };
        self.sign_claims(key, &claims)
    }

    /// The header of a call with exactly these claims.
    fn sign_claims(&self, key: &SigningKey, claims: &Claims) -> String {
        let signature = hexadecimal::of(key.sign(&self.text(claims)));
        format!("{SCHEME} {}.{signature}", claims.text("."))
    }

    /// The claims of a header that is valid now, for this call and by this key. Two checks are left to the caller:
    /// [`crate::replays::Replays::take`] and [`Claims::check_body`].
    pub fn verify(&self, header: Option<&str>, key: &PublicControlKey, now: Timestamp) -> Result<Claims, Refusal> {
        let (claims, signature) = Claims::read(header.ok_or(Refusal::NotSigned)?)?;
        if !key.verifies(&self.text(&claims), signature) {
            return Err(Refusal::WrongSignature);
        }
        let path = self.target.split_once('?').map_or(self.target, |(path, _)| path);
        if Purpose::of_path(path).is_some_and(|purpose| purpose != claims.purpose) {
            return Err(Refusal::WrongPurpose);
        }
        if claims.expires_at > claims.issued_at.plus_millis(CALL_LIFE_MS_MAX) {
            return Err(Refusal::TooLong);
        }
        if claims.issued_at > now.plus_millis(CLOCK_AHEAD_MS_MAX) {
            return Err(Refusal::Early);
        }
        if claims.expires_at <= now {
            return Err(Refusal::Expired);
        }
        Ok(claims)
    }

    /// The text that is signed. Its parts are joined by a character that no part can contain.
    fn text(&self, claims: &Claims) -> String {
        format!("townwatch call 1\n{}\n{}\n{}\n{}", self.town_id, self.method, self.target, claims.text("\n"))
    }
}

impl Claims {
    /// Refuses a body that is not the signed one.
    pub fn check_body(&self, body: &[u8]) -> Result<(), Refusal> {
        if self.body == <[u8; 32]>::from(Sha256::digest(body)) { Ok(()) } else { Err(Refusal::AlteredBody) }
    }

    fn text(&self, between: &str) -> String {
        let (issued, expires) = (self.issued_at.millis().to_string(), self.expires_at.millis().to_string());
        let (nonce, body) = (hexadecimal::of(self.nonce), hexadecimal::of(self.body));
        [self.purpose.name(), &issued, &expires, &nonce, &body].join(between)
    }

    fn read(header: &str) -> Result<(Self, [u8; 64]), Refusal> {
        let Some((scheme, rest)) = header.split_once(' ').filter(|_| header.len() <= HEADER_BYTES_MAX) else {
            return Err(Refusal::Malformed);
        };
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(Refusal::NotSigned);
        }
        let read = || {
            let [purpose, issued, expires, nonce, body, signature] = rest.split('.').collect::<Vec<_>>()[..] else {
                return None;
            };
            // One time has one form, and what is not a time of ours has none.
            let time =
                |text: &str| text.parse().ok().map(Timestamp::from_millis).filter(|at| at.millis().to_string() == text);
            let claims = Self {
                purpose: Purpose::parse(purpose)?,
                issued_at: time(issued)?,
                expires_at: time(expires)?,
                nonce: hexadecimal::read(nonce)?,
                body: hexadecimal::read(body)?,
            };
            Some((claims, hexadecimal::read(signature)?))
        };
        read().ok_or(Refusal::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only the town's key makes such a header, so what it may not say is tried here.
    #[test]
    fn a_call_that_gives_itself_a_long_life_or_is_of_the_future_is_refused() {
        let (key, now) = (SigningKey::of([7; 32]), Timestamp::from_millis(1_800_000_000_000));
        let town_id = TownId::parse("town").unwrap();
        let call = Call { town_id: &town_id, method: "GET", target: "/events" };
        let with = |issued: i64, life: i64| {
            let issued_at = now.plus_millis(issued);
            let expires_at = issued_at.plus_millis(life);
            let claims = Claims { purpose: Purpose::Relay, issued_at, expires_at, nonce: [1; 16], body: [0; 32] };
            call.verify(Some(&call.sign_claims(&key, &claims)), &key.public(), now).map(|_| ())
        };
        assert_eq!(with(0, CALL_LIFE_MS_MAX), Ok(()));
        assert_eq!(with(0, CALL_LIFE_MS_MAX + 1), Err(Refusal::TooLong));
        assert_eq!(with(CLOCK_AHEAD_MS_MAX, 1), Ok(()));
        assert_eq!(with(CLOCK_AHEAD_MS_MAX + 1, 1), Err(Refusal::Early));
        assert_eq!(with(-5, 5), Err(Refusal::Expired));
    }
}
