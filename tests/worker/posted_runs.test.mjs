// Agents that post and begin ever new runs: how many of them are open and what they are told.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, mustRefuse, startWorld } from "./harness.mjs";
import { until } from "./until.mjs";

const OPEN_RUNS_MAX = 16;

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
});
