// The truth table: every recording of OpenCode and Kilo, streamed by a stand-in for their server through the real control
// server, tells exactly what the oracle reads from its raw bytes; also where the stream is cut again and again.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { unpaired } from "../oracle/events.mjs";
import { expectedOf, expectedOfMessages, RECORDINGS, seenOf } from "../oracle/opencode.mjs";
import { ControlServer } from "./control.mjs";

const FAKE = fileURLToPath(new URL("opencode_fake.mjs", import.meta.url));
const script = `exec '${process.execPath}' '${FAKE}' "$@"`;
let control;

before(async () => {
  control = await new ControlServer().start({ programs: { opencode: script, kilo: script }, env: { CONTROL_WAITING_SECONDS: "0" } });
});
after(() => control?.stop());

/** Runs a recording and answers its questions as they were answered. */
async function replay(agent, [program, name], env_vars = {}) {
  const truth = expectedOf(program, name);
  const env = { FAKE_RECORDING: `${program} ${name}`, ...env_vars };
  await control.run(agent, { runtime: program, prompt: "Please fix it.", env_vars: env });
  for (const [request_id, answer] of truth.answers) {
    const asked = ({ event, data }) => event === "agent_question" && data.request_id === request_id;
    await control.eventsUntil(agent, request_id, asked);
    const given = await control.call("POST", `/agents/${agent}/answer`, { request_id, answer, by: "operator" });
    assert.equal(given.status, 200, given.text);
  }
  return { truth, events: await control.ended(agent, 60_000) };
}

const sorted = (list) => [...list].sort((a, b) => (a.tool_use_id < b.tool_use_id ? -1 : 1));

function compare(truth, events, { order = true } = {}) {
  const seen = seenOf(events);
  const kinds = order ? ["results", "texts", "thoughts", "questions", "answers"] : ["questions", "answers"];
  for (const kind of ["session_id", "error", ...kinds]) assert.deepEqual(seen[kind], truth[kind], kind);
  // A call is told when it begins; the oracle has it where it was heard of last.
  assert.deepEqual(sorted(seen.calls), sorted(truth.calls));
  assert.deepEqual(sorted(seen.results), sorted(truth.results));
  const texts = (list) => list.map(({ text, parent }) => `${parent} ${text}`).sort();
  for (const kind of ["texts", "thoughts"]) assert.deepEqual(texts(seen[kind]), texts(truth[kind]), kind);
  const { cost_usd, ...tokens } = truth.usage;
  assert.ok(Math.abs(seen.usage.cost_usd - cost_usd) < 1e-9, `${seen.usage.cost_usd} is ${cost_usd} but for rounding`);
  assert.deepEqual({ ...seen.usage, cost_usd }, { ...tokens, cost_usd });
  assert.deepEqual(unpaired(events), []);
  assert.deepEqual(events.filter(({ event }) => event === "parser_notice"), []);
  // The turn that failed fails the run; one that was interrupted, or is over, has completed it.
  const failed = truth.error !== null && truth.error !== "The turn was interrupted";
  assert.deepEqual([events.exit.reason, events.exit.message], failed ? ["failed", truth.error] : ["completed", undefined]);
  const waits = events.filter(({ event, data }) => event === "agent.status" && data.status === "waiting");
  assert.ok(waits.length > truth.questions.length, "the end of the turn is a wait");
}

describe("a recording through the control server", () => {
  for (const [program, name] of RECORDINGS) {
    it(`${program} ${name} says what its raw bytes say`, async () => {
      const { truth, events } = await replay(`${program}-${name}`, [program, name]);
      compare(truth, events);
      const answers = events.filter(({ event }) => event === "agent_question_answered");
      assert.ok(answers.every(({ data }) => data.by === "operator"), JSON.stringify(answers));
      // Once more by the session that was read back over REST: the run's own part of it.
      const read = expectedOfMessages(program, name);
      const mine = (list) => list.filter(({ parent }) => parent === undefined).map(({ parent, ...rest }) => rest);
      const seen = seenOf(events);
      const ids = new Set(mine(seen.calls).map(({ tool_use_id }) => tool_use_id));
      assert.deepEqual(sorted(mine(seen.calls)), sorted(read.calls));
      const results = seen.results.filter(({ tool_use_id }) => ids.has(tool_use_id)).map(({ tool_use_id, text }) => ({ tool_use_id, text }));
      assert.deepEqual(sorted(results), sorted(read.results));
      assert.deepEqual(mine(seen.texts).map(({ text }) => text).sort(), [...read.texts].sort());
      assert.deepEqual(mine(seen.thoughts).map(({ text }) => text).sort(), [...read.thoughts].sort());
    });
  }
});

describe("a run whose agent waits", () => {
  let patient;

  before(async () => {
    patient = await new ControlServer().start({ programs: { opencode: script } });
  });
  after(() => patient?.stop());

  const start = async (agent, order) => {
    const env_vars = { FAKE_RECORDING: "opencode basic" };
    await patient.run(agent, { runtime: "opencode", prompt: "Please.", env_vars, ...order });
    await patient.eventsUntil(agent, "the end of the turn", ({ event, data }) => event === "agent.status" && data.status === "waiting");
  };

  it("has completed when the time that it was given is over", async () => {
    await start("late", { timeout_seconds: 6 });
    const { exit } = await patient.ended("late");
    assert.deepEqual(exit, { reason: "completed" });
  });

  it("is stopped, and ends once", async () => {
    await start("stopped", {});
    assert.equal((await patient.call("GET", "/agents/stopped/status")).json.status, "waiting");
    await Promise.all([1, 2, 3].map(() => patient.call("POST", "/agents/stopped/stop")));
    const events = await patient.ended("stopped");
    assert.deepEqual(events.exit, { reason: "stopped", message: "it was stopped" });
    assert.equal(events.filter(({ data }) => data.status === "stopping").length, 1);
  });
});

describe("a stream that is cut again and again", () => {
  for (const [index, [program, name]] of RECORDINGS.entries()) {
    it(`${program} ${name} loses and repeats nothing`, async () => {
      const agent = `cut-${program}-${name}`;
      const log = join(control.directory, `${agent}.jsonl`);
      const cuts = name === "volume320" ? 40 : 6;
      const { truth, events } = await replay(agent, [program, name], { FAKE_CUTS: String(cuts), FAKE_SEED: String(index), FAKE_LOG: log });
      compare(truth, events, { order: false });
      const streams = readFileSync(log, "utf8").split("\n").filter((line) => line.includes('"url":"/event"'));
      assert.ok(streams.length > 1, `the stream was opened ${streams.length} times`);
    });
  }

  for (const program of ["opencode", "kilo"]) {
    it(`${program} goes on where its messages arrive when its turn is over`, async () => {
      const { truth, events } = await replay(`late-${program}`, [program, "basic"], { FAKE_LATE_MESSAGES: "1" });
      compare(truth, events, { order: false });
    });
  }

  it("is over, although its turn never began and the server says nothing but that", async () => {
    const env_vars = { FAKE_RECORDING: "opencode basic", FAKE_PAUSE_MS: "3600000" };
    await control.run("never", { runtime: "opencode", prompt: "Please.", env_vars });
    const { exit } = await control.ended("never", 20_000);
    assert.deepEqual(exit, { reason: "completed" });
  });

  // A server that has taken a prompt says that it is idle until the turn begins; 2 s are more than the last words of a
  // turn get.
  for (const program of ["opencode", "kilo"]) {
    it(`${program} is not taken for idle between the prompt and its turn`, async () => {
      const { truth, events } = await replay(`before-the-turn-${program}`, [program, "basic"], { FAKE_PAUSE_MS: "2000" });
      compare(truth, events, { order: false });
      const waits = events.filter(({ event, data }) => event === "agent.status" && data.status === "waiting");
      assert.equal(waits.length, 1, "it waits once, at the end of its turn");
    });
  }
});
