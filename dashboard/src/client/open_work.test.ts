import assert from "node:assert/strict";
import { test } from "node:test";
import type { TownEvent } from "../protocol/protocol.ts";
import { event } from "../testing/fake_town.ts";
import { OPEN_MAX } from "./open_work.ts";
import type { CallRow, Row } from "./row.ts";
import { hasFailed, isProblem } from "./row.ts";
import { Rows } from "./rows.ts";
import { taskWords } from "./sentences.ts";

/** The rows of some events, without the line that begins a run and without the machinery. */
function rowsOf(...given: TownEvent[]): Row[] {
  const rows = new Rows();
  for (const one of given) rows.append(one);
  return rows.all.filter((row) => row.kind !== "run" && !row.system);
}

function callsOf(...given: TownEvent[]): CallRow[] {
  return rowsOf(...given).filter((row) => row.kind === "call");
}

const outcomes = (...given: TownEvent[]) => callsOf(...given).map(({ outcome }) => (typeof outcome === "object" ? outcome.success : outcome));

const status = (id: number, word: string) => event(id, "agent.status", { status: word });
function call(id: number, tool_use_id: string, parent_tool_use_id?: string, input: unknown = {}): TownEvent {
  const data = { tool_use_id, tool: "Bash", category: "Bash", input, summary: `Running ${tool_use_id}` };
  return event(id, "agent_tool_call", parent_tool_use_id === undefined ? data : { ...data, parent_tool_use_id });
}
const result = (id: number, tool_use_id: string, success = true) =>
  event(id, "agent_tool_result", { tool_use_id, success, content: "text", content_length: 4, duration_ms: 12 });
const question = (id: number, request_id: string, more: object = {}) =>
  event(id, "agent_question", { request_id, kind: "permission", detail: "May it?", options: [], ...more });
const answered = (id: number, request_id: string) => event(id, "agent_question_answered", { request_id, answer: "once", by: "operator" });
const taskStarted = (id: number, task_id: string, tool_use_id?: string) =>
  event(id, "agent_task_started", { task_id, kind: "command", description: "Deploy", ...(tool_use_id === undefined ? {} : { tool_use_id }) });
const taskEnded = (id: number, task_id: string, more: object = {}) => event(id, "agent_task_ended", { task_id, outcome: "completed", ...more });
const exited = (id: number, reason = "completed") => event(id, "agent.exited", { reason });

test("a call that has no result when its turn ends was interrupted, and a late result corrects it", () => {
  assert.deepEqual(outcomes(status(1, "running"), call(2, "a"), status(3, "waiting")), ["interrupted"]);
  assert.deepEqual(outcomes(status(1, "running"), call(2, "a"), status(3, "waiting"), result(4, "a")), [true]);
  assert.deepEqual(outcomes(call(1, "a"), status(2, "waiting"), exited(3)), ["interrupted"]);
});

test("a second result corrects the first, and is no row of its own", () => {
  const rows = rowsOf(call(1, "a"), result(2, "a", false), result(3, "a"));
  assert.equal(rows.length, 1);
  assert.deepEqual(outcomes(call(1, "a"), result(2, "a", false), result(3, "a")), [true]);
  assert.deepEqual(rows[0]?.events.map(({ id }) => id), [1, 2, 3]);
});

test("a `waiting` behind a question waits for its answer and ends no call", () => {
  const asking = [status(1, "running"), call(2, "a"), question(3, "q", { tool_use_id: "a" }), status(4, "waiting")];
  assert.deepEqual(outcomes(...asking), ["open"]);
  assert.deepEqual(outcomes(...asking, answered(5, "q"), status(6, "running"), status(7, "waiting")), ["interrupted"]);
});

test("what runs in the background outlives the turn, with what its sub-agent calls, and ends with the run", () => {
  const begun = [status(1, "running"), call(2, "task"), taskStarted(3, "t", "task"), result(4, "task"), call(5, "inner", "task"), call(6, "own"), status(7, "waiting")];
  assert.deepEqual(outcomes(...begun), [true, "open", "interrupted"]);
  assert.deepEqual(outcomes(...begun, exited(8)), [true, "abandoned", "interrupted"]);
  const [row] = callsOf(...begun, exited(8));
  assert.equal(row?.tasks[0]?.end?.outcome, "abandoned");
});

test("a sub-agent's open calls and questions end with the call that it worked for", () => {
  const rows = rowsOf(call(1, "task"), call(2, "inner", "task"), question(3, "q", { parent_tool_use_id: "task" }), result(4, "task"));
  assert.ok(rows[1]?.kind === "call" && rows[2]?.kind === "question");
  assert.deepEqual([rows[1].outcome, rows[2].unanswered], ["interrupted", "call"]);
});

test("calls that name each other as their parents come to an end", () => {
  assert.deepEqual(outcomes(call(1, "a", "b"), call(2, "b", "a"), result(3, "a"), status(4, "waiting")), [true, "interrupted"]);
});

test("a background task shows at its call: that it runs, how it ended, and a failure makes the row bad", () => {
  const begun = [call(1, "a"), taskStarted(2, "t", "a"), result(3, "a")];
  const [running] = callsOf(...begun);
  assert.ok(running);
  assert.deepEqual([running.tasks.map(taskWords), hasFailed(running)], [["runs in the background"], false]);
  const [failed] = callsOf(...begun, taskEnded(4, "t", { outcome: "failed", exit_code: 2, summary: "no such host" }));
  assert.ok(failed);
  assert.deepEqual([failed.tasks.map(taskWords), hasFailed(failed), isProblem(failed)], [["failed in the background, returned 2: no such host"], true, true]);
});

test("a background task whose call is not here is a row of its own, from its beginning or from its end", () => {
  const rows = rowsOf(taskStarted(1, "t", "gone"), taskEnded(2, "t"), taskEnded(3, "other", { outcome: "stopped" }));
  assert.deepEqual(rows.map((row) => row.kind === "task" && [row.task.description, taskWords(row.task)]), [
    ["Deploy", "finished in the background"],
    ["Something that was left running", "was stopped in the background"],
  ]);
});

test("a question that nobody answered says what ended first", () => {
  const unanswered = (...given: TownEvent[]) => rowsOf(...given).flatMap((row) => (row.kind === "question" ? [row.unanswered] : []));
  assert.deepEqual(unanswered(question(1, "q")), [null]);
  assert.deepEqual(unanswered(question(1, "q"), exited(2)), ["run"]);
  assert.deepEqual(unanswered(call(1, "a"), question(2, "q", { tool_use_id: "a" }), result(3, "a")), ["call"]);
  assert.deepEqual(unanswered(question(1, "q"), answered(2, "q"), exited(3)), [null]);
});

test("the same call that fails again and again is counted, until it succeeds or other work lies between", () => {
  const failures = (...given: TownEvent[]) => callsOf(...given).map((row) => row.failures);
  const fail = (id: number, input: unknown = "make") => [call(id, `c${id}`, undefined, input), result(id + 0.5, `c${id}`, false)];
  assert.deepEqual(failures(...fail(1), ...fail(2), ...fail(3)), [1, 2, 3]);
  assert.deepEqual(failures(...fail(1), ...fail(2, "other"), ...fail(3)), [1, 1, 2]);
  const succeeded = [call(2, "c2", undefined, "make"), result(2.5, "c2")];
  assert.deepEqual(failures(...fail(1), ...succeeded, ...fail(3)), [1, 0, 1]);
  const others = Array.from({ length: 10 }, (_, index) => call(10 + index, `o${index}`, undefined, index));
  assert.deepEqual(failures(...fail(1), ...others, ...fail(30)).at(-1), 1);
});

test("the end of a run counts work, and says apart how long it waited for a person", () => {
  const end = (...given: TownEvent[]) => rowsOf(...given).at(-1);
  const text = (...given: TownEvent[]) => {
    const row = end(...given);
    return row?.kind === "end" ? row.text : null;
  };
  assert.equal(text(status(0, "starting"), status(10, "waiting"), status(50, "running"), exited(55)), "Finished after 15 s of work, and 40 s of waiting for a person");
  assert.equal(text(status(0, "starting"), question(10, "q"), answered(30, "q"), exited(32)), "Finished after 12 s of work, and 20 s of waiting for a person");
  const background = [status(0, "starting"), call(1, "a"), taskStarted(2, "t", "a"), result(3, "a"), status(4, "waiting")];
  assert.equal(text(...background, taskEnded(24, "t"), exited(25)), "Finished after 24 s of work, and 1 s of waiting for a person");
  const asking = [status(0, "starting"), call(1, "task"), call(2, "inner", "task"), question(3, "q", { tool_use_id: "inner", parent_tool_use_id: "task" })];
  assert.equal(text(...asking, answered(20, "q"), exited(22)), "Finished after 5 s of work, and 17 s of waiting for a person");
  assert.equal(text(...asking, call(4, "other", "task"), answered(20, "q"), exited(22)), "Finished after 21 s of work, and 1 s of waiting for a person");
});

test("a run whose beginning is gone has no time of its own", () => {
  const rows = new Rows();
  rows.appendGap({ agent_id: "agent", from: 1, to: 9, count: 9, reason: "pruned" });
  for (const one of [status(10, "running"), exited(30)]) rows.append(one);
  const end = rows.all.at(-1);
  assert.equal(end?.kind === "end" && end.text, "Finished");
});

test("a list of nothing but open calls and questions stays quick, and forgets the oldest of them", () => {
  const rows = new Rows({ events: 100_000, characters: Infinity });
  const count = 5_000;
  for (let id = 1; id <= count; id += 1) rows.append(call(id, `c${id}`));
  for (let id = count + 1; id <= 2 * count; id += 1) rows.append(question(id, `q${id}`));
  rows.append(exited(3 * count));
  const found = rows.all.flatMap((row) => (row.kind === "call" ? [row.outcome] : []));
  assert.equal(found.filter((outcome) => outcome === "abandoned").length, OPEN_MAX);
  assert.equal(found.filter((outcome) => outcome === "open").length, count - OPEN_MAX);
});
