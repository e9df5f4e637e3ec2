// What runs made: where it lies, who can look at it, and that it goes with its town.

import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { must, startWorld } from "./harness.mjs";
import { until } from "./until.mjs";

describe("the directories of runs", () => {
  let world;
  before(async () => {
    world = await startWorld();
  });
  after(() => world?.stop());

  it("stay when their runs end, and go with their town, those of runs that were open with them", async () => {
    const [town, other] = [await world.town(), await world.town("Elsewhere")];
    const viewer = await world.watch(town.stream);
    const start = (where, agent_id, script) => world.startAgent(where, { agent_id, runtime: "process", command: ["sh", "-c", script] });
    const ended = await start(town, "ended", "echo x > made");
    await viewer.untilExit(ended.run_id);
    const open = await start(town, "open", "echo x > made; exec sleep 300");
    const elsewhere = await start(other, "elsewhere", "echo x > made; exec sleep 300");
    const made = (where, { run_id }) => join(world.directory, "work", where.town_id, run_id, "made");
    const all = [made(town, ended), made(town, open), made(other, elsewhere)];
    await until("all have made something", () => all.every((file) => existsSync(file)));
    for (const folder of [join(all[0], ".."), join(all[0], "../.."), join(world.directory, "work")]) {
      assert.equal(statSync(folder).mode & 0o777, 0o700, folder);
    }
    viewer.cut();
    must(await world.api("DELETE", town.path), 204);
    await until("the town's are gone", () => !existsSync(join(world.directory, "work", town.town_id)), 15_000);
    assert.ok(existsSync(all[2]), "another town's stays");
  });
});
