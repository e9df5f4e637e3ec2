import assert from "node:assert/strict";
import { test } from "node:test";
import type { AgentQuestion, AgentState } from "../protocol/protocol.ts";
import { agentState } from "../testing/agent_state.ts";
import { attention, inOrder, silentSince } from "./attention.ts";

const question: AgentQuestion = { request_id: "q", kind: "permission", detail: "May it?", options: [] };
const since = "2026-01-01T00:00:00.000Z";

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
  assert.deepEqual(inOrder(agents).map(({ agent_id }) => agent_id), order);
});

test("a question of a container that is silent can not be answered now", () => {
  const asks = { status: "waiting" as const, questions: [{ event_id: 1, since, cut: false, ...question }] };
  assert.equal(attention(agentState(asks)), "asks");
  assert.equal(attention(agentState({ ...asks, activity: { kind: "silent", since } })), "silent");
});

test("the newest start comes first among equals", () => {
  const agents = ["2026-01-01", "2026-01-03", "2026-01-02"].map((started_at) => agentState({ agent_id: started_at, started_at, status: "running" }));
  assert.deepEqual(inOrder(agents).map(({ agent_id }) => agent_id), ["2026-01-03", "2026-01-02", "2026-01-01"]);
});

test("who works in the background waits for nobody, and who only waits for a message asks nothing", () => {
  const background = agentState({ status: "waiting", activity: { kind: "background", since } });
  assert.equal(attention(background), "running");
  const sub_agents_call = agentState({ status: "waiting", activity: { kind: "tool", detail: "Running `make`", since } });
  assert.equal(attention(sub_agents_call), "running");
  assert.equal(attention(agentState({ status: "waiting", activity: { kind: "waiting", since } })), "asks");
});

test("an agent is silent when the town says so: since its last event, or since its container was heard last", () => {
  const posts = { runtime: null, status: "running" as const, last_event_at: "2026-01-01T00:00:00.000Z" };
  const silent = { kind: "silent" as const, since };
  const from = (more: Partial<AgentState>) => silentSince(agentState({ ...posts, ...more }));
  assert.equal(from({}), null, "its last event may be long ago: it has said that it is there");
  assert.equal(from({ activity: silent }), since);
  assert.equal(from({ activity: silent, runtime: "claude_code" }), posts.last_event_at);
  assert.equal(from({ activity: silent, runtime: "claude_code", last_event_at: null }), since);
  assert.equal(from({ activity: silent, status: "exited", exit: { reason: "completed" } }), null);
  assert.equal(attention(agentState({ ...posts, activity: silent })), "silent");
});
