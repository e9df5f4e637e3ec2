// A Durable Object leaves memory whenever the platform likes, while its viewers' sockets stay open. Each viewer gets
// the next event exactly once all the same.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, startWorld } from "./harness.mjs";
import { sleep, until } from "./until.mjs";
import { Viewer } from "./viewer.mjs";

describe("eviction while the pace holds an event back", () => {
  let world;
  before(async () => {
    world = await startWorld({ evictable: true, vars: { STREAM_RATE_LIMIT: 1, STREAM_BATCH_MS: 1_000 } });
  });
  after(() => world?.stop());

  it("loses nothing: what is held back comes once", async () => {
    const town = await world.town();
    await world.registerAgent(town, "poster");
    const viewer = await world.watch(town.stream);
    await viewer.untilCaughtUp();
    for (let round = 1; round <= 3; round += 1) {
      for (const data of ["at once", "held back"]) {
        must(await world.post(town, "poster", [{ event_type: "note", data }]), 201);
        await until("the town to have it", async () => must(await world.api("GET", `${town.path}/events?tail=1`)).events[0]?.data === data);
      }
      await world.worker.evict("Town", town.town_id);
      must(await world.post(town, "poster", [{ event_type: "note", data: "after" }]), 201);
      await viewer.until("all three", () => viewer.events.length === 3 * round);
      assert.deepEqual(viewer.events.slice(-3).map(({ data }) => data), ["at once", "held back", "after"]);
      await sleep(1_100);
    }
    assert.deepEqual([viewer.connections, viewer.closed], [1, null]);
  });
});

describe("eviction with open sockets", () => {
  let world;
  let town;
  const viewers = [];
  const notes = (viewer) => viewer.events.filter(({ event }) => event === "note").map(({ data }) => data);
  const evict = async (className, name) => {
    await sleep(300); // an eviction in the middle of a turn stops that turn and waits for it, 20 s long
    await until(`the eviction of ${className} ${name}`, () => world.worker.evict(className, name), 40_000);
  };

  before(async () => {
    world = await startWorld({ evictable: true });
    town = await world.town();
    await world.registerAgent(town, "poster");
    const agentStream = `${town.path}/container/agents/poster/stream`;
    viewers.push(await world.watch(town.stream), await world.watch(agentStream), await world.watch(town.stream, { tail: 3 }));
    for (const viewer of viewers) await viewer.untilCaughtUp();
  });
  after(() => world?.stop());

  it("of the town: each viewer gets the next event once, again and again", async () => {
    for (let round = 1; round <= 4; round += 1) {
      await evict("Town", town.town_id);
      must(await world.post(town, "poster", [{ event_type: "note", data: `town ${round}` }]), 201);
      for (const viewer of viewers) {
        await viewer.until(`note ${round}`, () => notes(viewer).length >= round);
        assert.equal(notes(viewer).at(-1), `town ${round}`);
        assert.equal(notes(viewer).length, round);
      }
    }
    assert.ok(viewers.every((viewer) => viewer.connections === 1 && viewer.closed === null));
  });

  it("of the rig: what was posted before is known, what comes after arrives once", async () => {
    const event = { event_type: "note", data: "kept", event_id: "kept-1" };
    assert.deepEqual(must(await world.post(town, "poster", [event]), 201).appended, 1);
    await viewers[0].until("the note", () => notes(viewers[0]).includes("kept"));
    await evict("Rig", town.rig_id);
    const receipt = must(await world.post(town, "poster", [event, { event_type: "note", data: "after" }]), 201);
    assert.deepEqual([receipt.appended, receipt.duplicates], [1, 1]);
    for (const viewer of viewers) {
      await viewer.until("the note after", () => notes(viewer).includes("after"));
      assert.equal(notes(viewer).filter((note) => note === "kept").length, 1);
    }
  });

  it("keeps what a viewer chose: its agents, its filters, its cursor", async () => {
    const viewer = await world.watch(town.stream);
    await viewer.untilCaughtUp();
    viewer.send({ type: "subscribe", agents: ["quiet"] });
    await viewer.until("the confirmation", () => viewer.framesOf("subscription_confirmed").length === 1);
    await world.registerAgent(town, "quiet");
    await evict("Town", town.town_id);
    must(await world.post(town, "poster", [{ event_type: "note", data: "not for it" }]), 201);
    must(await world.post(town, "quiet", [{ event_type: "note", data: "for it" }]), 201);
    const seen = viewer.events.length;
    await viewer.until("its note", () => notes(viewer).includes("for it"));
    assert.deepEqual(viewer.events.slice(seen).map(({ agent_id }) => agent_id), viewer.events.slice(seen).map(() => "quiet"));
  });

  it("answers ping without waking the object", async () => {
    await evict("Town", town.town_id);
    viewers[0].send('{"type":"ping"}');
    await viewers[0].until("pong", () => viewers[0].framesOf("pong").length === 1);
  });

  it("after a run: the next run's events reach viewers who sat through the eviction", async () => {
    const first = await world.startAgent(town, { agent_id: "runner", runtime: "replay", transcript: "basic", speed: 0 });
    await viewers[0].untilExit(first.run_id);
    await evict("Town", town.town_id);
    const second = await world.startAgent(town, { agent_id: "runner", runtime: "replay", transcript: "parallel", speed: 0 });
    await viewers[0].untilExit(second.run_id);
    const late = await Viewer.open(world, town.stream);
    await late.untilExit(second.run_id);
    assert.deepEqual(viewers[0].events, late.events);
  });
});
