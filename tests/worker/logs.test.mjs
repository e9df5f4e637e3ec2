// What an operator finds in the Worker's log: one line of JSON for each connection and each run, none per event, and
// nothing that would be worth stealing.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { expectedOf } from "../oracle/claude_code.mjs";
import { startWorld } from "./harness.mjs";
import { until } from "./until.mjs";

describe("the log", () => {
  let world;
  let town;
  let agent;
  const lines = () =>
    world.worker.log.split("\n").flatMap((line) => {
      const json = /\{.*\}/.exec(line)?.[0];
      try {
        return json === undefined ? [] : [JSON.parse(json)];
      } catch {
        return [];
      }
    });
  const named = (event) => lines().filter((line) => line.event === event);

  before(async () => {
    world = await startWorld({ evictable: true });
    town = await world.town();
    const viewer = await world.watch(town.stream);
    agent = await world.startAgent(town, { runtime: "replay", transcript: "volume320", speed: 0 });
    await viewer.untilExit(agent.run_id);
    viewer.send('{"type":"ping"}');
    await viewer.until("pong", () => viewer.framesOf("pong").length === 1);
    viewer.leave();
  });
  after(() => world?.stop());

  it("has one line for each connect, disconnect, start and end of a run", async () => {
    await until("the disconnect", () => named("disconnect").length > 0);
    for (const event of ["connect", "disconnect", "run_started", "run_ended"]) assert.equal(named(event).length, 1, event);
    const [end] = named("run_ended");
    assert.deepEqual([end.run_id, end.reason], [agent.run_id, "completed"]);
  });

  it("says how long ago a viewer that left had last pinged, which no frame of ours answered", async () => {
    const [{ pinged_ms_ago }] = named("disconnect");
    assert.ok(/^\d+$/.test(pinged_ms_ago) && Number(pinged_ms_ago) < 60_000, pinged_ms_ago);
    const viewer = await world.watch(town.stream);
    await viewer.untilCaughtUp();
    viewer.leave();
    await until("the disconnect", () => named("disconnect").length === 2);
    assert.equal(named("disconnect")[1].pinged_ms_ago, "never");
  });

  it("has none per event, and no word of what the agent wrote", () => {
    assert.ok(lines().length <= 12, `${lines().length} lines for ${expectedOf("volume320").steps.length} events and more`);
    for (const text of expectedOf("volume320").texts.filter((one) => one.length > 8)) assert.ok(!world.worker.log.includes(text));
  });

  it("holds no secret", () => {
    for (const [name, value] of Object.entries(world.secrets)) assert.ok(!world.worker.log.includes(value), name);
    assert.doesNotMatch(world.worker.log, /ticket=(?!…|\*)[A-Za-z0-9_-]{16,}/);
  });
});
