//! The spool without a server.

use super::*;
use crate::send::spool::AgentSpool;

fn line(number: usize, bytes: usize) -> String {
    format!("{{\"event_id\":\"{number}\",\"data\":\"{}\"}}\n", "x".repeat(bytes))
}

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("townwatch-spool-{}", uuid::Uuid::now_v7())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Reads a run to its end as the poster does.
fn drain(run: &SpooledRun, events_max: usize, bytes_max: usize) -> Vec<String> {
    let mut all = Vec::new();
    let mut position = run.sent();
    while let WaitResult::Written(written) = run.wait(position, Duration::ZERO) {
        let (lines, next) = run.read(position, written, events_max, bytes_max).unwrap();
        let batch: Vec<String> = lines.lines().map(str::to_owned).collect();
        assert!(batch.len() <= events_max && (batch.len() <= 1 || lines.len() <= bytes_max));
        run.forget(position, next, lines.len(), batch.len() as u64).unwrap();
        position = next;
        all.extend(batch);
    }
    all
}

fn segments(run: &SpooledRun) -> usize {
    let names = fs::read_dir(&run.dir).unwrap().flatten().map(|entry| entry.path());
    names.filter(|path| path.extension().is_some_and(|is| is == "jsonl")).count()
}

#[test]
fn what_is_written_is_read_once_in_order_and_its_files_go() {
    let folder = Folder::new();
    let run = AgentSpool::open_in(&folder.0).unwrap().run;
    for number in 0..30 {
        assert!(run.append(&line(number, 1 << 20), 1, SpoolRoom::Bounded).unwrap());
    }
    run.end("end\n").unwrap();
    assert_eq!((segments(&run), run.waiting.events()), (4, 31));
    let read = drain(&run, 7, 3 << 20);
    let expected: Vec<String> = (0..30).map(|number| line(number, 1 << 20).trim_end().to_owned()).collect();
    assert!(read[..30] == expected && read[30] == "end");
    assert_eq!((segments(&run), run.waiting.events(), run.waiting.bytes.load(Ordering::Relaxed)), (1, 0, 0));
    run.remove().unwrap();
    assert!(AgentSpool::open_in(&folder.0).unwrap().left.is_empty());
}

#[test]
fn what_a_killed_process_left_is_found_behind_what_was_sent_with_an_end() {
    let folder = Folder::new();
    let run = AgentSpool::open_in(&folder.0).unwrap().run;
    (0..3).for_each(|number| assert!(run.append(&line(number, 9), 1, SpoolRoom::Bounded).unwrap()));
    let start = run.sent();
    let (lines, next) = run.read(start, run.lock().written, 1, 1000).unwrap();
    run.forget(start, next, lines.len(), 1).unwrap();
    let run_id = run.run_id.clone();
    let torn = segment_path(&run.dir, 1);
    assert!(AgentSpool::open_in(&folder.0).unwrap().left.is_empty(), "its process lives");
    drop(run);
    OpenOptions::new().append(true).open(torn).unwrap().write_all(b"{\"event_id\":\"half").unwrap();

    for _ in 0..2 {
        let left = AgentSpool::open_in(&folder.0).unwrap().left;
        assert_eq!((left.len(), left[0].run_id.as_str(), left[0].waiting.events()), (1, run_id.as_str(), 3));
    }
    let left = AgentSpool::open_in(&folder.0).unwrap().left;
    let read = drain(&left[0], 500, 1000);
    assert_eq!(read[..2], [line(1, 9).trim_end(), line(2, 9).trim_end()]);
    assert_eq!(read.len(), 3);
    assert!(read[2].starts_with(&end_prefix(&run_id)));
}

#[test]
fn what_has_no_room_is_left_out_and_counted_but_the_end_is_not() {
    let folder = Folder::new();
    let run = AgentSpool::open_in(&folder.0).unwrap().run;
    run.waiting.bytes.store(SPOOL_BYTES_MAX - 10, Ordering::Relaxed);
    assert!(!run.append(&line(1, 100), 5, SpoolRoom::Bounded).unwrap());
    assert_eq!(run.lost_events(), 5);
    run.end("end\n").unwrap();
    run.waiting.bytes.store(1000, Ordering::Relaxed);
    assert_eq!(drain(&run, 500, 1000), ["end"]);
}
