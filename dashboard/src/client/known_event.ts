// Any program may post an event under a known name with data of its own making. This looks at the data before the
// view trusts it: what does not have the shape is shown raw, like an event of an unknown name.

import type { KnownEvent, TownEvent } from "../protocol/protocol.ts";

type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Check>>;
type Fields = Readonly<Record<string, unknown>>;

const text: Check = (value) => typeof value === "string";
// A number that JavaScript can not hold is shown as it came, like anything else that is not of the protocol.
const number: Check = (value) => typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
const flag: Check = (value) => typeof value === "boolean";
const anything: Check = () => true;
const texts: Check = (value) => Array.isArray(value) && value.every(text);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every((item) => check(item));
const having =
  (shape: Shape): Check =>
  (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value) && fits(value as Fields, shape);
const oneOf =
  (...words: string[]): Check =>
  (value) =>
    typeof value === "string" && words.includes(value);

const option = having({ label: text, description: optional(text), preview: optional(text) });
const part = having({ header: optional(text), text, options: listOf(option), multiple: flag, free_text: flag });
const partAnswer = having({ choices: optional(texts), text: optional(text) });
const attachment = having({
  kind: text,
  media_type: optional(text),
  name: optional(text),
  uri: optional(text),
  size_bytes: optional(number),
  image_id: optional(text),
  problem: optional(text),
});

// A Map, not an object: an event may well be called `constructor`.
const shapes = new Map<KnownEvent["event"] | (string & {}), Shape>([
  ["agent.status", { status: oneOf("idle", "starting", "running", "waiting", "stopping", "exited", "failed") }],
  [
    "agent.exited",
    {
      reason: oneOf("completed", "failed", "stopped", "timeout", "budget_exceeded", "lost"),
      exit_code: optional(number),
      signal: optional(text),
      message: optional(text),
    },
  ],
  ["agent_session", { session_id: optional(text), model: optional(text), working_dir: optional(text), branch: optional(text) }],
  [
    "agent_output",
    {
      text,
      stream: oneOf("assistant", "thinking", "stdout", "stderr"),
      message_id: optional(text),
      parent_tool_use_id: optional(text),
      partial: optional(flag),
      broken_off: optional(flag),
    },
  ],
  [
    "user_message",
    {
      text,
      by: text,
      source: oneOf("prompt", "message", "command"),
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
    {
      tool_use_id: text,
      success: flag,
      content: text,
      content_length: number,
      duration_ms: number,
      exit_code: optional(number),
      attachments: optional(listOf(attachment)),
    },
  ],
  [
    "agent_question",
    {
      request_id: text,
      kind: text,
      detail: text,
      options: texts,
      parts: optional(listOf(part)),
      subject: optional(having({ kind: text, text })),
      always: optional(text),
      tool_use_id: optional(text),
      parent_tool_use_id: optional(text),
    },
  ],
  [
    "agent_question_answered",
    { request_id: text, answer: oneOf("once", "always", "reject"), by: text, text: optional(text), answers: optional(listOf(partAnswer)) },
  ],
  [
    "agent_usage",
    {
      message_id: text,
      input_tokens: number,
      output_tokens: number,
      cache_read_input_tokens: optional(number),
      cache_creation_input_tokens: optional(number),
      cost_usd: optional(number),
      parent_tool_use_id: optional(text),
    },
  ],
  ["agent_error", { code: text, message: text, retryable: optional(flag), until: optional(text) }],
  [
    "agent_notice",
    {
      kind: text,
      level: oneOf("info", "warning"),
      message: text,
      until: optional(text),
      tokens_before: optional(number),
      tokens_after: optional(number),
      parent_tool_use_id: optional(text),
    },
  ],
  [
    "agent_task_started",
    { task_id: text, kind: text, description: text, tool_use_id: optional(text), parent_tool_use_id: optional(text) },
  ],
  [
    "agent_task_ended",
    {
      task_id: text,
      outcome: oneOf("completed", "failed", "stopped"),
      summary: optional(text),
      exit_code: optional(number),
      tool_use_id: optional(text),
    },
  ],
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
  ["progress_update", { percentage: optional(number), current_phase: text, tool_call_count: number, parent_tool_use_id: optional(text) }],
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

/** The `code` of an `agent_error` that was none: older logs say so where the program only warns, and goes on. */
export const WARNING_CODE = "warning";

/** The event as the protocol's type, or null where its name or its data is not of the protocol. */
export function knownEvent(event: TownEvent): KnownEvent | null {
  const shape = shapes.get(event.event);
  const { data } = event;
  if (shape === undefined || typeof data !== "object" || data === null || Array.isArray(data)) return null;
  return fits(data as Fields, shape) ? ({ event: event.event, data } as KnownEvent) : null;
}

function fits(fields: Fields, shape: Shape): boolean {
  // hasOwn: a field that only the prototype has ("constructor") is not there.
  return Object.entries(shape).every(([name, check]) => check(Object.hasOwn(fields, name) ? fields[name] : undefined));
}
