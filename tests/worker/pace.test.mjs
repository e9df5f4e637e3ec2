// The pace of live frames: viewers who watch the same get the same frames, not too many of them, and none waits for long.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { EventSource } from "./event_source.mjs";
import { startWorld } from "./harness.mjs";

const LINES = 1_500;
/** A line every two milliseconds: far more than there are frames. */
const SCRIPT = `let line = 0;
const timer = setInterval(() => { console.log(line += 1); if (line === ${LINES}) clearInterval(timer); }, 2);`;
/** What a loaded machine adds between two processes. */
const MARGIN_MS = 150;

for (const [name, vars, frames_a_second, distance_ms] of /** @type {any[][]} */ ([
  ["as it is where nothing is set", {}, 50, 20],
  ["of 5 frames a second", { STREAM_RATE_LIMIT: 5, STREAM_BATCH_MS: 500 }, 5, 200],
])) {
  describe(`the pace ${name}`, () => {
    let world;
    let town;
    let source;
    const viewers = [];

    before(async () => {
      world = await startWorld({ vars });
      town = await world.town();
      for (let index = 0; index < 3; index += 1) {
        const viewer = await world.watch(`${town.path}/container/agents/quick/stream`, { tail: 0 });
        await viewer.untilCaughtUp();
        viewers.push(viewer);
      }
      // Event streams have no pace: when an event was stored is seen on one.
      source = await EventSource.open(`${world.url}${town.stream}?tail=0`, {
        authorization: `Bearer ${world.secrets.TOWNWATCH_API_KEY}`,
      });
      await source.untilCaughtUp();
      const command = [process.execPath, "-e", SCRIPT];
      const { run_id } = await world.startAgent(town, { agent_id: "quick", runtime: "process", command });
      for (const viewer of viewers) await viewer.untilExit(run_id);
      await source.until("the end", () => source.events.some(({ event }) => event === "agent.exited"));
    });
    after(() => world?.stop());

    it("brings everything to everyone, in the same frames", () => {
      const [first, ...others] = viewers.map((viewer) => viewer.batches.map(({ ids }) => ids));
      for (const other of others) assert.deepEqual(other, first);
      assert.deepEqual(first.flat(), source.events.map(({ id }) => id));
      assert.ok(first.flat().length >= LINES && first.length < LINES, "and many share one");
    });

    it(`has ${frames_a_second} frames a second at most`, () => {
      for (const { batches } of viewers) {
        assert.ok(batches.every(({ backfill }) => !backfill));
        // Over the whole time and not within a second: on their way frames may come nearer to each other.
        const took_ms = batches.at(-1).at - batches[0].at;
        const most = 1 + (took_ms / 1_000) * frames_a_second;
        assert.ok(batches.length <= most * 1.05 + 1, `${batches.length} frames in ${took_ms} ms`);
        assert.ok(batches.length >= 3, "and not just a few at the end");
      }
    });

    it("holds no event back for longer than that", () => {
      const stored = new Map(source.messages.filter(({ id }) => id).map(({ id, at }) => [Number(id), at]));
      for (const { arrived } of viewers) {
        const waited = [...arrived].map(([id, at]) => at - stored.get(id)).sort((a, b) => a - b);
        // The bound itself is held to the millisecond by the core's tests; here a machine with other work may stall.
        const [half, most] = [0.5, 0.9].map((part) => waited[Math.floor(waited.length * part)]);
        assert.ok(half <= distance_ms + 20 && most <= distance_ms + MARGIN_MS, `half ${half} ms, nine of ten ${most} ms`);
      }
    });
  });
}
