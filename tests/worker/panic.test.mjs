// A panic ends an instance of the WASM, and src/shim.mjs makes another: what comes next is answered, by objects that know
// their tables, and WebSockets that were open stay so and get what happens.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { BareWorker, MODULES } from "./bare_worker.mjs";
import { must, startWorld } from "./harness.mjs";
import { request } from "./http.mjs";

/** All in one isolate, as in development: what ends ends for the Worker and its objects alike. */
class EndingWorker extends BareWorker {
  modules = { ...MODULES, modules: [{ type: "ESModule", path: join(MODULES.rootPath, "tests/worker/panic_entrance.mjs") }, ...MODULES.modules] };
}

describe("an instance of the WASM that has ended", () => {
  let world;
  let town;
  before(async () => {
    world = await startWorld({ worker: EndingWorker, control: false });
    town = await world.town();
    await world.registerAgent(town, "lisa");
  });
  after(() => world.stop());

  for (const [how, path] of [["by a panic", "/end"], ["by what WebAssembly refuses", "/trap"]]) {
    it(`${how} is followed by another, of which nobody notices`, async () => {
      const viewer = await world.watch(town.stream, { after_id: 0 });
      await viewer.untilCaughtUp();
      const { text } = await request(`${world.url}${path}`);
      must(await world.post(town, "lisa", [{ event_type: "note", data: how }]), 201);
      await viewer.until("the event", ({ events }) => events.at(-1)?.data === how);
      assert.equal(must(await world.api("GET", town.path)).agents.length, 1);
      const { text: next } = await request(`${world.url}/end`);
      assert.equal(Number(next), Number(text) + 1, "one more instance, and no more");
      viewer.leave();
    });
  }
});
