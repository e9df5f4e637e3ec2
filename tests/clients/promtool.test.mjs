// Prometheus's own tool reads the metrics and has nothing to say against them.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, it } from "node:test";

import { must, startWorld } from "../worker/harness.mjs";

const isThere = spawnSync("promtool", ["--version"]).status === 0;
const missing = isThere ? false : "there is no promtool on the PATH: apt-get install prometheus";

describe("promtool", { skip: missing }, () => {
  let world;
  let town;
  before(async () => {
    world = await startWorld({ control: false });
    town = await world.town();
    await world.registerAgent(town, "agent");
    must(await world.post(town, "agent", [{ event_type: "note", data: 1 }]), 201);
  });
  after(() => world?.stop());

  const check = (input) => {
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
    return [status, stdout, stderr];
  };

  for (const whose of ["a town", "a rig"]) {
    it(`takes the metrics of ${whose}`, async () => {
      const path = whose === "a rig" ? `/api/rigs/${town.rig_id}` : town.path;
      const { status, text } = await world.api("GET", `${path}/metrics`);
      assert.deepEqual([status, check(text)], [200, [0, "", ""]]);
      assert.notDeepEqual(check(text.replace("# HELP ", "# ")), [0, "", ""], "it would object");
    });
  }
});
