// The pace of live frames: viewers who watch the same get the same frames, not too many of them, and none waits for long.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { EventSource } from "./event_source.mjs";
import { must, startWorld } from "./harness.mjs";

const POST_MS = 2_000;
/** Who posts at once: one after the other is too slow to need a pace. */
const POSTERS = 4;
/** What a loaded machine adds between two processes. */
const MARGIN_MS = 150;

for (const [name, vars, frames_a_second, distance_ms] of [
  ["as it is where nothing is set", {}, 50, 20],
  ["of 5 frames a second", { STREAM_RATE_LIMIT: 5, STREAM_BATCH_MS: 500 }, 5, 200],
]) {
  describe(`the pace ${name}`, () => {
    let world;
    let town;
    let source;
    const viewers = [];
    let posted = 0;

    before(async () => {
      world = await startWorld({ vars });
      town = await world.town();
      await world.registerAgent(town, "quick");
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
      const end = Date.now() + POST_MS;
      const post = async () => {
        while (Date.now() < end) {
          must(await world.post(town, "quick", [{ event_type: "note", data: posted }]), 201);
          posted += 1;
        }
      };
      await Promise.all(Array.from({ length: POSTERS }, post));
      for (const viewer of viewers) await viewer.until("all that was posted", () => viewer.events.length === posted);
      await source.until("all that was posted", () => source.events.length === posted);
    });
    after(() => world?.stop());

    it("brings everything to everyone, in the same frames", () => {
      assert.ok(posted > 60, `${posted} events are too few to mean something`);
      const [first, ...others] = viewers.map((viewer) => viewer.batches.map(({ ids }) => ids));
      for (const other of others) assert.deepEqual(other, first);
      assert.deepEqual(first.flat(), source.events.map(({ id }) => id));
      assert.ok(first.length < posted, "some share a frame");
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
        const [half, most] = [waited[waited.length >> 1], waited.at(-1)];
        assert.ok(half <= distance_ms + 20 && most <= distance_ms + MARGIN_MS, `half ${half} ms, at most ${most} ms`);
      }
    });
  });
}
