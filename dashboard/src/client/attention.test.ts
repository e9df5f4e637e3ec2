import assert from "node:assert/strict";
import { test } from "node:test";
import type { AgentQuestion, AgentState } from "../protocol/protocol.ts";
import { agentState } from "../testing/agent_state.ts";
import { attention, inOrder, silentSince } from "./attention.ts";

const question: AgentQuestion = { request_id: "q", kind: "permission", detail: "May it?", options: [] };
const since = "2026-01-01T00:00:00.000Z";
const NOW_MS = Date.parse(since);

test("who waits for a person comes first, then failed, lost, silent, running, ended", () => {
  const agents = [
    agentState({ agent_id: "ended", status: "exited", exit: { reason: "completed" } }),
    agentState({ agent_id: "stopped", status: "exited", exit: { reason: "stopped" } }),
    agentState({ agent_id: "running", status: "running" }),
    agentState({ agent_id: "silent", status: "running", activity: { kind: "silent", since } }),
    agentState({ agent_id: "lost", status: "failed", exit: { reason: "lost" } }),
    agentState({ agent_id: "timeout", status: "failed", exit: { reason: "timeout" } }),
    agentState({ agent_id: "turn_over", status: "waiting" }),
    agentState({ agent_id: "asks", status: "waiting", questions: [{ event_id: 1, since, cut: false, ...question }] }),
  ];
  const order = ["asks", "turn_over", "timeout", "lost", "silent", "running", "ended", "stopped"];
  assert.deepEqual(inOrder(agents, NOW_MS).map(({ agent_id }) => agent_id), order);
});

test("a question of a container that is silent can not be answered now", () => {
  const asks = { status: "waiting" as const, questions: [{ event_id: 1, since, cut: false, ...question }] };
  assert.equal(attention(agentState(asks), NOW_MS), "asks");
  assert.equal(attention(agentState({ ...asks, activity: { kind: "silent", since } }), NOW_MS), "silent");
});

test("the newest start comes first among equals", () => {
  const agents = ["2026-01-01", "2026-01-03", "2026-01-02"].map((started_at) => agentState({ agent_id: started_at, started_at, status: "running" }));
  assert.deepEqual(inOrder(agents, NOW_MS).map(({ agent_id }) => agent_id), ["2026-01-03", "2026-01-02", "2026-01-01"]);
});

test("who works in the background waits for nobody, and who only waits for a message asks nothing", () => {
  const background = agentState({ status: "waiting", activity: { kind: "background", since } });
  assert.equal(attention(background, NOW_MS), "running");
  const sub_agents_call = agentState({ status: "waiting", activity: { kind: "tool", detail: "Running `make`", since } });
  assert.equal(attention(sub_agents_call, NOW_MS), "running");
  assert.equal(attention(agentState({ status: "waiting", activity: { kind: "waiting", since } }), NOW_MS), "asks");
});

test("an agent that posts is silent once nothing was heard of it for ten minutes, unless it waits for a person", () => {
  const posts = { runtime: null, status: "running" as const, last_event_at: since };
  const after = (minutes: number, more: Partial<AgentState> = {}) => silentSince(agentState({ ...posts, ...more }), NOW_MS + minutes * 60_000);
  assert.deepEqual([after(9), after(10)], [null, since]);
  assert.equal(after(60, { status: "waiting" }), null);
  assert.equal(after(60, { runtime: "claude_code" }), null, "its container is heard");
  assert.equal(after(60, { status: "exited", exit: { reason: "completed" } }), null);
  assert.equal(attention(agentState(posts), NOW_MS + 3_600_000), "silent");
});
