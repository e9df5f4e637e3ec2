import assert from "node:assert/strict";
import { test } from "node:test";
import type { TownEvent } from "../protocol/protocol.ts";
import { event } from "../testing/fake_town.ts";
import type { Row } from "./row.ts";
import { isProblem } from "./row.ts";
import { EVENTS_MAX, Rows } from "./rows.ts";

/** The rows of some events, without the line that begins a run. */
function rowsOf(...given: TownEvent[]): Row[] {
  const rows = new Rows();
  for (const one of given) rows.append(one);
  return flat(rows).filter((row) => row.kind !== "run");
}

function flat(rows: Rows): Row[] {
  return rows.all.slice();
}

function call(id: number, tool_use_id: string, parent_tool_use_id?: string): TownEvent {
  const data = { tool_use_id, tool: "Read", category: "Read", input: {}, summary: `Reading ${tool_use_id}` };
  return event(id, "agent_tool_call", parent_tool_use_id === undefined ? data : { ...data, parent_tool_use_id });
}

function result(id: number, tool_use_id: string, success = true): TownEvent {
  return event(id, "agent_tool_result", { tool_use_id, success, content: "text", content_length: 4, duration_ms: 12 });
}

test("a result joins its call, whatever the call is named", () => {
  for (const name of ["toolu_1", "__proto__", "constructor", "hasOwnProperty", ""]) {
    const [row, ...others] = rowsOf(call(1, name), call(2, "another"), result(3, name, false));
    assert.ok(row?.kind === "call");
    assert.deepEqual(row.outcome, { success: false, content: "text", content_length: 4, duration_ms: 12 }, name);
    assert.deepEqual(others.map((other) => other.kind === "call" && other.outcome), ["open"]);
  }
});

test("a result without its call is a row of its own, also for names that every object has", () => {
  for (const name of ["toolu_1", "__proto__", "constructor"]) {
    assert.deepEqual(rowsOf(result(1, name)).map((row) => row.kind), ["result"]);
  }
});

test("equal call ids of two runs are two calls", () => {
  const [first, second] = rowsOf(call(1, "a"), { ...call(2, "a"), run_id: "run 2" }, result(3, "a"));
  assert.ok(first?.kind === "call" && second?.kind === "call");
  assert.equal(typeof first.outcome, "object");
  assert.equal(second.outcome, "open");
});

test("a changed row is another object, and has all the events that it was made of", () => {
  const rows = new Rows();
  rows.append(call(1, "a"));
  const before = rows.all[1];
  rows.append(result(2, "a"));
  assert.ok(before !== rows.all[1]);
  assert.deepEqual(rows.all[1]?.events.map(({ id }) => id), [1, 2]);
});

test("what a sub-agent does is nested under the call that began it", () => {
  const said = event(3, "agent_output", { text: "hello", stream: "assistant", parent_tool_use_id: "inner" });
  const rows = rowsOf(call(1, "outer"), call(2, "inner", "outer"), said, call(4, "lost", "never seen"));
  assert.deepEqual(rows.map((row) => row.depth), [0, 1, 2, 1]);
});

test("consecutive lines share a row, up to a bound", () => {
  const given = Array.from({ length: 201 }, (_, index) => event(index + 1));
  const rows = rowsOf(...given, call(300, "a"), event(301, "agent_output", { text: "err", stream: "stderr" }));
  assert.deepEqual(rows.map((row) => (row.kind === "lines" ? row.lines.length : row.kind)), [200, 1, "call", 1]);
});

test("the parts of a line are one line, and stay in one row", () => {
  const part = (id: number, text: string, partial: boolean): TownEvent => event(id, "agent_output", { text, stream: "stderr", partial });
  const lines = Array.from({ length: 199 }, (_, index) => event(index + 1));
  const rows = rowsOf(...lines, part(200, "10%", true), part(201, "\r20%", true), part(202, "\rdone", false), event(203));
  assert.deepEqual(rows.map((row) => row.kind === "lines" && [row.lines.length, row.ended]), [[202, 200], [1, 1]]);
  const bar = rowsOf(...Array.from({ length: 1_001 }, (_, index) => part(index + 1, "\r1%", true)));
  assert.deepEqual(bar.map((row) => row.kind === "lines" && row.lines.length), [1_000, 1]);
});

test("the end of a run says how it went and closes its open calls", () => {
  const cases: [unknown, string][] = [
    [{ reason: "completed", exit_code: 0 }, "Finished after 11 s"],
    [{ reason: "failed", exit_code: 2 }, "Failed after 11 s: the program returned 2"],
    [{ reason: "failed", message: "no credit" }, "Failed after 11 s: no credit"],
    [{ reason: "lost" }, "Lost after 11 s: the container went away"],
    [{ reason: "stopped" }, "Stopped after 11 s"],
    [{ reason: "budget_exceeded", message: "the run's budget is used up" }, "Stopped by a budget after 11 s: the run's budget is used up"],
  ];
  for (const [exit, sentence] of cases) {
    const rows = rowsOf(event(1, "agent.status", { status: "starting" }), call(2, "a"), event(12, "agent.exited", exit));
    const end = rows.at(-1);
    assert.ok(end?.kind === "end");
    assert.equal(end.text, sentence);
    assert.ok(rows[1]?.kind === "call");
    assert.equal(rows[1].outcome, "abandoned");
  }
});

test("a file change belongs to the call that made it", () => {
  const changed = (id: number, tool_use_id: string): TownEvent =>
    event(id, "file_changed", { path: "a.ts", action: "modified", lines_added: 3, lines_removed: 1, tool_use_id });
  const rows = rowsOf(call(1, "a"), result(2, "a"), changed(3, "a"), changed(4, "elsewhere"));
  assert.ok(rows[0]?.kind === "call");
  assert.equal(rows[0].files.length, 1);
  assert.ok(rows[1]?.kind === "note");
  assert.equal(rows[1].text, "Changed a.ts (+3 −1)");
});

test("unknown names and data of another shape are shown raw, never trusted", () => {
  const strange: [string, unknown][] = [
    ["constructor", {}],
    ["__proto__", null],
    ["deploy.finished", { url: "x" }],
    ["agent_output", "only text"],
    ["agent_output", { text: { html: "<b>" }, stream: "stdout" }],
    ["agent_tool_call", { tool_use_id: 7 }],
    ["agent.status", { status: "toString" }],
    ["agent.exited", null],
    ["agent_error", []],
  ];
  for (const [name, data] of strange) {
    const [row] = rowsOf(event(1, name, data));
    assert.ok(row?.kind === "unknown", name);
    assert.equal(row.name, name);
  }
});

test("numbers and states are rows of the machinery, in words", () => {
  const usage = event(1, "agent_usage", { message_id: "m", input_tokens: 1, cache_read_input_tokens: 1200, output_tokens: 2, cost_usd: 0.01 });
  const progress = event(2, "progress_update", { percentage: 40, current_phase: "Testing", tool_call_count: 0, elapsed_seconds: 0 });
  const rows = rowsOf(usage, progress, event(3, "agent.status", { status: "running" }));
  assert.deepEqual(rows.map((row) => row.system && row.kind === "note" && row.text), [
    "Read 1,201 tokens and wrote 2 for $0.0100",
    "40 %: Testing",
    "At work",
  ]);
});

test("a gap says what is missing and why", () => {
  const rows = new Rows();
  rows.appendGap({ agent_id: "agent", from: 1, to: 240, count: 240, reason: "pruned" });
  rows.appendGap({ agent_id: "agent", from: 300, to: 300, count: 1, reason: "elided" });
  assert.deepEqual(flat(rows).map((row) => row.kind === "gap" && [row.text, row.fillable]), [
    ["240 events from before this are gone: the town keeps only an agent's newest events", false],
    ["1 event was left out here: this connection was too slow to show everything", true],
  ]);
});

test("an answer joins its question", () => {
  const question = event(1, "agent_question", { request_id: "__proto__", kind: "permission", detail: "May I?", options: [] });
  const answer = event(2, "agent_question_answered", { request_id: "__proto__", answer: "once", by: "operator" });
  const [row, ...others] = rowsOf(question, answer);
  assert.ok(row?.kind === "question");
  assert.equal(row.answered?.answer, "once");
  assert.equal(others.length, 0);
});

test("a list keeps a bounded number of events and still joins what is left", () => {
  const rows = new Rows();
  rows.append(call(1, "early"));
  for (let id = 2; id <= EVENTS_MAX + 1000; id += 1) rows.append(call(id, `c${id}`));
  const kept = flat(rows).filter((row) => row.kind === "call");
  assert.ok(kept.length <= EVENTS_MAX && kept.length > EVENTS_MAX * 0.89, String(kept.length));
  assert.equal(kept.length + rows.dropped_events, EVENTS_MAX + 1000);
  rows.append(result(9_000, `c${EVENTS_MAX + 1000}`));
  const newest = flat(rows).at(-1);
  assert.ok(newest?.kind === "call" && typeof newest.outcome === "object");
  rows.append(result(9_001, "early"));
  assert.equal(flat(rows).at(-1)?.kind, "result");
});

test("rows of several agents in one list: each has its own runs, calls and lines", () => {
  const of = (agent_id: string, one: TownEvent): TownEvent => ({ ...one, agent_id });
  const rows = new Rows();
  rows.append(of("a", call(1, "same")));
  rows.append(of("b", call(2, "same")));
  rows.append(of("a", event(3)));
  rows.append(of("b", event(4)));
  rows.append(of("a", event(5, "agent.exited", { reason: "completed" })));
  rows.append(of("b", result(6, "same")));
  assert.deepEqual(flat(rows).map((row) => `${row.agent_id} ${row.kind}`), ["a run", "a call", "b run", "b call", "a lines", "b lines", "a end"]);
  assert.deepEqual(flat(rows).flatMap((row) => (row.kind === "call" ? [typeof row.outcome] : [])), ["string", "object"]);
});

test("what the agent was told is a row, whole, with who said it", () => {
  const told = (id: number, more: object) => event(id, "user_message", { text: "Do\nthis", by: "operator", source: "prompt", ...more });
  const rows = rowsOf(told(1, {}), call(2, "sub"), told(3, { by: "claude_code", source: "message", parent_tool_use_id: "sub" }));
  assert.deepEqual(rows.map((row) => row.kind === "user" && [row.text, row.by, row.source, row.depth]), [
    ["Do\nthis", "operator", "prompt", 0],
    false,
    ["Do\nthis", "claude_code", "message", 1],
  ]);
});

test("text that its author never ended says so", () => {
  const said = (id: number, broken_off?: boolean) => event(id, "agent_output", { text: "Half", stream: "assistant", broken_off });
  assert.deepEqual(rowsOf(said(1), said(2, true)).map((row) => row.kind === "say" && row.broken_off), [false, true]);
});

test("notices, warnings and errors: each as loud as it is", () => {
  const until = "2026-01-01T14:30:00.000Z";
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(new Date(until));
  const notice = (id: number, more: object) => event(id, "agent_notice", { kind: "other", level: "info", message: "Said", ...more });
  const given: [TownEvent, string, string][] = [
    [notice(1, {}), "plain", "Said"],
    [notice(2, { kind: "compaction_ended", message: "Summed up", tokens_before: 155_000, tokens_after: 12_000 }), "plain", "Summed up (from 155,000 to 12,000 tokens)"],
    [notice(3, { kind: "compaction_ended", message: "Summed up", tokens_after: 12_000 }), "plain", "Summed up (now 12,000 tokens)"],
    [{ ...notice(4, { kind: "rate_limit", level: "warning", message: "Limit reached", until }), at: until }, "warning", `Limit reached (until ${clock})`],
    [event(5, "agent_error", { code: "overloaded", message: "Busy", retryable: true }), "warning", "Busy (trying again)"],
    [event(6, "agent_error", { code: "warning", message: "Old" }), "warning", "Old"],
    [event(7, "agent_error", { code: "bad", message: "No credit" }), "bad", "No credit"],
    [event(8, "parser_notice", { kind: "redacted", count: 2, sample: "key" }), "plain", "2 secrets in the agent's output hidden"],
    [event(9, "parser_notice", { kind: "unknown", count: 1, sample: "{}" }), "warning", "1 line of the agent's output not understood"],
  ];
  for (const [one, tone, text] of given) {
    const [row] = rowsOf(one);
    assert.ok(row?.kind === "note", text);
    assert.deepEqual([row.tone, row.text, isProblem(row)], [tone, text, tone !== "plain"]);
  }
});

test("a sub-agent's figures are its own", () => {
  const usage = event(2, "agent_usage", { message_id: "m", input_tokens: 1, output_tokens: 2, parent_tool_use_id: "a" });
  const [, row] = rowsOf(call(1, "a"), usage);
  assert.ok(row?.kind === "note");
  assert.deepEqual([row.text, row.depth], ["A sub-agent read 1 token and wrote 2", 1]);
});
