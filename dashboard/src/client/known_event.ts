// Any program may post an event under a known name with data of its own making. This looks at the data before the
// view trusts it: what does not have the shape is shown raw, like an event of an unknown name.

import type { KnownEvent, TownEvent } from "../protocol/protocol.ts";

type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Check>>;

const text: Check = (value) => typeof value === "string";
const number: Check = (value) => typeof value === "number";
const flag: Check = (value) => typeof value === "boolean";
const anything: Check = () => true;
const texts: Check = (value) => Array.isArray(value) && value.every(text);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);
const oneOf =
  (...words: string[]): Check =>
  (value) =>
    typeof value === "string" && words.includes(value);

// A Map, not an object: an event may well be called `constructor`.
const shapes = new Map<KnownEvent["event"] | (string & {}), Shape>([
  ["agent.status", { status: oneOf("idle", "starting", "running", "waiting", "stopping", "exited", "failed") }],
  [
    "agent.exited",
    {
      reason: oneOf("completed", "failed", "stopped", "timeout", "lost"),
      exit_code: optional(number),
      signal: optional(text),
      message: optional(text),
    },
  ],
  ["agent_session", { session_id: text, model: optional(text), working_dir: optional(text), branch: optional(text) }],
  [
    "agent_output",
    {
      text,
      stream: oneOf("assistant", "thinking", "stdout", "stderr"),
      message_id: optional(text),
      parent_tool_use_id: optional(text),
    },
  ],
  [
    "agent_tool_call",
    {
      tool_use_id: text,
      tool: text,
      category: text,
      input: anything,
      path: optional(text),
      summary: text,
      parent_tool_use_id: optional(text),
    },
  ],
  [
    "agent_tool_result",
    { tool_use_id: text, success: flag, content: text, content_length: number, duration_ms: number },
  ],
  ["agent_question", { request_id: text, kind: text, detail: text, options: texts }],
  ["agent_question_answered", { request_id: text, answer: oneOf("once", "always", "reject"), by: text }],
  [
    "agent_usage",
    {
      message_id: text,
      input_tokens: number,
      output_tokens: number,
      cache_read_input_tokens: optional(number),
      cache_creation_input_tokens: optional(number),
      cost_usd: optional(number),
    },
  ],
  ["agent_error", { code: text, message: text, retryable: optional(flag) }],
  [
    "file_changed",
    {
      path: text,
      action: oneOf("created", "modified", "deleted", "renamed"),
      from: optional(text),
      lines_added: optional(number),
      lines_removed: optional(number),
      tool_use_id: optional(text),
    },
  ],
  ["progress_update", { percentage: optional(number), current_phase: text, tool_call_count: number }],
  ["run_started", { run_number: number }],
  [
    "run_iteration",
    {
      iteration_number: number,
      total_iterations: number,
      verification_passed: optional(flag),
      verification_output: optional(text),
    },
  ],
  ["run_completed", { run_number: number }],
  ["run_failed", { run_number: number, error: text }],
  ["work_order_created", { work_order_id: text, status: text, prompt: optional(text) }],
  ["work_order_updated", { work_order_id: text, status: text }],
  ["parser_notice", { kind: oneOf("malformed", "unknown", "oversized", "redacted"), count: number, sample: text }],
  ["source_gap", { source: text, count: optional(number) }],
]);

/** The `code` of an `agent_error` that is none: the program warns, and goes on as if nothing were. */
export const WARNING_CODE = "warning";

/** The event as the protocol's type, or null where its name or its data is not of the protocol. */
export function knownEvent(event: TownEvent): KnownEvent | null {
  const shape = shapes.get(event.event);
  const { data } = event;
  if (shape === undefined || typeof data !== "object" || data === null || Array.isArray(data)) return null;
  const fields = data as Record<string, unknown>;
  // hasOwn: a field that only the prototype has ("constructor") is not there.
  const fits = Object.entries(shape).every(([name, check]) =>
    check(Object.hasOwn(fields, name) ? fields[name] : undefined),
  );
  return fits ? ({ event: event.event, data } as KnownEvent) : null;
}
