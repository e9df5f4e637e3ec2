//! The identity of a caller, with what only the account knows: whether a session was ended, and which addresses have
//! shown too many wrong keys. The account's answers are remembered for a while, so nearly every request is answered
//! without it.

use std::cell::RefCell;

use ::worker::Env;
use ::worker::web_sys::Request;
use townwatch_protocol::calls::{AccountId, CountWrongKey, UseSession, UsedSession, WrongKeyCount};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::SessionId;
use townwatch_protocol::query::Address;
use townwatch_town::access::auth::{self, Caller, CredentialKind, Credentials, Principal};
use townwatch_town::account::known_sessions::KnownSessions;
use townwatch_town::account::wrong_keys::{RefusedAddresses, counted_as};

use crate::config::WorkerConfig;
use crate::{objects, platform};

thread_local! {
    static KNOWN: RefCell<KnownSessions> = const { RefCell::new(KnownSessions::new()) };
    static REFUSED: RefCell<RefusedAddresses> = const { RefCell::new(RefusedAddresses::new()) };
}

/// The required age of the account's answer about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionCheck {
    /// An answer from the last minute is enough.
    Lately,
    /// The account is asked now.
    Now,
}

/// The caller of a request. A session that was ended counts as none, as a wrong cookie does.
pub(crate) async fn identify(
    request: &Request,
    env: &Env,
    config: &WorkerConfig,
    address: Address<'_>,
    asked: SessionCheck,
) -> Result<Option<Caller>> {
    let caller = match by_headers(request, config, address) {
        Err(error) if error.code == Code::Unauthorized && !shows_token(request) => {
            return Err(wrong_key(request, env, error).await?);
        }
        caller => caller?,
    };
    if let Some(Caller { principal: Principal::Operator, credential: CredentialKind::Bearer, .. }) = caller {
        check_refused(request)?;
    }
    match caller.as_ref().and_then(|caller| caller.session_id.as_ref()) {
        Some(session_id) if !lasts(env, session_id, asked).await? => Ok(None),
        _ => Ok(caller),
    }
}

/// The caller by the headers alone.
pub(crate) fn by_headers(request: &Request, config: &WorkerConfig, address: Address<'_>) -> Result<Option<Caller>> {
    let header = |name| request.headers().get(name).ok().flatten();
    let (authorization, cookie) = (header("authorization"), header("cookie"));
    let credentials =
        Credentials { authorization: authorization.as_deref(), cookie: cookie.as_deref(), origin: address.origin };
    auth::authenticate(credentials, platform::now(), &config.secrets)
}

fn shows_token(request: &Request) -> bool {
    auth::shows_token(request.headers().get("authorization").ok().flatten().as_deref())
}

/// Whether a session is still valid.
async fn lasts(env: &Env, session_id: &SessionId, asked: SessionCheck) -> Result<bool> {
    let now = platform::now();
    if asked == SessionCheck::Lately && KNOWN.with_borrow(|known| known.lasts(session_id, now)) {
        return Ok(true);
    }
    let used = UseSession { session_id: session_id.clone() };
    let UsedSession { lasts } = objects::call(env, &AccountId, &used).await?;
    KNOWN.with_borrow_mut(|known| if lasts { known.note(session_id.clone(), now) } else { known.forget() });
    Ok(lasts)
}

/// Forgets what is known of sessions, because some were ended: each is asked for again.
pub(crate) fn forget_known() {
    KNOWN.with_borrow_mut(KnownSessions::forget);
}

/// Counts a wrong key or code, and gives the refusal to answer with.
pub(crate) async fn wrong_key(request: &Request, env: &Env, refusal: Error) -> Result<Error> {
    let address = address_of(request);
    if let Err(refused) = check_refused(request) {
        return Ok(refused);
    }
    let count = CountWrongKey { address };
    let WrongKeyCount { refused_until } = objects::call(env, &AccountId, &count).await?;
    Ok(match refused_until {
        Some(until) => {
            REFUSED.with_borrow_mut(|refused| refused.note(count.address, until, platform::now()));
            too_many()
        }
        None => refusal,
    })
}

/// Refuses with 429 an address that has shown too many wrong keys. Its key is not checked any more.
pub(crate) fn check_refused(request: &Request) -> Result<()> {
    REFUSED.with_borrow(|refused| {
        let is_refused = !refused.is_empty() && refused.until(&address_of(request), platform::now()).is_some();
        if is_refused { Err(too_many()) } else { Ok(()) }
    })
}

fn too_many() -> Error {
    let message = "too many wrong keys from this address; none of its is looked at for a minute";
    Error::new(Code::RateLimited, message)
}

/// The address under which wrong keys are counted. The platform sets the header and overwrites one that the sender set.
fn address_of(request: &Request) -> String {
    counted_as(request.headers().get("cf-connecting-ip").ok().flatten().as_deref())
}
