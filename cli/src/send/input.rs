//! Standard input, which passes through to standard output as it is read.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// One read of standard input; what a Linux pipe holds.
const READ_BYTES: usize = 64 << 10;
/// Reads that wait to be understood; beyond them the agent is slowed down by its own pipe.
const READS_MAX: usize = 8;

/// Standard input, to be read.
pub(super) struct Input {
    bytes: Vec<u8>,
    passes: bool,
}

/// Standard input that is being read.
pub(super) struct Listening(Receiver<Vec<u8>>);

/// What came.
pub(super) enum Arrived {
    /// One read.
    Bytes(Vec<u8>),
    /// Nothing, for as long as was waited.
    Nothing,
    /// No more will come.
    End,
}

impl Input {
    pub(super) fn new(also_on_a_terminal: bool) -> Self {
        Self { bytes: vec![0; READ_BYTES], passes: also_on_a_terminal || !io::stdout().is_terminal() }
    }

    /// What the next read gives; nothing at the end.
    pub(super) fn read(&mut self) -> Option<&[u8]> {
        let count = loop {
            match io::stdin().lock().read(&mut self.bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) | Ok(0) => return None,
                Ok(count) => break count,
            }
        };
        let bytes = &self.bytes[..count];
        if self.passes {
            let mut stdout = io::stdout().lock();
            // Nobody reads behind this pipe any more; the agent goes on, and so does the sending.
            self.passes = stdout.write_all(bytes).and_then(|()| stdout.flush()).is_ok();
        }
        Some(bytes)
    }

    /// Reads to the end in a thread of its own, since a read cannot be told to give up after a while.
    pub(super) fn listen(mut self) -> Listening {
        let (sender, receiver) = sync_channel(READS_MAX);
        thread::spawn(move || {
            while let Some(bytes) = self.read() {
                if sender.send(bytes.to_vec()).is_err() {
                    return; // nobody listens any more
                }
            }
        });
        Listening(receiver)
    }
}

impl Listening {
    /// What comes next, waited for no longer than this, if that is said.
    pub(super) fn next(&self, pause: Option<Duration>) -> Arrived {
        let bytes = match pause {
            Some(pause) => self.0.recv_timeout(pause),
            None => self.0.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match bytes {
            Ok(bytes) => Arrived::Bytes(bytes),
            Err(RecvTimeoutError::Timeout) => Arrived::Nothing,
            Err(RecvTimeoutError::Disconnected) => Arrived::End,
        }
    }
}
