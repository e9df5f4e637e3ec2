//! The bounds that several parts keep to, or that stand on the wire, each with what happens at it.
//!
//! A bound that one file alone keeps stands in that file under a name that ends in `_MAX`, and says the same. Both are held
//! by `tests/core/limits.rs`: no bound without a word of what it is, and none of this file a second time somewhere else.

/// Events kept per agent in the town's log and in the rig's; the oldest go, and a viewer that asks for them gets a `gap`.
pub const EVENTS_PER_AGENT_MAX: u64 = 2_000;
/// Runs kept per agent, the newest 1,000 and all that are open. With one more the oldest go that were over before these began,
/// and their events with them, which a `gap` tells.
pub const RUNS_PER_AGENT_MAX: u64 = 1_000;
/// Runs that an agent has open at once in what it posts, or in what a container tells of it. When one more begins, the one
/// that was not heard of for longest ends as lost; its rig refuses what is posted to it from then on.
pub const OPEN_RUNS_MAX: usize = 16;
/// Runs that an agent may begin in a minute by what it posts; with one more the whole post is 429 `rate_limited`. 16 at once
/// ([`OPEN_RUNS_MAX`]) of 16 s each make 60: jobs of a CI last longer, and a loop that names a run for each event meets it.
pub const RUNS_PER_MINUTE_MAX: u64 = 60;
/// See [`RUNS_PER_MINUTE_MAX`].
pub const RUNS_RATE_MS: i64 = 60_000;
/// Bytes kept per agent, 64 MiB of frame texts and whole events; the oldest events go, but never the newest.
pub const EVENT_BYTES_PER_AGENT_MAX: u64 = 64 << 20;
/// What a store may be given at most, 8 GiB: the platform ends at 10 GB, and then nothing can be written.
pub const STORE_MIB_MAX: u64 = 8 << 10;
/// What a town's tables may take where nothing is set, 4 GiB: beyond it the agents that take most lose their oldest events and
/// pictures, which a `gap` tells.
pub const TOWN_STORE_MIB_DEFAULT: u64 = 4 << 10;
/// The same of a rig's, 1 GiB; what the town has not taken stays.
pub const RIG_STORE_MIB_DEFAULT: u64 = 1 << 10;
/// An event's `data` as it arrives, 1 MiB. Posted beyond it: 413. The control server truncates with a mark.
pub const EVENT_BYTES_MAX: usize = 1 << 20;
/// An event's frame form, 48 KiB: with a frame's own words and one more small event it stays under [`FRAME_BYTES_MAX`].
pub const EVENT_FRAME_BYTES_MAX: usize = 48 << 10;
/// One stream frame, 64 KiB. An `events` frame is closed before the event that would exceed it.
pub const FRAME_BYTES_MAX: usize = 64 << 10;
/// Events of one `events` frame: a frame of small ones is closed here, so that four of them fill the window of 1,000.
pub const FRAME_EVENTS_MAX: u64 = 250;
/// History is cut into frames at every 128th id, so that viewers with different cursors soon share them.
pub const FRAME_IDS: u64 = 128;
/// Texts of history frames that a town keeps for the next viewer, 8 MiB; beyond it they are made anew.
pub const HISTORY_BYTES_MAX: u64 = 8 << 20;
/// A picture that a tool gave, 4 MiB: what a request's body may have, too. A larger one is not kept, and its result says so.
pub const IMAGE_BYTES_MAX: usize = BODY_BYTES_MAX;
/// What a browser would have to unpack of one picture, 64 million pixels: beyond it, it is not kept.
pub const IMAGE_PIXELS_MAX: u64 = 64_000_000;
/// Pictures kept per agent in bytes, 64 MiB; the oldest go.
pub const IMAGE_BYTES_PER_AGENT_MAX: u64 = 64 << 20;
/// Pictures known per agent, kept or not; the oldest go.
pub const IMAGES_PER_AGENT_MAX: u64 = 1_000;
/// Pictures of one event that are kept; what it names beyond them is not asked for.
pub const IMAGES_PER_EVENT_MAX: usize = 64;
/// A part of a picture as it lies in a row, 1 MiB: a row may have 2 MB.
pub const IMAGE_PART_BYTES: usize = 1 << 20;
/// How often the control server is asked for a picture that it does not give, over about five minutes; then it is gone.
pub const IMAGE_TRIES_MAX: u64 = 10;
/// One try to fetch a picture takes at most this long.
pub const IMAGE_FETCH_MS: u64 = 20_000;
/// How deep a JSON value may nest; deeper is refused at the door.
pub const JSON_DEPTH_MAX: usize = 128;
/// Variables of a run that its order may name as secret; with more it is refused.
pub const SECRET_ENV_MAX: usize = 100;
/// Events in one batch, posted or relayed; more posted: 413.
pub const BATCH_EVENTS_MAX: usize = 500;
/// A batch or any other request body, 4 MiB; beyond it: 413.
pub const BODY_BYTES_MAX: usize = 4 << 20;
/// A body has so long to arrive, 50 s; then 408. An answer has ten more ([`OBJECT_ANSWER_MS`]).
pub const BODY_ARRIVAL_MS: u64 = 50_000;
/// One message from a viewer, 16 KiB; a larger one closes its socket with 1009.
pub const CLIENT_FRAME_BYTES_MAX: usize = 16 << 10;
/// Messages that a viewer may send at once; one more closes its socket with 1008. Acknowledgements of something new are not
/// counted: there are no more of them than events.
pub const CLIENT_MESSAGES_MAX: u64 = 200;
/// As many of them are forgotten a second.
pub const CLIENT_MESSAGES_PER_SECOND: u64 = 20;
/// Agents that one `subscribe` may name; more get an `error` frame.
pub const SUBSCRIBE_AGENTS_MAX: usize = 100;
/// Browsers that are signed in; with one more the one that was seen longest ago is signed out.
pub const SESSIONS_MAX: u64 = 100;
/// A session that is not used ends after 12 hours.
pub const SESSION_IDLE_MS: i64 = 12 * 3_600_000;
/// A session ends after 7 days, however much it is used.
pub const SESSION_LIFE_MS: i64 = 7 * 24 * 3_600_000;
/// The Worker takes a session for granted this long after the account has said that it lasts.
pub const SESSION_KNOWN_MS: i64 = 60_000;
/// Codes of links that nobody has opened; the oldest go.
pub const SIGN_IN_CODES_MAX: u64 = 20;
/// The code of a link is good for a minute.
pub const SIGN_IN_CODE_MS: i64 = 60_000;
/// Wrong keys and codes that an address may show in a minute; beyond it, and until the minute is over, no key or code of
/// its is looked at: 429 `rate_limited`.
pub const WRONG_KEYS_MAX: u64 = 60;
/// See [`WRONG_KEYS_MAX`].
pub const WRONG_KEYS_MS: i64 = 60_000;
/// Addresses whose wrong keys are counted, or refused, at once; with one more the one that began longest ago is forgotten.
pub const WRONG_KEY_ADDRESSES_MAX: usize = 1_000;
/// Live tickets in a town; the oldest go.
pub const TICKETS_MAX: u64 = 1_000;
/// Rights of a town to resume an event stream that a ticket opened, as many as it may have viewers; those whose streams were
/// opened longest ago go, and their readers need a new ticket once they are cut.
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
/// Posted events of a rig that the town has not taken yet; one more gets 503 `town_unavailable`.
pub const OUTBOX_EVENTS_MAX: u64 = 10_000;
/// Bytes of their data, 64 MiB; one more gets the same.
pub const OUTBOX_BYTES_MAX: u64 = 64 << 20;
/// A line of an agent's standard output, 16 MiB; the rest is skipped and a `parser_notice` says so.
pub const STDOUT_LINE_BYTES_MAX: usize = 16 << 20;
/// A name (of a town, rig or agent) in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// A prompt, a system prompt, a message, or the words of an answer, in bytes, 256 KiB; longer: 413.
pub const PROMPT_BYTES_MAX: usize = 256 << 10;
/// The longest that a run may be given, a week; beyond it a start is 400.
pub const TIMEOUT_SECONDS_MAX: u64 = 7 * 24 * 3_600;
/// What a run is given where its start names nothing, half an hour.
pub const TIMEOUT_SECONDS_DEFAULT: u64 = 1_800;
/// The largest budget in tokens, 10^12; beyond it, and below 1: 400.
pub const BUDGET_TOKENS_MAX: u64 = 1_000_000_000_000;
/// The largest budget in US dollars, a million; beyond it: 400.
pub const BUDGET_COST_USD_MAX: f64 = 1_000_000.0;
/// The smallest one, a millionth: what is spent is counted in those. Below it: 400.
pub const BUDGET_COST_USD_MIN: f64 = 0.000_001;
/// The part of a budget, in percent, at which its one warning comes. At 100 runs are stopped.
pub const BUDGET_WARNING_PERCENT: u64 = 80;
/// Ordered stops that are performed at once; further ones follow.
pub const STOP_ORDERS_AT_ONCE_MAX: u64 = 64;
/// Events on one page of the REST API.
pub const PAGE_EVENTS_MAX: u64 = 1_000;
/// Events on a page where the request names no `limit`.
pub const PAGE_EVENTS_DEFAULT: u64 = 200;
/// How long a request may wait for the next event.
pub const LONG_POLL_MS_MAX: u64 = 30_000;
/// An object that another one asks has so long to answer; then it gets 503 `town_unavailable`. Whoever asks from outside
/// waits as long (`src/entrance.mjs`), twice what a request may wait for the next event.
pub const OBJECT_ANSWER_MS: u64 = 60_000;
/// The text of one page, 8 MiB: a page is closed before the event that would exceed it, and the next page goes on.
pub const PAGE_BYTES_MAX: usize = 8 << 20;
/// Outstanding tool calls that an agent's state lists; further ones are only counted.
pub const STATE_OUTSTANDING_MAX: usize = 64;
/// To-dos that an agent's state lists.
pub const STATE_TODOS_MAX: usize = 100;
/// Questions that an agent's state names: the oldest go, as if they had been answered elsewhere.
pub const STATE_QUESTIONS_MAX: usize = 64;
/// Parts that it has of a question that is cut.
pub const STATE_QUESTION_PARTS_MAX: usize = 4;
/// Background tasks that an agent's state lists; with one more the oldest is taken for ended.
pub const STATE_TASKS_MAX: usize = 32;
/// Sub-agents that an agent's state lists; with one more the oldest that has ended goes, else the oldest.
pub const STATE_SUB_AGENTS_MAX: usize = 16;
/// An agent's state as JSON, 32 KiB: half of it for questions, 9 KiB for its other lists, and the rest for its name (800
/// bytes at most), 14 texts, and 2 KiB of keys, ids and numbers.
pub const STATE_BYTES_MAX: usize = 32 << 10;
/// All open questions of an agent's state, as JSON: those that take more than their share are cut, down to 256 bytes each.
pub const STATE_QUESTIONS_BYTES_MAX: usize = STATE_BYTES_MAX / 2;
/// To-dos, open calls, background tasks and sub-agents of an agent's state together, as JSON; beyond it the list that takes
/// most loses entries.
pub const STATE_WORK_BYTES_MAX: usize = 9 << 10;
/// Any one text in an agent's state, in characters; the rest of it is in the event.
pub const STATE_TEXT_CHARS_MAX: usize = 200;
/// The same text as JSON, which counts where its characters take several bytes or an escape.
pub const STATE_TEXT_BYTES_MAX: usize = 280;
/// Answers that an agent's state lists of each part of a question that is cut.
pub const STATE_OPTIONS_MAX: usize = 8;
/// One of these answers, as JSON.
pub const STATE_OPTION_BYTES_MAX: usize = 100;
/// A run is lost when its control server has not answered for this long.
pub const SILENCE_LOST_MS: u64 = 300_000;
/// An agent that posts its events and has an open run is called silent when nothing of it has come for this long, 10
/// minutes; its next event ends that.
pub const SILENCE_POSTED_MS: i64 = 10 * 60_000;
/// A relay turn asks for at most this long, then hands over to the next alarm.
pub const RELAY_TURN_MS: u64 = 20_000;
/// While a relay turn runs its alarm stands this far ahead, so that a turn that dies is followed by another.
pub const RELAY_REARM_MS: i64 = 30_000;
/// Tokens of an agent that are good at once; with one more the one that was used longest ago is revoked. As many that were
/// revoked stay to be shown until their time is over.
pub const TOKENS_PER_AGENT_MAX: u64 = 100;
/// A token lives at most this long.
pub const TOKEN_TTL_SECONDS_MAX: u64 = 24 * 3_600;
/// A token lives this long where the request names nothing.
pub const TOKEN_TTL_SECONDS_DEFAULT: u64 = 8 * 3_600;
/// Bytes that an acknowledging viewer may owe, 1 MiB; then it is sent nothing until it acknowledges.
pub const WINDOW_BYTES_MAX: u64 = 1 << 20;
/// Frames that are told apart among those that a viewer owes; beyond it neighbours are acknowledged together.
pub const WINDOW_MARKS_MAX: usize = 64;
/// A viewer that is paused and acknowledges nothing for this long is closed with 1013.
pub const PAUSED_MS_MAX: u64 = 30_000;
/// Events that a viewer without acknowledgements is sent at once; then 1,000 a second. History waits for room; of live
/// events the less important are left out, and a viewer that falls behind by 1,000 essential ones is closed with 1013.
pub const BUCKET_EVENTS_MAX: u64 = 5_000;
/// Bytes that a viewer without acknowledgements is sent at once, 5 MiB; then 1 MiB a second.
pub const BUCKET_BYTES_MAX: u64 = 5 << 20;
/// What a viewer is sent only because it asks, 4 MiB: the states of what it subscribes to, and, where it acknowledges nothing,
/// events of before. The rest waits; who asks for twice as much without acknowledging anything is closed with 1008.
pub const ALLOWANCE_BYTES_MAX: u64 = 4 << 20;
/// It is full again after so long, 64 s (64 KiB a second), or with the next acknowledgement.
pub const ALLOWANCE_REFILL_MS: u64 = 64_000;
/// Previews, which no one can acknowledge, that a viewer is sent between two of its acknowledgements, 128 KiB.
pub const PREVIEW_BYTES_MAX: u64 = 128 << 10;
/// Previews that are kept for readers who pull, the latest 64 (of 16 KiB at most); they are gone with the message's event.
pub const PREVIEWS_KEPT_MAX: usize = 64;
/// An event stream gets a sign of life this often.
pub const HEARTBEAT_MS: i64 = 10_000;
/// An event stream ends after 15 minutes; its reader comes back where it was.
pub const READER_LIFE_MS: i64 = 15 * 60_000;
/// A right to resume an event stream lasts so long without one, 15 minutes. Counted from the latest moment at which its last
/// connection can have ended, [`READER_LIFE_MS`] after it was opened: so nothing is written while it lasts.
pub const RESUME_MS: i64 = 15 * 60_000;
/// A socket that does not ping gets one after 30 s of silence.
pub const KEEPALIVE_MS: u64 = 30_000;
/// A viewer that used to ping and has not been heard of for 10 minutes is closed.
pub const SILENT_VIEWER_MS: u64 = 10 * 60_000;
/// Text of a message of which what is typed is shown; a longer one has no further previews. Viewers see at most 48 KiB of its
/// event anyway.
pub const PREVIEWED_BYTES_MAX: usize = 64 << 10;
/// Texts that are typed at once in a town, so 16 MiB at most; beyond it the one that was shown longest ago goes.
pub const PREVIEWS_MAX: usize = 256;
