//! An output through the line decoder, the normaliser and the bound of events.

use townwatch_protocol::event::EventData;
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::limits::EVENT_BYTES_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_agents::cut;
use townwatch_agents::lines::{Line, LineDecoder};
use townwatch_agents::normalise::RunContext;
use townwatch_agents::normalise::normaliser_of;

/// Reads it: nothing may panic, every event has to fit, and none may be the run's end, which only its process tells.
pub fn read(runtime: Runtime, output: &[u8]) {
    let mut normaliser = normaliser_of(runtime, RunContext { working_dir: Some("/w".into()), ..RunContext::default() });
    let mut decoder = LineDecoder::new(1 << 16);
    let (mut events, at) = (Vec::new(), Timestamp::from_millis(0));
    let mut take = |line: Line<'_>| {
        events.extend(match line {
            Line::Text(text) => normaliser.line(&text, at).events,
            Line::Oversized { bytes, sample } => normaliser.oversized(bytes, &sample),
        });
        let owed = normaliser.input_protocol().and_then(|protocol| protocol.owed());
        events.extend(owed.into_iter().flat_map(|said| said.events));
    };
    decoder.push(output, &mut take);
    decoder.finish(&mut take);
    let succeeded = normaliser.failure().is_none() && normaliser.finished();
    events.extend(normaliser.end(succeeded, at));
    for event in events {
        assert!(cut::bounded(&event).get().len() <= EVENT_BYTES_MAX);
        assert!(!matches!(event, EventData::Exited(_)));
    }
}
