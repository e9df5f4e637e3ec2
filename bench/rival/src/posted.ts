// The body of `POST /api/rigs/:rig/agent-events`, checked.

import { invalid, Refusal } from "./answers.ts";

const EVENT_BYTES_MAX = 1 << 20;
export const BATCH_EVENTS_MAX = 500;
const ID = /^[A-Za-z0-9_-]{1,64}$/;
const EVENT_TYPE = /^[A-Za-z0-9_.:-]{1,64}$/;
const EVENT_ID = /^[\x20-\x7e]{1,128}$/;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const FRAMES = ["hello", "state", "events", "preview", "caught_up", "gap", "backpressure", "subscription_confirmed", "heartbeat", "pong", "error"];
const FRAME_NAMES = new Set(FRAMES);
const REASONS = ["completed", "failed", "stopped", "timeout", "lost"];
const EVENT_FIELDS = ["event_type", "data", "at", "event_id", "run_id"];

type Fields = Record<string, unknown>;

export interface PostedEvent {
  event_type: string;
  /** JSON, written anew. */
  data: string;
  at_ms: number | null;
  event_id: string | null;
  run_id: string | null;
}

export interface Post {
  agent_id: string;
  events: PostedEvent[];
}

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const matches = (value: unknown, form: RegExp): value is string => typeof value === "string" && form.test(value);

/** One event alone, or an agent's `events`. */
export function checkedPost(body: unknown): Post {
  if (!isObject(body)) throw invalid("body", "expected an object");
  const { agent_id, events } = body;
  if (!matches(agent_id, ID)) throw invalid("agent_id", "expected an id");
  if (events === undefined) return { agent_id, events: [checkedEvent(body, "")] };
  for (const name of EVENT_FIELDS) if (body[name] !== undefined) throw invalid("events", `not together with ${name}`);
  if (!Array.isArray(events) || events.length === 0) throw invalid("events", "expected at least one event");
  if (events.length > BATCH_EVENTS_MAX) throw new Refusal(413, "too_large", "too many events");
  return { agent_id, events: events.map((event, index) => checkedEvent(event, `events[${index}].`)) };
}

/** `place` stands before a field's name in a refusal. */
function checkedEvent(event: unknown, place: string): PostedEvent {
  if (!isObject(event)) throw invalid(place, "expected an object");
  const { event_type, data, at, event_id, run_id } = event;
  if (!matches(event_type, EVENT_TYPE)) throw invalid(`${place}event_type`, "expected [A-Za-z0-9_.:-]{1,64}");
  if (FRAME_NAMES.has(event_type)) throw invalid(`${place}event_type`, "is the name of a stream frame");
  if (event_id !== undefined && !matches(event_id, EVENT_ID)) throw invalid(`${place}event_id`, "expected 1 to 128 printable ASCII");
  if (run_id !== undefined && !matches(run_id, ID)) throw invalid(`${place}run_id`, "expected an id");
  const text = data === undefined ? "null" : JSON.stringify(data);
  if (text.length > EVENT_BYTES_MAX) throw new Refusal(413, "too_large", `${place}data: too large`);
  if (event_type === "agent.exited" && !(isObject(data) && REASONS.includes(String(data.reason)))) throw invalid(`${place}data.reason`, "expected a reason");
  return { event_type, data: text, at_ms: momentOf(at, place), event_id: event_id ?? null, run_id: run_id ?? null };
}

function momentOf(at: unknown, place: string): number | null {
  if (at === undefined) return null;
  const at_ms = matches(at, RFC3339) ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(at_ms)) throw invalid(`${place}at`, "expected RFC 3339");
  return at_ms;
}
