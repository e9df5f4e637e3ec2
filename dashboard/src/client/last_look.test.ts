import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunView } from "../protocol/protocol.ts";
import { agentState } from "../testing/agent_state.ts";
import { costSince, lookNow, readLook, writtenLook } from "./last_look.ts";

const at = "2026-01-01T12:00:00.000Z";
const usage = (cost_usd: number | null) => ({ ...agentState().usage, cost_usd });
const run = (run_id: string, last_event_id: number, cost_usd: number | null): RunView => ({
  run_id, agent_id: "agent", run_number: 1, first_event_id: 1, last_event_id, started_at: at, tool_call_count: 0, usage: usage(cost_usd),
});

test("a look is read as it was written, and anything else is no look", () => {
  const look = lookNow(12, at, [agentState({ run_id: "a", usage: usage(0.5) }), agentState({ run_id: "b" })]);
  assert.deepEqual(readLook(writtenLook(look)), look);
  for (const text of [null, "", "null", "[]", '{"id":"1","at":"x","costs":[]}', `{"id":1,"at":"never","costs":[]}`]) {
    assert.equal(readLook(text), null);
  }
});

test("the cost since is what runs cost now less what they cost then", () => {
  const look = lookNow(12, at, [agentState({ run_id: "a", usage: usage(0.5) })]);
  assert.deepEqual(costSince(look, [run("a", 20, 0.75), run("old", 12, 9), run("new", 30, 1)]), { cost_usd: 1.25, isPartial: false });
  assert.deepEqual(costSince(look, [run("a", 20, 0.75), run("b", 20, null)]), { cost_usd: 0.25, isPartial: true });
});
