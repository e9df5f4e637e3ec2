//! The output of the server: the address on which it listens, and its complaints.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use townwatch_agents::failure_reason::FailureReason;
use townwatch_agents::lines::{Line, LineDecoder};
use townwatch_agents::redact::KeyLines;
use townwatch_host::now;

use crate::life::PIPE_GRACE;
use crate::printed::{READ_BYTES, complain};
use crate::run::RunHandle;
use crate::stderr::{self, Stderr};

/// The server's standard output and standard error, being read.
pub(super) struct Pipes(JoinHandle<Option<String>>);

impl Pipes {
    /// Reads both pipes from now on. The address comes as soon as the server prints it.
    pub(super) fn read(run: &RunHandle, child: &mut Child) -> (Self, oneshot::Receiver<SocketAddr>) {
        let (run, out, err) = (run.clone(), child.stdout.take(), child.stderr.take());
        let (found, address) = oneshot::channel();
        let mut found = Some(found);
        let reading = tokio::spawn(async move {
            let mut reason = FailureReason::default();
            let (mut events, mut keys) = (Stderr::default(), KeyLines::default());
            let printed = each_line(out, |line| {
                if let Line::Text(text) = line
                    && let Some(address) = listening(&text)
                    && let Some(found) = found.take()
                {
                    let _ = found.send(address);
                }
            });
            let complained = each_line(err, |line| complain(&run, &mut events, &mut keys, &mut reason, line));
            tokio::join!(printed, complained);
            run.append(events.end(), now());
            reason.line().map(str::to_owned)
        });
        (Self(reading), address)
    }

    /// Gives the last line of the server's standard error, after the server's end.
    pub(super) async fn last_line(mut self) -> Option<String> {
        let line = tokio::time::timeout(PIPE_GRACE, &mut self.0).await;
        if line.is_err() {
            self.0.abort();
        }
        line.ok()?.ok()?
    }
}

async fn each_line(pipe: Option<impl AsyncRead + Unpin>, mut take: impl FnMut(Line<'_>)) {
    let Some(mut pipe) = pipe else { return };
    let (mut decoder, mut bytes) = (LineDecoder::new(stderr::LINE_BYTES_MAX), vec![0; READ_BYTES]);
    loop {
        match pipe.read(&mut bytes).await {
            Ok(0) | Err(_) => break,
            Ok(count) => decoder.push(&bytes[..count], &mut take),
        }
    }
    decoder.finish(&mut take);
}

/// Finds the address in a line like `opencode server listening on http://127.0.0.1:4096`.
fn listening(line: &str) -> Option<SocketAddr> {
    let (_, url) = line.split_once("listening on http://")?;
    let address = url.split(['/', ' ']).next()?.parse::<SocketAddr>().ok()?;
    address.ip().is_loopback().then_some(address) // anything else could be anybody's
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_its_line_and_nowhere_else() {
        let address = |line| listening(line).map(|address| address.port());
        assert_eq!(address("opencode server listening on http://127.0.0.1:4096"), Some(4096));
        assert_eq!(address("kilo server listening on http://127.0.0.1:65000/ now"), Some(65000));
        for line in ["", "listening on http://", "listening on http://10.0.0.1:80", "http://127.0.0.1:80"] {
            assert_eq!(address(line), None, "{line}");
        }
    }
}
