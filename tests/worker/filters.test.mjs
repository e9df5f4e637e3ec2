// What a viewer does not want to see: each filter hides what it names, in history as live, and nothing else.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, startWorld } from "./harness.mjs";

const FILTERS = {
  tool_calls: { event_type: "agent_tool_call", data: { tool_use_id: "t", tool: "Read", category: "Read", input: {}, summary: "s" } },
  tool_results: { event_type: "agent_tool_result", data: { tool_use_id: "t", success: true, content: "", content_length: 0, duration_ms: 1 } },
  output: { event_type: "agent_output", data: { text: "x", stream: "assistant" } },
  files: { event_type: "file_changed", data: { path: "p", action: "created" } },
  progress: { event_type: "progress_update", data: { percentage: null, current_phase: "p", tool_call_count: 0, elapsed_seconds: 1 } },
};
const ALWAYS = [
  { event_type: "agent.status", data: { status: "running" } },
  { event_type: "agent_question", data: { request_id: "q", kind: "permission", detail: "d", options: ["once"] } },
  { event_type: "agent_question_answered", data: { request_id: "q", answer: "once", by: "operator" } },
  { event_type: "agent_error", data: { code: "c", message: "m" } },
  { event_type: "agent_usage", data: { message_id: "m", input_tokens: 1, output_tokens: 1 } },
  { event_type: "never_heard_of", data: [1] },
];
const BATCH = [...Object.values(FILTERS), ...ALWAYS, { event_type: "agent.exited", data: { reason: "completed" } }];
const names = (events) => events.map(({ event }) => event);
const allBut = (...hidden) => BATCH.map(({ event_type }) => event_type).filter((name) => !hidden.includes(name));

describe("filters", () => {
  let world;
  let town;
  let start;
  const agents = ["one", "two"];

  before(async () => {
    world = await startWorld();
    town = await world.town();
    for (const agent_id of agents) await world.registerAgent(town, agent_id);
    const viewer = await world.watch(town.stream);
    await viewer.untilCaughtUp();
    await postTo("two", viewer);
    start = viewer.last_id;
    viewer.cut();
  });
  after(() => world?.stop());

  /** Posts the batch and waits until the viewer has the end of it. */
  async function postTo(agent_id, viewer) {
    const seen = viewer.events.length;
    must(await world.post(town, agent_id, BATCH), 201);
    await viewer.until("the end", () => viewer.events.slice(seen).some(({ event }) => event === "agent.exited"));
    return viewer.events.slice(seen);
  }

  async function subscribed(message) {
    const viewer = await world.watch(town.stream, { tail: 0 });
    await viewer.untilCaughtUp();
    viewer.send({ type: "subscribe", ...message });
    await viewer.until("the confirmation", () => viewer.framesOf("subscription_confirmed").length === 1);
    return viewer;
  }

  for (const [filter, { event_type }] of Object.entries(FILTERS)) {
    it(`${filter} hides ${event_type}, and nothing else, in history as live`, async () => {
      const live = await subscribed({ agents: ["one"], filters: { [filter]: false } });
      const [{ filters, agents: of }] = live.framesOf("subscription_confirmed");
      assert.deepEqual([filters[filter], Object.values(filters).filter((shown) => !shown).length, of], [false, 1, ["one"]]);
      assert.deepEqual(live.events, [], "without after_id there is no history");
      assert.deepEqual(names(await postTo("one", live)), allBut(event_type));
      assert.ok(live.batches.every(({ backfill }) => !backfill));

      const late = await subscribed({ agents: ["one"], after_id: start, filters: { [filter]: false } });
      await late.until("the last of it", () => late.last_id === live.last_id);
      assert.ok(late.batches.every(({ backfill }) => backfill));
      const page = must(await world.api("GET", `${town.path}/agents/one/events?after_id=${start}&limit=1000`));
      assert.deepEqual(late.events, page.events.filter(({ event }) => event !== event_type));
      for (const viewer of [live, late]) viewer.cut();
    });
  }

  it("can be all set, and taken back by the next subscribe", async () => {
    const none = Object.fromEntries(Object.keys(FILTERS).map((filter) => [filter, false]));
    const viewer = await subscribed({ agents: "*", filters: none });
    const hidden = Object.values(FILTERS).map(({ event_type }) => event_type);
    assert.deepEqual(names(await postTo("one", viewer)), allBut(...hidden));
    viewer.send({ type: "subscribe", agents: "*" });
    await viewer.until("the confirmation", () => viewer.framesOf("subscription_confirmed").length === 2);
    assert.deepEqual(names(await postTo("two", viewer)), allBut());
    viewer.cut();
  });

  it("wrong ones, and too many agents, are told so and change nothing", async () => {
    const viewer = await subscribed({ agents: ["one"], filters: { output: false } });
    const many = (count) => Array.from({ length: count }, (_, index) => `agent-${index}`);
    const bad = [
      { type: "subscribe", agents: ["one"], filters: { output: "no" } },
      { type: "subscribe", agents: ["one"], after_id: "5" },
      { type: "subscribe", agents: ["one"], after_id: -1 },
      { type: "subscribe", agents: "one" },
      { type: "subscribe", agents: many(101) },
      { type: "subscribe" },
      { type: "subscribe", agents: ["one"], filters: { outputs: false } },
    ];
    for (const [index, message] of bad.entries()) {
      viewer.send(message);
      await viewer.until(`an error for ${JSON.stringify(message).slice(0, 90)}`, () => viewer.framesOf("error").length === index + 1, 5_000);
      const { code, message: words, frame, at } = viewer.framesOf("error").at(-1);
      assert.deepEqual([code, frame, words.split(":")[0]], ["invalid_request", "subscribe", "subscribe"], words);
      assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000, at);
    }
    assert.match(viewer.framesOf("error").at(-1).message, /"outputs": no such filter.*output/);
    assert.deepEqual(names(await postTo("one", viewer)), allBut("agent_output"));
    viewer.send({ type: "subscribe", agents: many(100) });
    await viewer.until("the confirmation", () => viewer.framesOf("subscription_confirmed").length === 2);
    assert.deepEqual(viewer.framesOf("subscription_confirmed")[1].agents, many(100).sort());
    viewer.cut();
  });
});
