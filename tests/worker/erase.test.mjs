// A town is erased whatever its control server does.

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

  it("is erased in the time that one call may take, however many agents run", async () => {
    const town = await world.town();
    for (const agent_id of ["one", "two", "three"]) await world.startAgent(town, { agent_id, runtime: "process", command: ["true"] });
    control.hangs = true;
    const asked = performance.now();
    const erased = await world.api("DELETE", town.path);
    assert.equal(erased.status, 204, erased.text);
    const took_ms = performance.now() - asked;
    assert.ok(took_ms < 1.8 * CALL_MS, `it took ${took_ms} ms`);
    mustRefuse(await world.api("GET", town.path), 404, "not_found");
  });
});
