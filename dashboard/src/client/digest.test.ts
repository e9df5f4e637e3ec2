import assert from "node:assert/strict";
import { test } from "node:test";
import { event } from "../testing/fake_town.ts";
import { Digest, MENTIONS_MAX } from "./digest.ts";
import { LastErrors } from "./last_errors.ts";

const file = (id: number, path: string) => event(id, "file_changed", { path, action: "modified" });
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
  digest.take(event(10, "agent_question", { request_id: "one", kind: "permission", detail: "May it?", options: [] }));
  digest.take(event(11, "agent_question", { request_id: "two", kind: "input", detail: "Which?", options: [] }));
  digest.take(event(12, "agent_question_answered", { request_id: "one", answer: "once", by: "operator" }));
  assert.deepEqual([digest.questions.count, texts(digest.questions)], [1, ["Which?"]]);
});

test("once the reader looks, only answers count", () => {
  const digest = new Digest(0);
  digest.take(event(1, "agent_question", { request_id: "one", kind: "permission", detail: "May it?", options: [] }));
  digest.close();
  digest.take(file(2, "a"));
  assert.deepEqual([digest.files.count, digest.questions.count], [0, 1]);
  digest.take(event(3, "agent_question_answered", { request_id: "one", answer: "reject", by: "operator" }));
  assert.ok(digest.isEmpty);
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

test("a notice is never an error, and a question that nobody can answer any more is no news", () => {
  const digest = new Digest(0);
  const errors = new LastErrors();
  const given = [
    event(1, "agent_notice", { kind: "rate_limit", level: "warning", message: "Slow down" }),
    event(2, "parser_notice", { kind: "redacted", count: 1, sample: "key" }),
    event(3, "agent_question", { request_id: "one", kind: "permission", detail: "May it?", options: [] }),
  ];
  for (const one of given) digest.take(one);
  assert.deepEqual([digest.failures.count, digest.questions.count], [0, 1]);
  assert.deepEqual(given.map((one) => errors.take(one)).filter((changed, index) => index > 0 && changed), []);
  assert.equal(errors.of("agent"), null);
  digest.close();
  digest.take(event(4, "agent.exited", { reason: "failed", message: "no credit" }));
  assert.deepEqual([digest.failures.count, digest.questions.count], [0, 0]);
});

test("work that fails in the background is an agent's last error", () => {
  const errors = new LastErrors();
  errors.take(event(1, "agent_task_started", { task_id: "t", kind: "command", description: "Deploy" }));
  errors.take(event(2, "agent_task_ended", { task_id: "t", outcome: "failed", exit_code: 2 }));
  assert.equal(errors.of("agent")?.text, "Deploy: returned 2");
});
