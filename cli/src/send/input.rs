//! Standard input, which is copied to standard output as it is read.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// The bytes of one read, 64 KiB, which is the capacity of a Linux pipe.
const READ_BYTES: usize = 64 << 10;
/// Reads that may wait to be parsed. Beyond it the agent is slowed down by its full pipe.
const READS_MAX: usize = 8;

/// Standard input, before reading begins.
pub(super) struct StandardInput {
    bytes: Vec<u8>,
    passes: bool,
}

/// Standard input, read by another thread.
pub(super) struct InputReceiver(Receiver<Vec<u8>>);

/// The result of waiting for input.
pub(super) enum NextInput {
    /// The bytes of one read.
    Bytes(Vec<u8>),
    /// No input within the time.
    Nothing,
    /// The end of the input.
    End,
}

impl StandardInput {
    pub(super) fn new(also_on_a_terminal: bool) -> Self {
        Self { bytes: vec![0; READ_BYTES], passes: also_on_a_terminal || !io::stdout().is_terminal() }
    }

    /// The bytes of the next read; `None` at the end.
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

    /// Reads to the end in another thread, because a read cannot be stopped after a time.
    pub(super) fn listen(mut self) -> InputReceiver {
        let (sender, receiver) = sync_channel(READS_MAX);
        thread::spawn(move || {
            while let Some(bytes) = self.read() {
                if sender.send(bytes.to_vec()).is_err() {
                    return; // nobody listens any more
                }
            }
        });
        InputReceiver(receiver)
    }
}

impl InputReceiver {
    /// The next input, waited for at most `pause`; without `pause` for ever.
    pub(super) fn next(&self, pause: Option<Duration>) -> NextInput {
        let bytes = match pause {
            Some(pause) => self.0.recv_timeout(pause),
            None => self.0.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match bytes {
            Ok(bytes) => NextInput::Bytes(bytes),
            Err(RecvTimeoutError::Timeout) => NextInput::Nothing,
            Err(RecvTimeoutError::Disconnected) => NextInput::End,
        }
    }
}
