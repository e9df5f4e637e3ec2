import assert from "node:assert/strict";
import { test } from "node:test";
import type { OpenQuestion } from "../protocol/protocol.ts";
import { agentState } from "../testing/agent_state.ts";
import { event } from "../testing/fake_town.ts";
import { Digest, MENTIONS_MAX } from "./digest.ts";
import { LastErrors } from "./last_errors.ts";

const file = (id: number, path: string) => event(id, "file_changed", { path, action: "modified" });
const asked = (event_id: number, detail: string): OpenQuestion => ({ event_id, detail, request_id: detail, kind: "permission", options: [], since: "2026-01-01T00:00:00.000Z", cut: false });
const texts = (mentions: { latest: readonly { text: string }[] }) => mentions.latest.map(({ text }) => text);

test("counts files once, failures, and questions that are open, all after the moment only", () => {
  const digest = new Digest(2);
  for (const one of [file(1, "old"), event(2, "agent_error", { code: "x", message: "old" })]) digest.take(one);
  assert.ok(digest.isEmpty);
  for (const one of [file(3, "a"), file(4, "b"), file(5, "a")]) digest.take(one);
  assert.deepEqual([digest.files.count, texts(digest.files), digest.files.latest[0]?.event_id], [2, ["a", "b"], 5]);
  digest.take(event(6, "agent_error", { code: "overloaded", message: "again", retryable: true }));
  digest.take(event(7, "agent_error", { code: "bad", message: "no credit" }));
  digest.take(event(8, "agent_error", { code: "warning", message: "no metadata" }));
  digest.take(event(8, "agent.exited", { reason: "failed", message: "no credit" }));
  assert.equal(digest.failures.count, 1, "the end repeats the error");
  digest.take({ ...event(8, "agent.exited", { reason: "failed" }), run_id: "another" });
  const failed = new Digest(0);
  failed.take(event(1, "run_failed", { error: "no such program" }));
  failed.take(event(2, "agent.exited", { reason: "failed", message: "no such program" }));
  failed.take({ ...event(3, "agent.exited", { reason: "failed", message: "no such program" }), run_id: "another" });
  assert.equal(failed.failures.count, 2, "another run's end is a failure of its own");
  digest.take(event(9, "agent.exited", { reason: "completed" }));
  assert.deepEqual([digest.failures.count, texts(digest.failures)], [2, ["The run failed", "no credit"]]);
  const agents = [agentState({ questions: [asked(1, "Old?"), asked(10, "May it?")] }), agentState({ agent_id: "other", questions: [asked(11, "Which?")] })];
  assert.deepEqual(digest.questions(agents).map(({ text }) => text), ["Which?", "May it?"]);
  assert.deepEqual(digest.questions(agents.slice(1)).map(({ text }) => text), ["Which?"], "one that was answered is in no state");
});

test("once the reader looks, nothing new counts", () => {
  const digest = new Digest(0);
  digest.close(1);
  digest.take(file(2, "a"));
  const agent = agentState({ questions: [asked(1, "May it?"), asked(2, "And now?")] });
  assert.deepEqual([digest.files.count, digest.questions([agent]).map(({ text }) => text)], [0, ["May it?"]]);
});

test("what came before the stream began counts before what the stream brought meanwhile, once", () => {
  const digest = new Digest(2, true);
  digest.take(file(9, "b"));
  digest.take(event(10, "agent_output", { text: "counts nowhere", stream: "stdout" }));
  digest.take({ ...file(11, "theirs"), agent_id: "deleted" });
  digest.forget("deleted");
  digest.take({ ...file(12, "anew"), agent_id: "deleted" });
  assert.deepEqual([digest.lacksPast, digest.isEmpty, digest.files.count], [true, false, 0]);
  digest.takePast([file(2, "old"), file(3, "a"), { ...file(4, "theirs"), agent_id: "deleted" }, file(5, "b")], true);
  assert.deepEqual([digest.lacksPast, digest.isPartial, texts(digest.files)], [false, false, ["anew", "b", "a"]]);
  digest.take(file(13, "c"));
  assert.deepEqual(digest.files.latest.map(({ event_id }) => event_id), [13, 12, 9, 3]);
});

test("where more waits than is kept, the digest says so", () => {
  const digest = new Digest(0, true);
  for (let id = 1; id <= 2_001; id += 1) digest.take(file(id, `file ${id}`));
  digest.takePast([], true);
  assert.deepEqual([digest.files.count, digest.isPartial], [2_000, true]);
});

test("goes on counting where it stops keeping", () => {
  const digest = new Digest(0);
  for (let id = 1; id <= 200; id += 1) digest.take(file(id, `file ${id}`));
  assert.deepEqual([digest.files.count, digest.files.latest.length], [200, MENTIONS_MAX]);
});

test("data of another shape is not taken for what it is called", () => {
  const digest = new Digest(0);
  for (const name of ["file_changed", "agent_error", "agent_question", "constructor"]) digest.take(event(1, name, { toString: 1 }));
  assert.ok(digest.isEmpty);
});

test("an agent's latest error is of its latest run", () => {
  const errors = new LastErrors();
  errors.take(event(1, "agent_tool_result", { tool_use_id: "t", success: false, content: "no such file\nat all", content_length: 20, duration_ms: 1 }));
  assert.deepEqual([errors.of("agent")?.text, errors.of("agent")?.event_id], ["no such file", 1]);
  errors.take(event(1, "agent_tool_call", { tool_use_id: "u", tool: "Bash", category: "Bash", input: {}, summary: "Running `make`" }));
  errors.take(event(1, "agent_tool_result", { tool_use_id: "u", success: false, content: "no rule", content_length: 7, duration_ms: 1 }));
  assert.equal(errors.of("agent")?.text, "Running `make`: no rule");
  errors.take(event(2, "agent_error", { code: "x", message: "no credit" }));
  assert.equal(errors.of("agent")?.text, "no credit");
  errors.take(event(2, "agent_error", { code: "warning", message: "no metadata" }));
  assert.equal(errors.of("agent")?.text, "no credit", "a warning is no error");
  errors.take({ ...event(3, "agent.status", { status: "starting" }), run_id: "next" });
  assert.equal(errors.of("agent"), null);
});

test("a notice is never an error, and neither is a question", () => {
  const digest = new Digest(0);
  const errors = new LastErrors();
  const given = [
    event(1, "agent_notice", { kind: "rate_limit", level: "warning", message: "Slow down" }),
    event(2, "parser_notice", { kind: "redacted", count: 1, sample: "key" }),
    event(3, "agent_question", { request_id: "one", kind: "permission", detail: "May it?", options: [] }),
  ];
  for (const one of given) digest.take(one);
  assert.equal(digest.failures.count, 0);
  assert.deepEqual(given.map((one) => errors.take(one)).filter((changed, index) => index > 0 && changed), []);
  assert.equal(errors.of("agent"), null);
  digest.close(3);
  digest.take(event(4, "agent.exited", { reason: "failed", message: "no credit" }));
  assert.equal(digest.failures.count, 0, "it is seen as it comes");
});

test("work that fails in the background is an agent's last error", () => {
  const errors = new LastErrors();
  errors.take(event(1, "agent_task_started", { task_id: "t", kind: "command", description: "Deploy" }));
  errors.take(event(2, "agent_task_ended", { task_id: "t", outcome: "failed", exit_code: 2 }));
  assert.equal(errors.of("agent")?.text, "Deploy: returned 2");
});
