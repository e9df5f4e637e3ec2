// A town is erased once it is known that none of its agents goes on working.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { mustRefuse, startWorld } from "./harness.mjs";
import { ScriptedControl } from "./scripted_control.mjs";

/** What one call of a control server may take. */
const CALL_MS = 10_000;

describe("a town whose control server hangs", () => {
  let world;
  let control;

  before(async () => {
    control = await ScriptedControl.start();
    world = await startWorld({ control: false, vars: { CONTAINER_URL: control.url } });
  });
  after(async () => {
    await world?.stop();
    await control?.stop();
  });

  it("is not erased while its agents may be at work, and says so in the time that one call may take", async () => {
    const town = await world.town();
    for (const agent_id of ["one", "two", "three"]) await world.startAgent(town, { agent_id, runtime: "process", command: ["true"] });
    control.hangs = true;
    const asked = performance.now();
    mustRefuse(await world.api("DELETE", town.path), 503, "container_unavailable", "3 of this town's agents may still be at work");
    const took_ms = performance.now() - asked;
    assert.ok(took_ms < 1.8 * CALL_MS, `it took ${took_ms} ms`);
    const kept = await world.api("GET", town.path);
    assert.equal(kept.status, 200, kept.text);
    assert.equal(kept.data.agents.length, 3);
    assert.equal(kept.data.rigs.length, 1, "nothing was taken away");
    control.hangs = false;
    control.requests.length = 0;
    const erased = await world.api("DELETE", town.path);
    assert.equal(erased.status, 204, erased.text);
    assert.equal(control.requests.filter((request) => /stop$/.test(request)).length, 3, "each was asked to stop");
    mustRefuse(await world.api("GET", town.path), 404, "not_found");
  });

  it("is erased at once where nothing runs", async () => {
    const town = await world.town();
    control.hangs = true;
    const erased = await world.api("DELETE", town.path);
    control.hangs = false;
    assert.equal(erased.status, 204, erased.text);
  });
});

describe("a town whose control server is gone", () => {
  let world;

  before(async () => {
    world = await startWorld();
  });
  after(async () => world?.stop());

  it("is erased once the control server was there again to end its agents", async () => {
    const town = await world.town();
    await world.startAgent(town, { agent_id: "a", runtime: "process", command: ["sleep", "300"] });
    await world.control.kill();
    mustRefuse(await world.api("DELETE", town.path), 503, "container_unavailable");
    assert.equal((await world.api("GET", town.path)).status, 200);
    await world.control.start();
    const erased = await world.api("DELETE", town.path);
    assert.equal(erased.status, 204, erased.text);
  });
});
