//! The meaning of a control server's answer for the caller who caused the request. A refusal that the caller can act on
//! reaches the caller unchanged: an invalid order, a conflict, too many runs. Every other failure is between the town
//! and its control server, and the caller could not change it.

use townwatch_protocol::envelope;
use townwatch_protocol::error::{Code, Error};
use townwatch_protocol::query::digits;

/// An answer of the control server, a success or a failure.
#[derive(Debug)]
pub struct ControlResponse {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// The body.
    pub bytes: Vec<u8>,
}

/// The result of a request to stop a run.
#[derive(Debug, PartialEq, Eq)]
pub enum StopAnswer {
    /// The control server has received the stop.
    Heard,
    /// There is no such run.
    NoRun,
    /// The container, which is not ours, has no such call: it runs nothing that was started from here.
    NoRoute(Error),
    /// The control server may not have received the stop.
    Unheard(Error),
}

impl ControlResponse {
    /// Whether the request was carried out.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The failure that this answer stands for, if it is no success.
    pub fn refusal(&self) -> Error {
        let status = self.status;
        let retry_after_s = self.retry_after.as_deref().and_then(|after| digits(after.trim()));
        match envelope::failure(&String::from_utf8_lossy(&self.bytes)) {
            Some(error) if is_the_callers(status) && error.code.status() == status => Error { retry_after_s, ..error },
            Some(error) => {
                Error::new(Code::ContainerError, format!("the control server answered {status}: {}", error.message))
            }
            None => Error::new(Code::ContainerError, format!("the control server answered {status}")),
        }
    }

    /// The result of a stop, from this answer. Our own control server knows the route. An answer that says otherwise
    /// comes from a proxy, and the stop was not received.
    pub fn of_stop(&self, is_foreign: bool) -> StopAnswer {
        let refusal = self.refusal();
        match self.status {
            200..300 => StopAnswer::Heard,
            404 if refusal.code == Code::NotFound => StopAnswer::NoRun,
            404 | 405 if is_foreign => StopAnswer::NoRoute(refusal),
            _ => StopAnswer::Unheard(refusal),
        }
    }
}

/// Whether a status means something that the caller can act upon. Other statuses, such as 401, 405 or 415, are refusals
/// of the town itself by the control server.
fn is_the_callers(status: u16) -> bool {
    matches!(status, 400 | 404 | 409 | 413 | 429 | 507)
}
