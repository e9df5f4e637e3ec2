import assert from "node:assert/strict";
import { test } from "node:test";
import { agentState } from "../testing/agent_state.ts";
import { newsOf } from "./news.ts";
import { TownStore } from "./town_store.ts";

const running = agentState({ status: "running", run_id: "one" });
const asking = agentState({ ...running, status: "waiting", questions: [{ event_id: 1, since: "2026-01-01T00:00:00.000Z", cut: false, request_id: "q", kind: "permission", detail: "May it?", options: [] }] });
const ended = agentState({ ...running, status: "exited", exit: { reason: "completed" } });
const lost = agentState({ ...running, status: "failed", exit: { reason: "lost" } });

test("a question, a failure and an end are news, once", () => {
  assert.equal(newsOf(running, asking)?.kind, "asks");
  assert.equal(newsOf(asking, asking), null);
  assert.equal(newsOf(asking, running), null);
  const [first] = asking.questions;
  assert.ok(first);
  const both = agentState({ ...asking, questions: [{ ...first, request_id: "sub-agent's" }, first] });
  assert.equal(newsOf(asking, both)?.kind, "asks", "one more, wherever it stands");
  assert.equal(newsOf(both, asking), null);
  assert.equal(newsOf(running, ended)?.kind, "ended");
  assert.equal(newsOf(ended, ended), null);
  assert.equal(newsOf(asking, lost)?.kind, "failed");
});

test("a run that began and ended between two states is news, also the first of a new agent", () => {
  assert.equal(newsOf(ended, agentState({ ...ended, run_id: "two" }))?.kind, "ended");
  assert.equal(newsOf(null, ended)?.kind, "ended");
  assert.equal(newsOf(null, asking)?.kind, "asks");
  assert.equal(newsOf(null, running), null);
});

test("what a store hears of while it catches up is old", () => {
  const store = new TownStore((call) => call());
  const told: string[] = [];
  store.listenToNews(({ kind, agent }) => told.push(`${agent.agent_id} ${kind}`));
  store.connection({ kind: "connecting" });
  store.state(ended);
  store.connection({ kind: "live", transport: "web_socket" });
  store.state(ended);
  assert.deepEqual(told, []);
  store.state(agentState({ ...ended, agent_id: "new" }));
  assert.deepEqual(told, ["new ended"]);
});
