// Agents that post and begin ever new runs: how many of them are open, how many begin in a minute, and what they are told.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, before, describe, it } from "node:test";

import { Command } from "./command_line.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { temporaryDirectory } from "./processes.mjs";
import { until } from "./until.mjs";

const OPEN_RUNS_MAX = 16;
const RUNS_PER_MINUTE_MAX = 60;

const first = (run_id) => ({ event_type: "note", run_id });
/** Of one agent each: another agent's run has its name for itself. */
const names = (letter, from, to) => Array.from({ length: to - from }, (_, index) => `${letter}${from + index}`);

describe("an agent that posts", () => {
  let world;
  let town;

  before(async () => {
    world = await startWorld({ control: false });
    town = await world.town();
  });
  after(() => world?.stop());

  const runs = async (agent_id) => must(await world.api("GET", `${town.path}/agents/${agent_id}/runs`));
  const open = async (agent_id) => (await runs(agent_id)).filter(({ exit }) => exit == null).map(({ run_id }) => run_id);
  const rigLog = async (agent_id) => must(await world.api("GET", `/api/rigs/${town.rig_id}/agents/${agent_id}/events?limit=1000`)).events;

  it("has 16 runs open: with one more the quietest ends, and its next post is told so, also over a kill right then", async () => {
    await world.registerAgent(town, "many");
    must(await world.post(town, "many", names("r", 0, OPEN_RUNS_MAX).map(first)), 201);
    must(await world.post(town, "many", [first("r0")]), 201);
    await until("all to be open", async () => (await open("many")).length === OPEN_RUNS_MAX);
    must(await world.post(town, "many", [first("one-more")]), 201);
    const ended = await until("an end", async () => (await runs("many")).find(({ exit }) => exit != null));
    await world.worker.kill();
    await world.worker.start();
    assert.deepEqual([ended.run_id, ended.exit.reason], ["r1", "lost"], "r0 was heard of behind it");
    assert.match(ended.exit.message, /^its agent began another run with 16 open, .* end each run with agent\.exited/);
    const refused = await until("the rig to know", async () => {
      const answer = await world.post(town, "many", [first("r1")]);
      return answer.status === 201 ? null : answer;
    });
    mustRefuse(refused, 409, "run_ended", "its agent began more runs than it may have open");
    assert.deepEqual(refused.error.details, { reason: "lost" });
    must(await world.post(town, "many", [first("r0")]), 201);
    assert.equal((await open("many")).length, OPEN_RUNS_MAX);
    const events = (await world.pages(`${town.path}/agents/many/events`)).filter(({ run_id }) => run_id === "r1");
    assert.deepEqual(events.map(({ event }) => event), ["note", "agent.exited"]);
  });

  it("begins 60 in a minute: one more is refused whole, with what to do and when, and what goes on is taken", async () => {
    await world.registerAgent(town, "fast");
    const token = await world.agentToken(town, "fast");
    must(await world.post(town, "fast", names("f", 0, RUNS_PER_MINUTE_MAX).map(first), { token }), 201);
    const before = (await rigLog("fast")).length;
    const refused = await world.post(town, "fast", [first("f59"), first("another")], { token });
    mustRefuse(refused, 429, "rate_limited", "post the events of one run under one run_id");
    const after_s = Number(refused.headers["retry-after"]);
    assert.ok(after_s > 30 && after_s <= 60, `${after_s}`);
    assert.equal((await rigLog("fast")).length, before, "nothing of it is stored");
    must(await world.post(town, "fast", [first("f59"), { event_type: "note" }], { token }), 201);
    await until("its runs", async () => (await runs("fast")).length === RUNS_PER_MINUTE_MAX);
    assert.deepEqual((await open("fast")).sort(), names("f", RUNS_PER_MINUTE_MAX - OPEN_RUNS_MAX, RUNS_PER_MINUTE_MAX).sort());
    const never = await world.post(town, "fast", names("f", 100, 100 + RUNS_PER_MINUTE_MAX + 1).map(first), { token });
    mustRefuse(never, 413, "too_large", "they begin 61 runs");
  });
});

describe("townwatch send", () => {
  it("comes again when it is told to, and loses nothing", async () => {
    const asked = [];
    const server = http.createServer((request, response) => {
      asked.push(performance.now());
      const say = (status, headers, body) => response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
      request.resume().on("end", () => {
        if (asked.length === 1) say(429, { "retry-after": "4" }, { success: false, error: { code: "rate_limited", message: "too many runs" } });
        else say(201, {}, { success: true, data: {} });
      });
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const there = { directory: temporaryDirectory(), secrets: { TOWNWATCH_API_KEY: "any" }, url: `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}` };
    const sent = new Command(there, ["send", "--rig", "rig", "--agent", "busy"]);
    try {
      sent.stdin.write("one\n");
      await until("a second try", () => asked.length >= 2, 20_000);
      const waited_ms = asked[1] - asked[0];
      assert.ok(waited_ms >= 3_900 && waited_ms < 8_000, `${waited_ms} ms`);
      sent.stdin.end();
      assert.equal(await sent.code(), 0, sent.stderr);
      assert.match(sent.stderr, /too many runs \(rate_limited\); events are kept until then/);
      assert.match(sent.stderr, /takes events again/);
    } finally {
      sent.kill("SIGKILL");
      server.closeAllConnections();
      server.close();
    }
  });
});
