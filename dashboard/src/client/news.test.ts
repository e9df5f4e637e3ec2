import assert from "node:assert/strict";
import { test } from "node:test";
import { agentState } from "../testing/agent_state.ts";
import { newsOf } from "./news.ts";

const running = agentState({ status: "running", run_id: "one" });
const asking = agentState({ ...running, status: "waiting", question: { request_id: "q", kind: "permission", detail: "May it?", options: [] } });
const ended = agentState({ ...running, status: "exited", exit: { reason: "completed" } });
const lost = agentState({ ...running, status: "failed", exit: { reason: "lost" } });

test("a question, a failure and an end are news, once", () => {
  assert.equal(newsOf(running, asking)?.kind, "asks");
  assert.equal(newsOf(asking, asking), null);
  assert.equal(newsOf(asking, running), null);
  assert.equal(newsOf(running, ended)?.kind, "ended");
  assert.equal(newsOf(ended, ended), null);
  assert.equal(newsOf(asking, lost)?.kind, "failed");
});

test("what is first heard of is old; a whole run between two states is news", () => {
  assert.equal(newsOf(undefined, ended), null);
  assert.equal(newsOf(undefined, asking), null);
  assert.equal(newsOf(ended, agentState({ ...ended, run_id: "two" }))?.kind, "ended");
});
