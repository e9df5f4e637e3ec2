//! The mark of a run's processes: the control server that started them, the run, and the start within the run.

use std::fmt;
use std::sync::OnceLock;

use townwatch_protocol::id::RunId;

use crate::processes::ProcessTable;

/// A control server's process: the namespace of its process id, the id, and the time of its start. No other process
/// ever has all three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerMark {
    namespace: String,
    id: i32,
    started: u64,
}

impl ServerMark {
    /// The mark of this process.
    pub fn own() -> &'static Self {
        static OWN: OnceLock<ServerMark> = OnceLock::new();
        OWN.get_or_init(read_own)
    }

    /// Reads the text that [`fmt::Display`] writes, for example `4026531836.17.123456`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (namespace, id, started) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?, parts.next()?);
        Some(Self { namespace, id, started: started.parse().ok()? }).filter(|_| parts.next().is_none())
    }

    /// Whether the server is known to have ended. Of a server of another container nothing is known.
    pub(crate) fn is_gone(&self, table: &ProcessTable) -> bool {
        self.namespace == Self::own().namespace && !is_alive(self, table)
    }
}

#[cfg(target_os = "linux")]
fn read_own() -> ServerMark {
    use crate::processes::{Process, namespace, own_id};
    let started = Process::read(own_id()).map_or(0, |process| process.started);
    ServerMark { namespace: namespace(), id: own_id(), started }
}

#[cfg(target_os = "linux")]
fn is_alive(server: &ServerMark, table: &ProcessTable) -> bool {
    table.0.get(&server.id).is_some_and(|process| !process.is_dead && process.started == server.started)
}

#[cfg(not(target_os = "linux"))]
fn read_own() -> ServerMark {
    ServerMark { namespace: String::new(), id: 0, started: 0 }
}

#[cfg(not(target_os = "linux"))]
fn is_alive(_server: &ServerMark, _table: &ProcessTable) -> bool {
    true
}

impl fmt::Display for ServerMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.namespace, self.id, self.started)
    }
}

/// Makes a new mark for a process that is started for a run.
pub(crate) fn of_run(run_id: &RunId) -> String {
    format!("{}/{run_id}/{}", ServerMark::own(), uuid::Uuid::now_v7())
}

/// Reads the server and the run of a mark.
pub(crate) fn read(mark: &str) -> Option<(ServerMark, RunId)> {
    let mut parts = mark.split('/');
    Some((ServerMark::parse(parts.next()?)?, RunId::parse(parts.next()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_what_is_none_is_not_read() {
        let run_id = RunId::parse("r-1").unwrap();
        assert_eq!(read(&of_run(&run_id)), Some((ServerMark::own().clone(), run_id.clone())));
        assert_ne!(of_run(&run_id), of_run(&run_id));
        for text in ["", "1.2.3", "1.2/r", "1.2.3.4/r", "1.x.3/r", "0198c0de-0000-7000-8000-000000000000"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_server_is_gone_when_its_number_is_free_or_anothers_and_unknown_in_another_container() {
        let (own, table) = (ServerMark::own().clone(), ProcessTable::read());
        assert!(!own.is_gone(&table));
        assert!(ServerMark { started: own.started + 1, ..own.clone() }.is_gone(&table));
        assert!(ServerMark { id: i32::MAX, ..own.clone() }.is_gone(&table));
        assert!(!ServerMark { namespace: "1".to_owned(), id: i32::MAX, ..own }.is_gone(&table));
    }
}
