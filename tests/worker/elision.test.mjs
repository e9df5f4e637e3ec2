// Viewers who do not keep up and do not say so: what does not matter so much is left out, and they are told; who
// acknowledges misses nothing.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, startWorld } from "./harness.mjs";

const SPARED = ["agent_output", "progress_update", "file_changed", "agent_tool_result"];
/** A batch is then 3 MB: also a slow machine posts more than the 1 MiB a second by which a bucket fills. */
const padding = "x".repeat(7_000);
const ROUNDS = 4;
const call = (number) => ({
  event_type: "agent_tool_call",
  data: { tool_use_id: `c${number}`, tool: "Read", category: "Read", input: {}, summary: "Reading a" },
});
/** Mostly output, and one in ten that must not be missed. */
const mixed = Array.from({ length: 500 }, (_, index) => {
  if (index % 10 === 9) return call(index);
  if (index % 10 === 8) return { event_type: "agent_tool_result", data: { tool_use_id: "c", success: true, content: padding } };
  if (index % 10 === 7) return { event_type: "progress_update", data: { percentage: null, current_phase: padding } };
  return { event_type: "agent_output", data: { text: padding, stream: "assistant" } };
});
const largeCalls = Array.from({ length: 500 }, (_, number) => {
  const { event_type, data } = call(number);
  return { event_type, data: { ...data, input: { padding } } };
});

/** A viewer that acknowledges whatever it gets. */
async function acknowledging(world, stream) {
  const viewer = await world.watch(stream, { flow: "ack", tail: 0 });
  let acknowledged = 0;
  const timer = setInterval(() => {
    if (viewer.closed !== null || viewer.last_id === acknowledged) return;
    acknowledged = viewer.last_id;
    viewer.send({ type: "ack", id: acknowledged });
  }, 10);
  timer.unref();
  await viewer.untilCaughtUp();
  return viewer;
}

describe("a viewer that acknowledges nothing while more happens than its bucket holds", () => {
  let world;
  before(async () => {
    world = await startWorld({ vars: { EVENT_CAP: 50_000 } });
  });
  after(() => world?.stop());

  it("gets all that matters, and knows of every event that it was spared", async () => {
    const town = await world.town();
    const agents = ["one", "two"];
    for (const agent_id of agents) await world.registerAgent(town, agent_id);
    const silent = await world.watch(town.stream, { tail: 0 });
    await silent.untilCaughtUp();
    const beside = await acknowledging(world, town.stream);
    for (let round = 0; round < ROUNDS; round += 1) {
      const receipts = agents.map(async (agent_id) => must(await world.post(town, agent_id, mixed), 201));
      await Promise.all(receipts);
    }
    await beside.until("all that was posted", () => beside.events.length === ROUNDS * 1_000, 60_000);
    assert.deepEqual(beside.framesOf("gap"), [], "who acknowledges is spared nothing");

    const ends = ({ to }) => to;
    const known = () => Math.max(silent.last_id, ...silent.framesOf("gap").map(ends));
    await silent.until("word of the last event", () => known() === beside.last_id, 60_000);
    const gaps = silent.framesOf("gap");
    assert.ok(gaps.length > 0 && gaps.every(({ reason }) => reason === "elided"), "more was posted than a bucket holds");
    const log = new Map(beside.events.map((event) => [event.id, event]));
    const missing = new Set();
    for (const { agent_id, from, to, count } of gaps) {
      const its = [...log.values()].filter((event) => event.agent_id === agent_id && event.id >= from && event.id <= to);
      assert.equal(its.length, count);
      for (const { id, event } of its) {
        assert.ok(SPARED.includes(event), `${event} is never left out`);
        assert.ok(!silent.texts.has(id) && !missing.has(id), `${id} is missing once, or not at all`);
        missing.add(id);
      }
    }
    assert.equal(silent.events.length + missing.size, log.size);
    for (const [id, text] of silent.texts) assert.equal(text, beside.texts.get(id));
    assert.equal(silent.closed, null);
    for (const viewer of [silent, beside]) viewer.cut();
  });

  it("is let go with 1013 when even what matters is more, and gets it after it has come back", async () => {
    const town = await world.town();
    await world.registerAgent(town, "caller");
    const silent = await world.watch(town.stream);
    await silent.untilCaughtUp();
    const beside = await acknowledging(world, town.stream);
    let posted = 0;
    for (; posted < 60 * 500 && silent.closed === null; posted += 500) must(await world.post(town, "caller", largeCalls), 201);
    await silent.until("the end of the stream", () => silent.closed !== null);
    assert.equal(silent.closed.code, 1013);
    assert.match(silent.closed.reason, /flow=ack/, "it says what helps");
    assert.deepEqual(silent.framesOf("gap"), [], "none of it was left out");
    await beside.until("all that was posted", () => beside.events.length === posted, 60_000);
    assert.deepEqual([beside.closed, beside.framesOf("gap")], [null, []]);
    await silent.connect();
    await silent.until("all that was posted", () => silent.events.length === posted, 60_000);
    assert.deepEqual([...silent.texts], [...beside.texts]);
    for (const viewer of [silent, beside]) viewer.cut();
  });
});
