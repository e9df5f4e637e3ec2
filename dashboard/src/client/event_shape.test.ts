import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENT_SHAPES } from "../protocol/event_shapes.ts";
import { event } from "../testing/fake_town.ts";
import { knownEvent } from "./event_shape.ts";

const isKnown = (name: string, data: unknown): boolean => knownEvent(event(1, name, data)) !== null;

test("a name that only the prototype has is no event, nor is its field a field", () => {
  for (const name of ["constructor", "toString", "__proto__", "never_heard_of"]) assert.equal(isKnown(name, {}), false, name);
  assert.ok(Object.keys(EVENT_SHAPES).length > 20);
  assert.equal(isKnown("agent_error", JSON.parse('{"__proto__":{"code":"c","message":"m"}}')), false);
});

test("data that is no object is none of the protocol's", () => {
  for (const data of [null, 1, "x", true, [], [{ status: "idle" }]]) assert.equal(isKnown("agent.status", data), false, JSON.stringify(data));
  assert.ok(isKnown("agent.status", { status: "idle", more: [1] }));
});

test("a word is one of its list, but where the page shows any", () => {
  assert.equal(isKnown("agent.status", { status: "asleep" }), false);
  const started = { task_id: "t", description: "d" };
  assert.ok(isKnown("agent_task_started", { ...started, kind: "of tomorrow" }));
  assert.equal(isKnown("agent_task_started", { ...started, kind: 7 }), false);
});

test("a count is a whole number from 0 on, and other numbers are such as JavaScript can hold", () => {
  const usage = { message_id: "m", input_tokens: 1, output_tokens: 0 };
  assert.ok(isKnown("agent_usage", { ...usage, cost_usd: 0.25 }));
  for (const input_tokens of [-1, 1.5, 2 ** 53, "1", null, undefined]) assert.equal(isKnown("agent_usage", { ...usage, input_tokens }), false, String(input_tokens));
  for (const cost_usd of [1e300, "1"]) assert.equal(isKnown("agent_usage", { ...usage, cost_usd }), false, String(cost_usd));
  assert.ok(isKnown("agent.exited", { reason: "failed", exit_code: -1 }));
});

test("what may be left out may be null, and every entry of a list is looked at", () => {
  const progress = { percentage: null, current_phase: "p", tool_call_count: 0, elapsed_seconds: 1 };
  const todo = { content: "c", status: "pending" };
  for (const todos of [undefined, null, [], [todo]]) assert.ok(isKnown("progress_update", { ...progress, todos }), JSON.stringify(todos));
  for (const todos of [todo, [null], [todo, { content: "c" }], "x"]) assert.equal(isKnown("progress_update", { ...progress, todos }), false, JSON.stringify(todos));
});
