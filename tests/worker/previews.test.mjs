// What an agent is typing right now: parts that add up to the message, only for those at the head, none after it.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { EventSource } from "./event_source.mjs";
import { startWorld } from "./harness.mjs";

/** Adds up parts as the contract has it; gives the messages' texts so far, by id. */
function joined(things) {
  const texts = new Map();
  const ended = new Set();
  for (const thing of things) {
    if (thing.type !== "preview") {
      // What was thought before it is of the same message, and has no previews.
      const isText = thing.event === "agent_output" && thing.data.stream !== "thinking";
      if (isText && thing.data.message_id) ended.add(thing.data.message_id);
      if (thing.event === "agent.exited") ended.add("all");
      continue;
    }
    const { message_id, offset, text } = thing;
    assert.ok(!ended.has(message_id) && !ended.has("all"), `a part of ${message_id} after its message`);
    const before = texts.get(message_id) ?? "";
    if (offset === 0) texts.set(message_id, text.length >= before.length ? text : text + before.slice(text.length));
    else if (offset <= before.length) texts.set(message_id, before.slice(0, offset) + text);
    // Else a part is missing, and it waits for one that begins anew.
  }
  return texts;
}

describe("previews", () => {
  let world;
  let town;
  let run_id;
  const got = {};
  /** Whole texts of the messages, as the events have them. */
  const whole = new Map();

  before(async () => {
    // A window of one event: who does not acknowledge it is not at the head.
    world = await startWorld({ vars: { STREAM_WINDOW_EVENTS: 1 } });
    town = await world.town();
    const stream = `${town.path}/container/agents/typist/stream`;
    const headers = { authorization: `Bearer ${world.secrets.TOWNWATCH_API_KEY}` };
    got.source = await EventSource.open(`${world.url}${stream}`, headers);
    got.head = await world.watch(town.stream);
    got.behind = await world.watch(stream, { flow: "ack" });
    got.other = await world.watch(`${town.path}/container/agents/someone/stream`);
    got.filtered = await world.watch(town.stream);
    got.filtered.send({ type: "subscribe", agents: "*", filters: { output: false } });
    await got.filtered.until("the confirmation", () => got.filtered.framesOf("subscription_confirmed").length === 1);
    // All that comes, in its order.
    got.all = [];
    got.head.onEach = (thing) => got.all.push(thing);
    ({ run_id } = await world.startAgent(town, { agent_id: "typist", runtime: "replay", transcript: "basic", speed: 0.15 }));
    await got.head.untilExit(run_id);
    await got.source.until("the end", () => got.source.events.some(({ event }) => event === "agent.exited"));
    for (const { event, data } of got.head.events) {
      if (event !== "agent_output" || !data.message_id) continue;
      whole.set(data.message_id, [...(whole.get(data.message_id) ?? []), data.text]);
    }
  });
  after(() => world?.stop());

  it("add up to what the message then says, on a socket as on an event stream", () => {
    const messages = got.source.messages.map(({ event, data }) => (event === "preview" ? JSON.parse(data) : { ...JSON.parse(data), event }));
    for (const [who, things] of [["socket", got.all], ["event stream", messages]]) {
      const texts = joined(things);
      assert.ok(texts.size > 0, `${who}: something was typed`);
      for (const [message_id, text] of texts) {
        const said = whole.get(message_id);
        assert.ok(said?.some((one) => one.startsWith(text)), `${who}: ${JSON.stringify(text)} of ${JSON.stringify(said)}`);
      }
      assert.ok(things.filter(({ type }) => type === "preview").every((preview) => preview.run_id === run_id));
    }
    const longest = Math.max(...[...joined(got.all).values()].map(({ length }) => length));
    assert.ok(longest > 20, `${longest} characters were seen before their message`);
  });

  it("do not come to who is behind, watches others or wants no output", () => {
    assert.ok(got.behind.framesOf("backpressure").length > 0, "it is behind");
    assert.deepEqual(got.other.framesOf("preview"), []);
    assert.deepEqual(got.filtered.framesOf("preview"), []);
    const paused = got.behind.frames.findIndex(({ type }) => type === "backpressure");
    assert.deepEqual(got.behind.frames.slice(paused).filter(({ type }) => type === "preview"), []);
  });

  it("are in no page and in no history", async () => {
    const late = await world.watch(town.stream);
    await late.untilCaughtUp();
    assert.deepEqual(late.framesOf("preview"), []);
    assert.deepEqual(late.events, got.head.events);
    late.cut();
  });
});
