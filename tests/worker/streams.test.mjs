// The rules of a WebSocket stream: where it begins, what it says when the asked-for history is gone, how it is talked
// to, and when it ends.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, startWorld } from "./harness.mjs";

const CAP = 40;

describe("a stream", () => {
  let world;
  let town;
  let all;
  const agentStream = (agent_id) => `${town.path}/container/agents/${agent_id}/stream`;
  const watch = async (stream, query) => {
    const viewer = await world.watch(stream, query);
    await viewer.untilCaughtUp();
    return viewer;
  };
  const note = (agent_id, data) => world.post(town, agent_id, [{ event_type: "note", data }]);

  before(async () => {
    world = await startWorld({ vars: { EVENT_CAP: CAP } });
    town = await world.town();
    for (const agent_id of ["one", "two"]) {
      await world.registerAgent(town, agent_id);
      for (let number = 0; number < 10; number += 1) must(await note(agent_id, number), 201);
    }
    const viewer = await world.watch(town.stream);
    await viewer.until("all that was posted", () => viewer.events.length === 20);
    viewer.cut();
    all = await world.pages(`${town.path}/events`);
  });
  after(() => world?.stop());

  it("says hello with the log's epoch and bounds, and the agents' states before the history", async () => {
    const viewer = await watch(town.stream);
    const page = must(await world.api("GET", `${town.path}/events?tail=1`));
    const { type, protocol, ...hello } = viewer.hello;
    assert.deepEqual([type, typeof protocol], ["hello", "number"]);
    const { epoch, head, oldest_id } = page;
    const settings = must(await world.api("GET", "/api/settings"));
    assert.deepEqual(hello, { town_id: town.town_id, epoch, head, oldest_id, reset: false, settings });
    assert.deepEqual([...viewer.states.keys()].sort(), ["one", "two"]);
    assert.deepEqual(viewer.framesOf("caught_up"), [{ type: "caught_up", id: head }]);
    viewer.cut();
  });

  it("begins where it is asked to", async () => {
    const middle = all[7].id;
    const cases = [
      [{ after_id: middle }, all.slice(8)],
      [{ after_id: 0 }, all],
      [{ after_id: all.at(-1).id }, []],
      [{ tail: 5 }, all.slice(-5)],
      [{ from: middle }, all.slice(7)],
      [{ from: middle + 1 }, all.slice(8)],
      [{ from: 0 }, all],
      [{ from: -7 }, all],
      [{ from: 999_999 }, []],
      [{ from: middle, after_id: 0 }, all.slice(7)],
    ];
    for (const [query, expected] of cases) {
      const viewer = await watch(town.stream, query);
      assert.deepEqual(viewer.events, expected, JSON.stringify(query));
      assert.equal(viewer.hello.reset, false, JSON.stringify(query));
      viewer.cut();
    }
  });

  it("begins at the start, and says so, when the cursor means nothing here", async () => {
    for (const query of [{ after_id: 999_999 }, { after_id: 3, epoch: "of-another-life" }]) {
      const viewer = await watch(town.stream, query);
      assert.deepEqual([viewer.hello.reset, viewer.events], [true, all], JSON.stringify(query));
      viewer.cut();
    }
  });

  it("of one agent holds that agent's events only", async () => {
    const viewer = await watch(agentStream("two"));
    assert.deepEqual(viewer.events, all.filter(({ agent_id }) => agent_id === "two"));
    assert.deepEqual([...viewer.states.keys()], ["two"]);
    viewer.cut();
  });

  it("of an agent that does not exist yet waits for it", async () => {
    const viewer = await watch(agentStream("three"));
    assert.deepEqual([viewer.events, viewer.closed], [[], null]);
    await world.registerAgent(town, "three");
    must(await note("three", "here I am"), 201);
    await viewer.until("its first event", () => viewer.events.some(({ data }) => data === "here I am"));
    viewer.cut();
  });

  it("changes its selection without a hole or a repeat", async () => {
    const viewer = await watch(town.stream, { after_id: all.at(-1).id });
    viewer.send({ type: "subscribe", agents: ["two"] });
    await viewer.until("the confirmation", () => viewer.framesOf("subscription_confirmed").length === 1);
    assert.deepEqual(viewer.framesOf("subscription_confirmed")[0].agents, ["two"]);
    must(await note("one", "not selected"), 201);
    must(await note("two", "selected"), 201);
    await viewer.until("the note", () => viewer.events.some(({ data }) => data === "selected"));
    assert.ok(!viewer.events.some(({ data }) => data === "not selected"));
    viewer.cut();
  });

  it("answers ping, and a bad message with an error, and lives on", async () => {
    const viewer = await watch(town.stream);
    viewer.send('{"type":"ping"}');
    await viewer.until("pong", () => viewer.framesOf("pong").length === 1);
    const bad = ["nonsense", "{}", "[]", '{"type":"dance"}', '{"type":"subscribe"}', '{"type":"subscribe","agents":[5]}'];
    bad.push('{"type":"ack","id":-1}', JSON.stringify({ type: "subscribe", agents: Array.from({ length: 101 }, (_, i) => `a${i}`) }));
    for (const [index, message] of bad.entries()) {
      viewer.send(message);
      await viewer.until(`an error for ${message.slice(0, 60)}`, () => viewer.framesOf("error").length === index + 1);
      const { code, message: words } = viewer.framesOf("error").at(-1);
      assert.ok(code.length > 0 && words.length > 0);
    }
    must(await note("one", "still there"), 201);
    await viewer.until("the note", () => viewer.events.some(({ data }) => data === "still there"));
    viewer.send(JSON.stringify({ type: "subscribe", agents: ["x".repeat(20_000)] }));
    await viewer.until("the end of the stream", () => viewer.closed !== null);
    assert.equal(viewer.closed.code, 1009);
  });

  it("takes no binary message, and lives on", async () => {
    const viewer = await watch(town.stream);
    viewer.sendBinary('{"type":"ping"}');
    await viewer.until("an error", () => viewer.framesOf("error").length === 1);
    viewer.send('{ "type": "ping" }');
    await viewer.until("pong", () => viewer.framesOf("pong").length === 1);
    viewer.cut();
  });

  it("ends for a viewer that talks without end, and for no other", async () => {
    const [viewer, other] = [await watch(town.stream, { tail: 0 }), await watch(town.stream, { tail: 0 })];
    for (let count = 0; count < 1_000; count += 1) viewer.send({ type: "subscribe", agents: [] });
    await viewer.until("the end of the stream", () => viewer.closed !== null);
    assert.equal(viewer.closed.code, 1008);
    must(await note("one", "for the quiet"), 201);
    await other.until("the note", () => other.events.some(({ data }) => data === "for the quiet"));
    other.cut();
  });

  it("of an agent stays open after the end of a run, or ends with it where it was asked to", async () => {
    await world.registerAgent(town, "ending");
    must(await note("ending", 1), 201);
    const [staying, leaving] = [await watch(agentStream("ending")), await watch(agentStream("ending"), { until: "exit" })];
    must(await world.post(town, "ending", [{ event_type: "agent.exited", data: { reason: "completed" } }]), 201);
    await leaving.until("the end of the stream", () => leaving.closed !== null);
    assert.equal(leaving.closed.code, 1000);
    assert.equal(leaving.events.at(-1).event, "agent.exited");
    await staying.untilExit();
    must(await note("ending", "again"), 201);
    await staying.until("the next run's event", () => staying.events.some(({ data }) => data === "again"));
    staying.cut();
  });

  it("tells of what was pruned, before what is left, and the state still fits", async () => {
    await world.registerAgent(town, "busy");
    const early = await watch(agentStream("busy"));
    for (let start = 0; start < 3 * CAP; start += 30) {
      const batch = Array.from({ length: 30 }, (_, index) => ({ event_type: "note", data: start + index }));
      must(await world.post(town, "busy", batch), 201);
      // Whoever keeps up is sent everything before it is pruned.
      await early.until("the batch", () => early.events.some(({ data }) => data === start + 29));
    }
    assert.deepEqual(early.framesOf("gap"), [], "who was there missed nothing");
    const late = await watch(agentStream("busy"));
    const [gap] = late.framesOf("gap");
    assert.deepEqual([gap?.agent_id, gap?.reason], ["busy", "pruned"]);
    assert.ok(gap.to < late.events[0].id && gap.from <= early.events[0].id);
    assert.ok(late.events.length <= CAP && late.events.length >= CAP / 2, `${late.events.length} events are kept of ${CAP}`);
    assert.deepEqual(late.events, early.events.slice(-late.events.length));
    assert.equal(gap.to, early.events.at(-late.events.length - 1).id);
    const page = must(await world.api("GET", `${town.path}/agents/busy/events?after_id=0`));
    assert.deepEqual([page.gaps.map(({ reason, to }) => [reason, to]), page.events], [[["pruned", gap.to]], late.events]);
    for (const viewer of [early, late]) viewer.cut();
  });
});
