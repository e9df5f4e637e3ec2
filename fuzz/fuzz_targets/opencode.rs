//! Whatever a server of OpenCode's or Kilo's streams: through the event stream's decoder, the normaliser and the bound of
//! events.
#![no_main]

use libfuzzer_sys::fuzz_target;
use townwatch_protocol::event::EventData;
use townwatch_protocol::limits::EVENT_BYTES_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_agents::cut;
use townwatch_agents::normalise::{Normalise, Opencode, RunContext};
use townwatch_agents::sse::{SseDecoder, SseMessage};

fuzz_target!(|stream: &[u8]| {
    let mut normaliser = Opencode::new("opencode", RunContext::default(), None);
    let (mut events, at) = (Vec::new(), Timestamp::from_millis(0));
    SseDecoder::new(1 << 16).push(stream, |message| {
        events.extend(match message {
            SseMessage::Event { data, .. } => normaliser.line(&data, at).events,
            SseMessage::Oversized { bytes, sample } => normaliser.oversized(bytes, &sample),
        });
    });
    let succeeded = normaliser.failure().is_none();
    events.extend(normaliser.end(succeeded, at));
    for event in events {
        assert!(cut::bounded(&event).get().len() <= EVENT_BYTES_MAX);
        assert!(!matches!(event, EventData::Exited(_)));
    }
});
