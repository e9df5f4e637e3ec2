//! What the account is asked by the Worker.

use serde::{Deserialize, Serialize};

use super::Done;
use crate::id::SessionId;
use crate::time::Timestamp;

calls! {
    /// A call of the account.
    AccountCall to AccountId {
        /// A browser signs in, by a code or by the key that the Worker has looked at.
        "/internal/sign-in" SignIn(SignIn) -> BegunSession;
        /// Whether a session lasts, which is used at this moment.
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

/// See [`AccountCall::SignIn`].
#[derive(Debug, Serialize, Deserialize)]
pub struct SignIn {
    /// The code of a link; none where the key was shown.
    pub code: Option<String>,
    /// The browser's name for people.
    pub browser: String,
}

/// The answer to [`AccountCall::SignIn`].
#[derive(Debug, Serialize, Deserialize)]
pub struct BegunSession {
    /// The new session.
    pub session_id: SessionId,
    /// Its end, at the latest.
    pub ends_at: Timestamp,
}

/// See [`AccountCall::Seen`].
#[derive(Debug, Serialize, Deserialize)]
pub struct UseSession {
    /// The session.
    pub session_id: SessionId,
}

/// The answer to [`AccountCall::Seen`].
#[derive(Debug, Serialize, Deserialize)]
pub struct UsedSession {
    /// Whether it lasts.
    pub lasts: bool,
}

/// See [`AccountCall::SignOut`].
#[derive(Debug, Serialize, Deserialize)]
pub struct SignOut {
    /// The session.
    pub session_id: SessionId,
}

/// See [`AccountCall::WrongKey`].
#[derive(Debug, Serialize, Deserialize)]
pub struct CountWrongKey {
    /// The address, as keys are counted together.
    pub address: String,
}

/// The answer to [`AccountCall::WrongKey`].
#[derive(Debug, Serialize, Deserialize)]
pub struct WrongKeyCount {
    /// The time until which no key of this address is looked at; none where it may go on.
    pub refused_until: Option<Timestamp>,
}
