//! The calls of the account, which the Worker makes.

use serde::{Deserialize, Serialize};

use super::Done;
use crate::id::SessionId;
use crate::time::Timestamp;

calls! {
    /// A call of the account.
    AccountCall to AccountId {
        /// A browser signs in, by a code or by the key that the Worker has looked at.
        "/internal/sign-in" SignIn(SignIn) -> BegunSession;
        /// A request uses a session at this moment: is the session valid?
        "/internal/seen" Seen(UseSession) -> UsedSession;
        /// A browser signs out.
        "/internal/sign-out" SignOut(SignOut) -> Done;
        /// An address has shown a wrong key.
        "/internal/wrong-key" WrongKey(CountWrongKey) -> WrongKeyCount;
    }
}

/// The name of the account; there is one.
#[derive(Debug, Clone, Copy)]
pub struct AccountId;

/// The request of [`AccountCall::SignIn`].
#[derive(Debug, Serialize, Deserialize)]
pub struct SignIn {
    /// The code of a link; none where the key was shown.
    pub code: Option<String>,
    /// The browser's name, as people read it.
    pub browser: String,
}

/// The answer to [`AccountCall::SignIn`].
#[derive(Debug, Serialize, Deserialize)]
pub struct BegunSession {
    /// The new session.
    pub session_id: SessionId,
    /// The latest end of the session.
    pub ends_at: Timestamp,
}

/// The request of [`AccountCall::Seen`].
#[derive(Debug, Serialize, Deserialize)]
pub struct UseSession {
    /// The session.
    pub session_id: SessionId,
}

/// The answer to [`AccountCall::Seen`].
#[derive(Debug, Serialize, Deserialize)]
pub struct UsedSession {
    /// Whether the session is valid.
    pub lasts: bool,
}

/// The request of [`AccountCall::SignOut`].
#[derive(Debug, Serialize, Deserialize)]
pub struct SignOut {
    /// The session.
    pub session_id: SessionId,
}

/// The request of [`AccountCall::WrongKey`].
#[derive(Debug, Serialize, Deserialize)]
pub struct CountWrongKey {
    /// The address, as one counter covers it: an IPv6 network counts as one.
    pub address: String,
}

/// The answer to [`AccountCall::WrongKey`].
#[derive(Debug, Serialize, Deserialize)]
pub struct WrongKeyCount {
    /// The time until which every key of this address is refused. `None`: further tries are allowed.
    pub refused_until: Option<Timestamp>,
}
