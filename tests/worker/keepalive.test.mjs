// Signs of life for sockets that do not ping: one after 30 s of silence, also over a sleep of the town, and none, nor
// an alarm, for those that ping.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, startWorld } from "./harness.mjs";
import { metricsOf } from "./metrics.mjs";
import { sleep, until } from "./until.mjs";

describe("signs of life", { concurrency: true }, () => {
  let world;

  before(async () => {
    world = await startWorld({ control: false });
  });
  after(() => world?.stop());

  /** A town in which nothing happens. */
  const quietTown = async () => {
    const town = await world.town();
    await world.registerAgent(town, "one");
    return town;
  };

  it("come to who does not ping, one text for all, though the town sleeps in between", async () => {
    const town = await quietTown();
    const began = Date.now();
    const viewers = [await world.watch(town.stream), await world.watch(`${town.path}/container/agents/one/stream`)];
    const acks = await world.watch(town.stream, { flow: "ack" });
    for (const viewer of viewers) await viewer.until("a sign of life", () => viewer.framesOf("heartbeat").length === 1, 50_000);
    const first = Date.now() - began;
    assert.ok(first > 15_000 && first < 45_000, `the first after ${first} ms`);
    const [one, other] = viewers.map((viewer) => viewer.framesOf("heartbeat")[0]);
    assert.deepEqual(one, other);
    assert.deepEqual([one.id, Math.abs(Date.parse(one.at) - Date.now()) < 20_000], [viewers[0].hello.head, true]);
    assert.deepEqual(acks.framesOf("heartbeat"), [], "who acknowledges speaks the contract, and pings");
    for (const viewer of [...viewers, acks]) {
      viewer.check();
      assert.equal(viewer.closed, null);
      viewer.leave();
    }
  });

  it("cost no alarm where everybody pings", async () => {
    const town = await quietTown();
    const viewer = await world.watch(town.stream);
    viewer.send('{"type":"ping"}');
    await viewer.until("pong", () => viewer.framesOf("pong").length === 1);
    await sleep(2_000);
    const { alarms_set_total, alarm_time_seconds } = await metricsOf(world, town.path);
    assert.deepEqual([alarms_set_total, alarm_time_seconds], [0, 0]);
    await sleep(33_000);
    assert.deepEqual(viewer.framesOf("heartbeat"), []);
    viewer.leave();
  });

  it("end with the last who needs them", async () => {
    const town = await quietTown();
    const viewer = await world.watch(town.stream);
    await until("an alarm", async () => (await metricsOf(world, town.path)).alarm_time_seconds > 0);
    viewer.leave();
    await until("no alarm", async () => (await metricsOf(world, town.path)).alarm_time_seconds === 0, 50_000);
    must(await world.post(town, "one", [{ event_type: "note" }]), 201);
  });
});
