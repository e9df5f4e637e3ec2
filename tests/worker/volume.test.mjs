// 322 tool calls of a real agent, watched by viewers who come early, late, midway and with bad luck: all get exactly
// the same events in the same order, which is the order of the agent's stdout. What that order is, the oracle says.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { expectedOf } from "../oracle/claude_code.mjs";
import { stepsSeen, unpaired } from "../oracle/events.mjs";
import { present } from "../present.mjs";
import { must, startWorld } from "./harness.mjs";
import { seeded } from "./until.mjs";
import { watchWithCuts } from "./viewer.mjs";

const EVENT_FRAME_BYTES_MAX = 48 << 10;
const truth = expectedOf("volume320");
let world;

before(async () => {
  world = await startWorld();
});
after(() => world?.stop());

// Its own pace is 10 s.
for (const [name, speed, run_ms] of /** @type {any[][]} */ ([["at full speed", 0, 60_000], ["at its own pace", 1, 60_000]])) {
  describe(`volume320 ${name}`, () => {
    let town;
    let run_id;
    let first;
    const viewers = new Map();
    const agent_id = "volume";
    const ended = (viewer) => viewer.events.some((event) => event.event === "agent.exited");

    before(async () => {
      town = await world.town(`Volume ${name}`);
      const agentStream = `${town.path}/container/agents/${agent_id}/stream`;
      for (const [who, stream] of [["on the town", town.stream], ["on the agent", agentStream]]) {
        viewers.set(`from the start ${who}`, await world.watch(stream));
      }
      const unlucky = [
        watchWithCuts(world, town.stream, seeded(1), ended, { ms: run_ms, events_max: 40 }),
        watchWithCuts(world, agentStream, seeded(2), ended, { ms: run_ms }),
        watchWithCuts(world, town.stream, seeded(3), ended, { ms: run_ms, events_max: 400 }),
      ];
      const whole = Promise.all(unlucky);
      whole.catch(() => {}); // awaited below; must not end the process before that
      first = viewers.get("from the start on the town");
      const order = { agent_id, runtime: "replay", transcript: "volume320", speed };
      ({ run_id } = await world.startAgent(town, order));
      await first.until("a third of the calls", () => stepsSeen(first.events).length > truth.steps.length / 3, run_ms);
      viewers.set("from midway on the town", await world.watch(town.stream));
      viewers.set("from midway on the agent", await world.watch(agentStream));
      await first.untilExit(run_id, run_ms);
      viewers.set("after the end on the town", await world.watch(town.stream));
      viewers.set("after the end on the agent", await world.watch(agentStream));
      for (const [index, viewer] of (await whole).entries()) viewers.set(`with ${viewer.connections - 1} cuts (${index})`, viewer);
      await Promise.all([...viewers.values()].map((viewer) => viewer.until("the end", ended)));
    });
    after(() => viewers.forEach((viewer) => viewer.cut()));

    it("reaches the first viewer in the order of stdout, whole", async () => {
      const whole = [];
      for (const event of first.events.filter((one) => one.run_id === run_id)) {
        whole.push(event.cut === undefined ? event : must(await world.api("GET", `${town.path}/events/${event.id}`)));
      }
      const seen = stepsSeen(whole);
      assert.equal(seen.length, truth.steps.length);
      seen.forEach((step, index) => assert.deepEqual(step, truth.steps[index], `step ${index}`));
      assert.deepEqual(unpaired(first.events), []);
    });

    it("reaches all viewers alike, each event once", () => {
      const texts = [...first.texts];
      assert.ok(texts.length > truth.steps.length);
      for (const [who, viewer] of viewers) {
        viewer.check();
        assert.equal(viewer.events.length, texts.length, who);
        [...viewer.texts].forEach((one, index) => assert.deepEqual(one, texts[index], `${who}, event ${index}`));
        assert.deepEqual(viewer.framesOf("gap"), [], who);
        assert.deepEqual(viewer.framesOf("error"), [], who);
      }
      const cuts = [...viewers.values()].map((viewer) => viewer.connections - 1);
      assert.ok(Math.max(...cuts) >= 5, `somebody was cut often enough to mean something: ${cuts}`);
    });

    it("is the same page by page, in whole and by agent", async () => {
      for (const path of [`${town.path}/events`, `${town.path}/agents/${agent_id}/events`]) {
        assert.deepEqual(await world.pages(path, { limit: 150 }), first.events, path);
      }
    });

    it("ends once, and nothing of the run comes after its end", () => {
      const ends = first.events.filter((event) => event.event === "agent.exited");
      assert.equal(ends.length, 1);
      assert.deepEqual([ends[0].run_id, ends[0].data.reason], [run_id, "completed"]);
      assert.equal(first.events.filter((event) => event.run_id === run_id).at(-1).id, ends[0].id);
    });

    it("cuts what is too large for a frame, and says what it left out", async () => {
      for (const [id, text] of first.texts) {
        assert.ok(Buffer.byteLength(text) <= EVENT_FRAME_BYTES_MAX, `event ${id} has ${Buffer.byteLength(text)} bytes`);
      }
      for (const event of first.events) {
        if (event.cut === undefined) continue;
        const whole = await world.api("GET", `${town.path}/events/${event.id}`);
        assert.equal(must(whole).cut, undefined);
        assert.ok(whole.text.length > EVENT_FRAME_BYTES_MAX, `event ${event.id} would have fitted`);
        for (const { path, bytes } of event.cut) {
          const [full, shown] = [pointed(whole.data.data, path), pointed(event.data, path)];
          // Counted as it stands in the frame: escapes and all.
          const left = Buffer.byteLength(JSON.stringify(full)) - Buffer.byteLength(JSON.stringify(shown));
          assert.ok(Math.abs(bytes - left) <= 16, `${path}: ${bytes} of ${left} bytes, give or take a mark`);
        }
      }
      const results = truth.results.filter((result) => result.content_length > EVENT_FRAME_BYTES_MAX);
      assert.ok(results.length > 0 && first.events.filter((event) => event.cut).length >= results.length);
    });

    it("adds up to the state that everybody sees", async () => {
      const state = must(await world.api("GET", `${town.path}/agents/${agent_id}`));
      assert.deepEqual([state.tool_call_count, state.status, state.exit.reason], [truth.calls.length, "exited", "completed"]);
      assert.equal(state.usage.input_tokens, present(truth.usage).input_tokens);
      assert.equal(state.usage.output_tokens, present(truth.usage).output_tokens);
      assert.deepEqual([state.first_event_id, state.last_event_id], [first.events[0].id, first.last_id]);
      await first.until("the last state frame", () => first.states.get(agent_id)?.exit != null, 5_000);
      assert.deepEqual(first.states.get(agent_id), state);
    });
  });
}

/** What a JSON Pointer points at. */
function pointed(value, path) {
  const keys = path.split("/").slice(1).map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  return keys.reduce((inner, key) => inner[key], value);
}
