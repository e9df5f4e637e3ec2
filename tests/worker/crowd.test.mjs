// Many viewers, and viewers with much to read. The bounds are ten times those of the benchmarks (bench/), so that they
// hold on a busy machine too: what misses them has become slower by an order of magnitude.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { Crowd } from "../../bench/lib/crowd.mjs";
import { must, startWorld } from "./harness.mjs";
import { until } from "./until.mjs";

const EVENTS = 2_000;
const VIEWERS = 300;

describe("a crowd of viewers", () => {
  let world;
  let town;
  let crowd;
  const post = (count) =>
    world.post(town, "poster", Array.from({ length: count }, () => ({ event_type: "note", data: { text: "x".repeat(60) } })));

  before(async () => {
    world = await startWorld({ bare: true, control: false, vars: { EVENT_CAP: 2 * EVENTS } });
    town = await world.town();
    await world.registerAgent(town, "poster");
    for (let posted = 0; posted < EVENTS; posted += 500) must(await post(500), 201);
    await until("all events", async () => must(await world.api("GET", town.path)).head === EVENTS);
    crowd = new Crowd(world);
  });
  after(async () => {
    crowd?.stop();
    await world?.stop();
  });

  it("has 2,000 events of history within half a second", async () => {
    const times = [];
    for (let time = 0; time < 5; time += 1) {
      times.push((await crowd.open(town.stream, [0])).took_ms);
      await crowd.untilAllHave(EVENTS, 5_000);
      await crowd.leave();
    }
    assert.ok(Math.min(...times) < 500, `${times} ms`);
  });

  it("comes back at once, each with a cursor and a ticket of its own, and is current within 20 seconds", async () => {
    const cursors = Array.from({ length: VIEWERS }, (_, index) => Math.floor((index * EVENTS) / VIEWERS));
    const tickets = await Promise.all(cursors.map(() => world.ticket(town.stream)));
    const { took_ms } = await crowd.open(town.stream, cursors, { tickets });
    assert.ok(took_ms < 20_000, `${took_ms} ms`);
    await crowd.untilAllHave(EVENTS, 5_000);
  });

  it("gets what is posted then, each of it all, in order, once", async () => {
    for (let posted = 0; posted < 500; posted += 25) must(await post(25), 201);
    const { viewers, events } = await crowd.untilAllHave(EVENTS + 500, 20_000);
    const history = Array.from({ length: VIEWERS }, (_, index) => EVENTS - Math.floor((index * EVENTS) / VIEWERS));
    assert.deepEqual([viewers, events], [VIEWERS, history.reduce((sum, one) => sum + one, 0) + 500 * VIEWERS]);
  });
});
