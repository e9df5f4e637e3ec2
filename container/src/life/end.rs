//! The name and the sentence of a run's end, for each way in which it can end.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use townwatch_agents::cut;
use townwatch_host::signal_name;
use townwatch_protocol::event::{AgentExited, ExitReason};

use super::{Cause, Life, Program};
use crate::stop::{StopCause, StopRequest};

/// The longest sentence of an end, 4 KiB; what is beyond it is cut, and the sentence says how much.
const SENTENCE_BYTES_MAX: usize = 4 << 10;

/// The sentence for a run that a fault of this server broke off.
pub(crate) const FAULT: &str = "a fault of the control server ended it; it is in the log";

/// The end of a run's program, as it was observed.
#[derive(Debug, Default)]
pub(crate) struct End<'a> {
    /// The program's own exit; `None` where it could not be observed.
    pub(crate) status: Option<ExitStatus>,
    /// The reason as the agent reports it, if its last turn failed.
    pub(crate) failure: Option<&'a str>,
    /// Whether the agent has reported that it is done; true where its program does not report it.
    pub(crate) is_finished: bool,
    /// The last line that the program printed about the failure.
    pub(crate) last_line: Option<&'a str>,
}

impl Life {
    /// Makes the run's end, once its program has ended.
    pub(crate) fn exit(self, end: &End<'_>) -> AgentExited {
        let Self { program, cause, is_killed, .. } = self;
        let (reason, message) = match (cause, end.failure) {
            (Some(Cause::WaitedEnough), None) => (ExitReason::Completed, None),
            (Some(Cause::WaitedEnough), Some(failure)) => (ExitReason::Failed, Some(failure.to_owned())),
            (Some(Cause::Stopped(cause)), _) => (ExitReason::Stopped, Some(stopped(cause, is_killed))),
            (Some(Cause::TimeOver), _) => (ExitReason::Timeout, Some("it took longer than it was given".to_owned())),
            (Some(Cause::Broken(problem)), _) => (ExitReason::Failed, Some(end.with_last_line(problem))),
            (None, _) => end.by_itself(&program),
        };
        // The exit of a server's process means nothing: the process was told to end.
        let status = end.status.filter(|_| program == Program::Process);
        AgentExited {
            reason,
            exit_code: status.and_then(|status| status.code()),
            signal: status.and_then(|status| status.signal()).map(signal_name),
            message: message.map(|text| cut::text(&text, SENTENCE_BYTES_MAX)),
        }
    }
}

impl End<'_> {
    /// The end of a program that ended by itself.
    fn by_itself(&self, program: &Program) -> (ExitReason, Option<String>) {
        if let Program::Server(name) = program {
            let how =
                self.status.map_or_else(|| "in a way that was not seen".to_owned(), |status| format!("with {status}"));
            let message = self.with_last_line(format!("the server of {name} ended by itself {how}"));
            return (ExitReason::Failed, Some(message));
        }
        let code = self.status.and_then(|status| status.code());
        let signal = self.status.and_then(|status| status.signal()).map(signal_name);
        let message = match (self.failure, code, signal) {
            (None, Some(0), _) if self.is_finished => return (ExitReason::Completed, None),
            (Some(failure), _, _) => failure.to_owned(),
            (None, Some(0), _) => self.with_last_line("it ended before its turn was over".to_owned()),
            (None, Some(code), _) => self.with_last_line(format!("it ended with exit code {code}")),
            (None, None, Some(signal)) => self.with_last_line(format!("it was ended by {signal}")),
            (None, None, None) => "its end could not be observed".to_owned(),
        };
        (ExitReason::Failed, Some(message))
    }

    fn with_last_line(&self, message: String) -> String {
        match self.last_line {
            Some(line) => format!("{message}: {line}"),
            None => message,
        }
    }
}

fn stopped(cause: StopCause, is_killed: bool) -> String {
    match cause {
        StopCause::LeaseOver(lease) => {
            format!("it was stopped because its town had not asked about it for {} seconds", lease.as_secs())
        }
        StopCause::Asked if is_killed => "it was stopped with SIGKILL".to_owned(),
        StopCause::Asked => "it was stopped".to_owned(),
    }
}

/// The end of a run whose repository could not be cloned. Git's output may repeat the address, and with it a password.
pub(crate) fn not_cloned(said: &str, git_url: &str) -> AgentExited {
    let said = said.replace(git_url, "<git_url>");
    AgentExited::because(ExitReason::Failed, &format!("the repository could not be cloned: {said}"))
}

/// The end of a run that was stopped before it had a program.
pub(crate) fn stopped_while_cloned(order: StopRequest) -> AgentExited {
    let message = match order.cause {
        StopCause::Asked => "it was stopped while its repository was cloned".to_owned(),
        StopCause::LeaseOver(_) => stopped(order.cause, false),
    };
    AgentExited::because(ExitReason::Stopped, &message)
}

/// The end of a run whose program could not be started.
pub(crate) fn not_started(program: &Path, error: &io::Error) -> AgentExited {
    let program = program.display();
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("`{program}` was not found; install it, or give its full path"),
        io::ErrorKind::PermissionDenied => format!("`{program}` may not be executed by the run's user"),
        _ => format!("`{program}` could not be started: {error}"),
    };
    AgentExited::because(ExitReason::Failed, &message)
}

/// The sentence for a run whose working directory could not be made.
pub(crate) fn no_work_dir(error: &io::Error) -> String {
    format!("its working directory could not be made: {error}")
}

/// Adds the bound that the run has met to its end, in the words of `RunLimits`.
pub(crate) fn with_bound(exit: AgentExited, bound: String) -> AgentExited {
    let message = match &exit.message {
        Some(message) => format!("{message}; {bound}"),
        None => bound,
    };
    AgentExited { message: Some(message), ..exit }
}
