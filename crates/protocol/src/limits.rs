//! The bounds that several parts share, or that are part of the wire, each with what happens at it.
//!
//! A bound of a single file stands in that file under a name that ends in `_MAX`. `tests/core/limits.rs` checks both:
//! every bound has a line of documentation, and no bound of this file is defined a second time elsewhere.

/// Events kept per agent in the town's log and in the rig's; the oldest go, and a viewer that asks for them gets a `gap`.
pub const EVENTS_PER_AGENT_MAX: u64 = 2_000;
/// Runs kept per agent: the newest 1,000, and all that are open. With one more, the oldest ended runs go with their
/// events, and a `gap` tells of it.
pub const RUNS_PER_AGENT_MAX: u64 = 1_000;
/// Runs that an agent has open at once in what it posts, or in what a container tells of it. When one more begins, the one
/// that was not heard of for longest ends as lost; its rig refuses what is posted to it from then on.
pub const OPEN_RUNS_MAX: usize = 16;
/// Runs that an agent may begin in a minute by what it posts; with one more the whole post is 429 `rate_limited`. 16 at once
/// ([`OPEN_RUNS_MAX`]) of 16 s each make 60: jobs of a CI last longer, and a loop that names a run for each event meets it.
pub const RUNS_PER_MINUTE_MAX: u64 = 60;
/// See [`RUNS_PER_MINUTE_MAX`].
pub const RUNS_RATE_MS: i64 = 60_000;
/// Bytes kept per agent, 64 MiB of frame texts and whole events. Beyond it the oldest events go, but never the newest
/// one.
pub const EVENT_BYTES_PER_AGENT_MAX: u64 = 64 << 20;
/// The largest value for a store's size, 8 GiB. The platform's own limit is 10 GB, and beyond that no write succeeds.
pub const STORE_MIB_MAX: u64 = 8 << 10;
/// The size of a town's tables where the setting is absent, 4 GiB. Beyond it the agents that use most lose their oldest
/// events and pictures, and a `gap` tells of it.
pub const TOWN_STORE_MIB_DEFAULT: u64 = 4 << 10;
/// The size of a rig's tables where the setting is absent, 1 GiB. Beyond it the same happens, but events that the town
/// has not taken stay.
pub const RIG_STORE_MIB_DEFAULT: u64 = 1 << 10;
/// An event's `data` on arrival, 1 MiB. A larger posted one gets 413. The control server cuts a larger one and marks
/// the cut.
pub const EVENT_BYTES_MAX: usize = 1 << 20;
/// An event in its frame form, 48 KiB. With the frame's own text and one more small event it stays below
/// [`FRAME_BYTES_MAX`].
pub const EVENT_FRAME_BYTES_MAX: usize = 48 << 10;
/// One stream frame, 64 KiB. An `events` frame is closed before the event that would exceed it.
pub const FRAME_BYTES_MAX: usize = 64 << 10;
/// Events of one `events` frame. A frame of small events is closed here, so that four frames fill the window of 1,000.
pub const FRAME_EVENTS_MAX: u64 = 250;
/// History is cut into frames at every 128th id, so that viewers with different cursors soon share them.
pub const FRAME_IDS: u64 = 128;
/// Texts of history frames that a town keeps for other viewers, 8 MiB. Beyond it the texts are made again for each
/// viewer.
pub const HISTORY_BYTES_MAX: u64 = 8 << 20;
/// A picture from a tool, 4 MiB, which is also the bound of a request's body. A larger picture is not kept, and its
/// result says so.
pub const IMAGE_BYTES_MAX: usize = BODY_BYTES_MAX;
/// Pixels of one picture, 64 million, which a browser would have to unpack. A picture with more is not kept.
pub const IMAGE_PIXELS_MAX: u64 = 64_000_000;
/// Pictures kept per agent in bytes, 64 MiB; the oldest go.
pub const IMAGE_BYTES_PER_AGENT_MAX: u64 = 64 << 20;
/// Pictures known per agent, kept or not. Beyond it the oldest are forgotten.
pub const IMAGES_PER_AGENT_MAX: u64 = 1_000;
/// Pictures of one event that are kept. Further ones are not fetched.
pub const IMAGES_PER_EVENT_MAX: usize = 64;
/// A part of a picture in one table row, 1 MiB, because a row may have at most 2 MB.
pub const IMAGE_PART_BYTES: usize = 1 << 20;
/// Requests for one picture that the control server does not give, spread over about five minutes. After the last one
/// the picture counts as gone.
pub const IMAGE_TRIES_MAX: u64 = 10;
/// The time limit of one request for a picture, 20 s.
pub const IMAGE_FETCH_MS: u64 = 20_000;
/// The depth of a JSON value. A deeper one is refused on arrival.
pub const JSON_DEPTH_MAX: usize = 128;
/// Variables of a run that its start may name as secret. A start with more is refused.
pub const SECRET_ENV_MAX: usize = 100;
/// Events in one batch, posted or relayed; more posted: 413.
pub const BATCH_EVENTS_MAX: usize = 500;
/// A batch or any other request body, 4 MiB; beyond it: 413.
pub const BODY_BYTES_MAX: usize = 4 << 20;
/// The time that a body may take to arrive, 50 s; then 408. An answer has ten seconds more ([`OBJECT_ANSWER_MS`]).
pub const BODY_ARRIVAL_MS: u64 = 50_000;
/// One message from a viewer, 16 KiB; a larger one closes its socket with 1009.
pub const CLIENT_FRAME_BYTES_MAX: usize = 16 << 10;
/// Messages that a viewer may send at once. One more closes its socket with 1008. An acknowledgement of new events does
/// not count, because there are at most as many of those as events.
pub const CLIENT_MESSAGES_MAX: u64 = 200;
/// The part of [`CLIENT_MESSAGES_MAX`] that a viewer gets back each second.
pub const CLIENT_MESSAGES_PER_SECOND: u64 = 20;
/// Agents that one `subscribe` may name; more get an `error` frame.
pub const SUBSCRIBE_AGENTS_MAX: usize = 100;
/// Browsers that are signed in at once. With one more, the browser that was seen longest ago is signed out.
pub const SESSIONS_MAX: u64 = 100;
/// A session that is not used ends after 12 hours.
pub const SESSION_IDLE_MS: i64 = 12 * 3_600_000;
/// The longest life of a session, 7 days, even of one in constant use.
pub const SESSION_LIFE_MS: i64 = 7 * 24 * 3_600_000;
/// The time for which the Worker trusts the account's answer that a session is valid, one minute.
pub const SESSION_KNOWN_MS: i64 = 60_000;
/// Codes of links that are not used yet. Beyond it the oldest go.
pub const SIGN_IN_CODES_MAX: u64 = 20;
/// The life of a link's code, one minute.
pub const SIGN_IN_CODE_MS: i64 = 60_000;
/// Wrong keys and codes from one address in a minute. Beyond it every key and code of the address gets 429
/// `rate_limited` until the minute is over.
pub const WRONG_KEYS_MAX: u64 = 60;
/// The time over which [`WRONG_KEYS_MAX`] counts, one minute.
pub const WRONG_KEYS_MS: i64 = 60_000;
/// Addresses that are counted or refused at once. With one more, the address that was counted first is forgotten.
pub const WRONG_KEY_ADDRESSES_MAX: usize = 1_000;
/// Live tickets in a town; the oldest go.
pub const TICKETS_MAX: u64 = 1_000;
/// Rights of a town to resume an event stream, as many as it may have viewers. Beyond it the rights go whose streams
/// were opened longest ago. Their readers need a new ticket after the next cut.
pub const RESUME_RIGHTS_MAX: u64 = 20_000;
/// Viewers in a town; one more gets 429 `too_many_viewers`.
pub const VIEWERS_MAX: usize = 20_000;
/// Agents in a town that are not archived; one more gets 429 `rate_limited`, whose message names the ways out: to archive
/// one, or to delete one.
pub const AGENTS_PER_TOWN_MAX: u64 = 1_000;
/// Archived agents in a town; one more gets 429 `rate_limited`, whose message names the way out: to delete one.
pub const ARCHIVED_AGENTS_PER_TOWN_MAX: u64 = 10_000;
/// Archived agents on a page of them where the request names no `limit`; at most [`AGENTS_PER_TOWN_MAX`].
pub const ARCHIVED_AGENTS_PAGE_DEFAULT: u64 = 100;
/// Rigs in a town; one more gets 429 `rate_limited`, whose message names the way out: to delete one.
pub const RIGS_PER_TOWN_MAX: u64 = 1_000;
/// Towns of an account; one more gets 429 `rate_limited`.
pub const TOWNS_MAX: u64 = 1_000;
/// Posted events of a rig that the town has not taken yet. A further post gets 503 `town_unavailable`.
pub const OUTBOX_EVENTS_MAX: u64 = 10_000;
/// The bytes of these events' data, 64 MiB. A further post gets 503 `town_unavailable`.
pub const OUTBOX_BYTES_MAX: u64 = 64 << 20;
/// A line of an agent's standard output, 16 MiB. The rest of a longer line is skipped, and a `parser_notice` says so.
pub const STDOUT_LINE_BYTES_MAX: usize = 16 << 20;
/// A name (of a town, rig or agent) in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// A prompt, a system prompt, a message, or the words of an answer, in bytes, 256 KiB; longer: 413.
pub const PROMPT_BYTES_MAX: usize = 256 << 10;
/// The longest time limit of a run, a week. A start with a longer one gets 400.
pub const TIMEOUT_SECONDS_MAX: u64 = 7 * 24 * 3_600;
/// The time limit of a run whose start names none, half an hour.
pub const TIMEOUT_SECONDS_DEFAULT: u64 = 1_800;
/// The largest budget in tokens, 10^12; beyond it, and below 1: 400.
pub const BUDGET_TOKENS_MAX: u64 = 1_000_000_000_000;
/// The largest budget in US dollars, a million; beyond it: 400.
pub const BUDGET_COST_USD_MAX: f64 = 1_000_000.0;
/// The smallest budget in US dollars, one millionth, because spending is counted in millionths. Below it: 400.
pub const BUDGET_COST_USD_MIN: f64 = 0.000_001;
/// The part of a budget, in percent, at which the one warning comes. At 100 the runs are stopped.
pub const BUDGET_WARNING_PERCENT: u64 = 80;
/// Ordered stops that are performed at once. Further orders wait for the next pass.
pub const STOP_ORDERS_AT_ONCE_MAX: u64 = 64;
/// Events on one page of the REST API.
pub const PAGE_EVENTS_MAX: u64 = 1_000;
/// Events on a page where the request names no `limit`.
pub const PAGE_EVENTS_DEFAULT: u64 = 200;
/// The longest time that a request may wait for the next event, 30 s.
pub const LONG_POLL_MS_MAX: u64 = 30_000;
/// The time in which an object answers another object, 60 s; then the caller gets 503 `town_unavailable`. A caller from
/// outside waits as long (`src/entrance.mjs`). The time is twice [`LONG_POLL_MS_MAX`].
pub const OBJECT_ANSWER_MS: u64 = 60_000;
/// The text of one page, 8 MiB. The page is closed before the event that would exceed it, and the next page continues
/// there.
pub const PAGE_BYTES_MAX: usize = 8 << 20;
/// Outstanding tool calls in an agent's state. Further ones are only counted.
pub const STATE_OUTSTANDING_MAX: usize = 64;
/// To-dos in an agent's state. Further ones are left out.
pub const STATE_TODOS_MAX: usize = 100;
/// Open questions in an agent's state. Beyond it the oldest are removed, as if they had been answered elsewhere.
pub const STATE_QUESTIONS_MAX: usize = 64;
/// Parts that the state keeps of a question that is cut.
pub const STATE_QUESTION_PARTS_MAX: usize = 4;
/// Background tasks in an agent's state. With one more, the oldest counts as ended.
pub const STATE_TASKS_MAX: usize = 32;
/// Sub-agents in an agent's state. With one more, the oldest that has ended goes; if none has ended, the oldest goes.
pub const STATE_SUB_AGENTS_MAX: usize = 16;
/// An agent's state as JSON, 32 KiB: 16 KiB for questions, 9 KiB for the other lists, and 7 KiB for the name (at most
/// 800 bytes), 14 texts, and 2 KiB of keys, ids and numbers.
pub const STATE_BYTES_MAX: usize = 32 << 10;
/// All open questions of an agent's state as JSON, 16 KiB. Questions that use more than their share are cut, but not
/// below 256 bytes each.
pub const STATE_QUESTIONS_BYTES_MAX: usize = STATE_BYTES_MAX / 2;
/// To-dos, open calls, background tasks and sub-agents of an agent's state together, as JSON, 9 KiB. Beyond it the
/// longest list loses entries.
pub const STATE_WORK_BYTES_MAX: usize = 9 << 10;
/// One text of an agent's state, in characters. The event has the whole text.
pub const STATE_TEXT_CHARS_MAX: usize = 200;
/// One text of an agent's state as JSON, which matters where a character takes several bytes or an escape.
pub const STATE_TEXT_BYTES_MAX: usize = 280;
/// Offered answers that the state keeps of each part of a question that is cut.
pub const STATE_OPTIONS_MAX: usize = 8;
/// One offered answer in an agent's state, as JSON.
pub const STATE_OPTION_BYTES_MAX: usize = 100;
/// The silence of a control server after which its runs count as lost, 5 minutes.
pub const SILENCE_LOST_MS: u64 = 300_000;
/// The silence of an agent that posts its events and has an open run, 10 minutes. After it the agent is called silent,
/// until its next event.
pub const SILENCE_POSTED_MS: i64 = 10 * 60_000;
/// The length of a relay turn, 20 s. After it the next alarm begins another turn.
pub const RELAY_TURN_MS: u64 = 20_000;
/// The time at which the alarm stands while a relay turn runs, 30 s ahead. If the turn dies, the alarm begins another
/// one.
pub const RELAY_REARM_MS: i64 = 30_000;
/// Valid tokens of an agent. With one more, the token that was used longest ago is revoked. Of the revoked tokens, too,
/// at most 100 stay in the list, each until its own end.
pub const TOKENS_PER_AGENT_MAX: u64 = 100;
/// The longest life of a token, 24 hours.
pub const TOKEN_TTL_SECONDS_MAX: u64 = 24 * 3_600;
/// The life of a token whose request names none, 8 hours.
pub const TOKEN_TTL_SECONDS_DEFAULT: u64 = 8 * 3_600;
/// Bytes that a viewer may be sent ahead of its acknowledgements, 1 MiB. Beyond it the viewer is sent nothing until it
/// acknowledges.
pub const WINDOW_BYTES_MAX: u64 = 1 << 20;
/// Frames of the window that are remembered separately. Beyond it neighbouring frames are acknowledged together.
pub const WINDOW_MARKS_MAX: usize = 64;
/// The time for which a paused viewer may acknowledge nothing, 30 s. After it the viewer is closed with 1013.
pub const PAUSED_MS_MAX: u64 = 30_000;
/// Events that a viewer without acknowledgements is sent at once; after them it gets 1,000 a second. History waits for
/// its turn. Of live events the less important ones are left out. A viewer that is 1,000 essential events behind is
/// closed with 1013.
pub const BUCKET_EVENTS_MAX: u64 = 5_000;
/// Bytes that a viewer without acknowledgements is sent at once, 5 MiB; after them it gets 1 MiB a second.
pub const BUCKET_BYTES_MAX: u64 = 5 << 20;
/// Bytes that a viewer is sent because of its own requests, 4 MiB: states for a `subscribe` and, without
/// acknowledgements, history. The rest waits. A viewer that requests twice as much and acknowledges nothing is closed
/// with 1008.
pub const ALLOWANCE_BYTES_MAX: u64 = 4 << 20;
/// The time in which [`ALLOWANCE_BYTES_MAX`] is full again, 64 s (64 KiB a second). An acknowledgement fills it at
/// once.
pub const ALLOWANCE_REFILL_MS: u64 = 64_000;
/// Previews that a viewer is sent between two acknowledgements, 128 KiB, because previews themselves cannot be
/// acknowledged.
pub const PREVIEW_BYTES_MAX: u64 = 128 << 10;
/// Previews that are kept for readers that pull: the latest 64, of at most 16 KiB each. The event of a message removes
/// the message's previews.
pub const PREVIEWS_KEPT_MAX: usize = 64;
/// The time between two heartbeats on an event stream, 10 s.
pub const HEARTBEAT_MS: i64 = 10_000;
/// The life of an event stream, 15 minutes. Its reader then resumes at the same position.
pub const READER_LIFE_MS: i64 = 15 * 60_000;
/// The time for which a right to resume is valid while its reader has no stream, 15 minutes. The right counts as in use
/// until [`READER_LIFE_MS`] after the stream was opened, so an open stream causes no writes.
pub const RESUME_MS: i64 = 15 * 60_000;
/// The silence after which a socket that does not ping gets a heartbeat, 30 s.
pub const KEEPALIVE_MS: u64 = 30_000;
/// The silence after which a viewer that used to ping is closed, 10 minutes.
pub const SILENT_VIEWER_MS: u64 = 10 * 60_000;
/// The part of a message's text that previews show, 64 KiB. A longer text has no further previews: viewers see at most
/// 48 KiB of its event anyway.
pub const PREVIEWED_BYTES_MAX: usize = 64 << 10;
/// Texts of a town that are being typed at once: 256 of 64 KiB are 16 MiB. Beyond it the text that was shown longest
/// ago has no further previews.
pub const PREVIEWS_MAX: usize = 256;
