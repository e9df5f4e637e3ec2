// A town in which nothing happens costs nothing, however many watch: the runtime takes the object out of memory by
// itself, pings do not bring it back, nothing wakes it, and the next event reaches everyone who still watches.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, startWorld } from "./harness.mjs";
import { isQuiet, metricsOf } from "./metrics.mjs";
import { ScriptedControl } from "./scripted_control.mjs";
import { sleep, until } from "./until.mjs";

const VIEWERS = 100;
/** The runtime lets an object with nothing but hibernating sockets go after 10 s; a loaded machine is late. */
const ASLEEP_MS = 25_000;

describe("an idle town with 100 open viewers", () => {
  let control;
  let world;
  let town;
  let awake;
  const viewers = [];
  const notes = (viewer) => viewer.events.filter(({ event }) => event === "note").map(({ data }) => data);

  before(async () => {
    control = await ScriptedControl.start();
    world = await startWorld({ control: false, vars: { CONTAINER_URL: control.url } });
    town = await world.town();
    await world.registerAgent(town, "poster");
    must(await world.post(town, "poster", [{ event_type: "note", data: "history" }]), 201);
    const streams = [town.stream, `${town.path}/container/agents/poster/stream`];
    for (let index = 0; index < VIEWERS; index += 1) {
      const acknowledges = index % 4 < 2;
      const viewer = await world.watch(streams[index % 2], acknowledges ? { flow: "ack" } : {});
      // Who neither acknowledges nor pings would be owed signs of life, for which an alarm wakes the town.
      if (!acknowledges) viewer.send('{"type":"ping"}');
      viewers.push(viewer);
    }
    for (const [index, viewer] of viewers.entries()) {
      await viewer.untilCaughtUp();
      await viewer.until("the history", () => notes(viewer).length === 1);
      if (index % 4 < 2) viewer.send({ type: "ack", id: viewer.last_id });
    }
  });
  after(async () => {
    for (const viewer of viewers) viewer.cut();
    await world?.stop();
    await control?.stop();
  });

  it("has asked no control server and has no alarm left", async () => {
    // The second change of state within half a second is sent by a timer: an alarm would wake the object again.
    const call = { tool_use_id: "t", tool: "Read", category: "Read", input: {}, summary: "Reading" };
    const result = { tool_use_id: "t", success: true, content: "", content_length: 0, duration_ms: 1 };
    must(await world.post(town, "poster", [{ event_type: "agent_tool_call", data: call }]), 201);
    await viewers[0].until("the call", () => viewers[0].events.some(({ event }) => event === "agent_tool_call"));
    must(await world.post(town, "poster", [{ event_type: "agent_tool_result", data: result }]), 201);
    const isOver = ({ outstanding_tool_calls }) => outstanding_tool_calls.length === 0;
    for (const viewer of viewers) {
      await viewer.until("the result", () => viewer.events.some(({ event }) => event === "agent_tool_result"));
      await viewer.until("the last state", () => isOver(viewer.states.get("poster")));
    }
    await until("no alarm soon", async () => isQuiet((awake = await metricsOf(world, town.path))));
    assert.equal(awake.alarms_set_total, 1, "the one at which the agent that posts would count as silent");
    assert.equal(awake.stream_viewers, VIEWERS);
    const frames = awake.stream_frames_sent_total;
    assert.ok(frames >= 4 * VIEWERS, `${frames} frames: hello, state, events, caught_up for each`);
    assert.ok(awake.stream_sent_bytes_total > 100 * frames, `${awake.stream_sent_bytes_total} bytes`);
    assert.equal(awake.relay_requests_total, 0);
    assert.deepEqual(control.requests, [], "watching starts nothing");
  });

  it("leaves memory by itself, answers pings asleep, and wakes for the next event", async (test) => {
    await sleep(ASLEEP_MS);
    for (let ping = 1; ping <= 3; ping += 1) {
      for (const viewer of viewers) viewer.send('{"type":"ping"}');
      for (const [index, viewer] of viewers.entries()) {
        const before = index % 4 < 2 ? 0 : 1;
        await viewer.until("pong", () => viewer.framesOf("pong").length === before + ping);
      }
      await sleep(1_000);
    }
    const posted_at_seconds = Date.now() / 1000;
    must(await world.post(town, "poster", [{ event_type: "note", data: "at last" }]), 201);
    for (const viewer of viewers) await viewer.until("the event", () => notes(viewer).length >= 2);
    await sleep(500);
    for (const viewer of viewers) {
      viewer.check();
      assert.deepEqual(notes(viewer), ["history", "at last"]);
      assert.deepEqual([viewer.connections, viewer.closed], [1, null]);
    }
    const woken = await metricsOf(world, town.path);
    const began = (metrics) => metrics.instance_start_time_seconds;
    test.diagnostic(`began at ${began(awake)}, again at ${began(woken)}, ${(began(woken) - posted_at_seconds).toFixed(3)} s after the post`);
    assert.ok(began(woken) > began(awake), "another instance");
    assert.ok(began(woken) >= posted_at_seconds, "which the event woke, and no ping before it");
    assert.equal(woken.stream_viewers, VIEWERS);
    assert.equal(woken.events_stored_total, 1);
  });

  it("then goes to sleep again: no alarm soon, and still nobody has asked the control server", async () => {
    await until("no alarm soon", async () => isQuiet(await metricsOf(world, town.path)));
    const { relay_requests_total } = await metricsOf(world, town.path);
    assert.equal(relay_requests_total, 0);
    assert.deepEqual(control.requests, []);
  });

  it("asks it as soon as a run is open: the count above can count", async () => {
    await world.startAgent(town, { agent_id: "runner", runtime: "process", command: ["true"] });
    await until("the relay's question", () => control.requests.includes("GET /events"));
    assert.ok((await metricsOf(world, town.path)).relay_requests_total > 0);
  });
});
