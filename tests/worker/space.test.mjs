// What a town and a rig may take: beyond it the agents that take most lose their oldest. And what a store says that the
// platform gives no more.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { idOf, noisePng } from "../pictures/pictures.mjs";
import { BareWorker, MODULES } from "./bare_worker.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { metricsOf } from "./metrics.mjs";
import { until } from "./until.mjs";

const MIB = 1 << 20;
const KILOBYTES_20 = "x".repeat(20_000);

/** Posts so many events of 20 kB, ten at a time. */
async function fill(world, town, agent_id, count) {
  for (let posted = 0; posted < count; posted += 10) {
    const events = Array.from({ length: Math.min(10, count - posted) }, (_, at) => ({
      event_type: "note",
      data: { number: posted + at, text: KILOBYTES_20 },
    }));
    must(await world.post(town, agent_id, events), 201);
  }
}

const head = async (world, { path }) => must(await world.api("GET", path)).head;
const has = (world, town, count) => until(`event ${count}`, async () => (await head(world, town)) >= count, 30_000);

describe("a store with a bound", () => {
  let world;
  let town;
  before(async () => {
    world = await startWorld({ bare: true, control: false, vars: { TOWN_STORE_MIB: 1, RIG_STORE_MIB: 1 } });
    town = await world.town();
    for (const name of ["large", "small"]) await world.registerAgent(town, name);
  });
  after(() => world.stop());

  it("keeps to it: the largest agent loses its oldest, its newest and the others' stay, and a gap tells", async () => {
    must(await world.post(town, "small", [{ event_type: "note", data: 1 }]), 201);
    const viewer = await world.watch(town.stream, { after_id: 0 });
    await viewer.untilCaughtUp();
    await fill(world, town, "large", 200);
    await has(world, town, 201);
    must(await world.post(town, "small", [{ event_type: "note", data: 2 }]), 201);
    await has(world, town, 202);

    const inTown = await metricsOf(world, town.path);
    // A batch is taken after room was made, and may take so much on top.
    assert.ok(inTown.database_bytes > MIB / 2 && inTown.database_bytes < MIB + 400_000, `${inTown.database_bytes}`);
    const inRig = await metricsOf(world, `/api/rigs/${town.rig_id}`);
    assert.ok(inRig.database_bytes > MIB / 4 && inRig.database_bytes < MIB + 600_000, `${inRig.database_bytes}`);
    assert.ok((await metricsOf(world, "/api")).database_bytes > 0);

    const page = must(await world.api("GET", `${town.path}/events?after_id=0&limit=1000`));
    const [gap] = page.gaps;
    assert.deepEqual([page.gaps.length, gap.agent_id, gap.from, gap.reason], [1, "large", 2, "pruned"]);
    assert.equal(gap.count, gap.to - gap.from + 1);
    assert.deepEqual(page.events.map(({ id }) => id), [1, ...Array.from({ length: 202 - gap.to }, (_, at) => gap.to + 1 + at)]);
    await viewer.until("what is new", ({ last_id }) => last_id === 202);
    viewer.leave();
  });
});

describe("a store that is full", () => {
  class FullStore extends BareWorker {
    modules = { ...MODULES, modules: [{ type: "ESModule", path: join(MODULES.rootPath, "tests/worker/full_store_entrance.mjs") }, ...MODULES.modules] };
    flags = ["experimental"];
  }
  const PICTURES = [1, 2, 3].map((seed) => noisePng(800, seed));
  let world;
  let town;
  before(async () => {
    world = await startWorld({ worker: FullStore, control: false });
    town = await world.town();
    for (const name of ["large", "small"]) await world.registerAgent(town, name);
  });
  after(() => world.stop());

  const give = (agent_id, bytes) =>
    world.api("PUT", `/api/rigs/${town.rig_id}/agents/${agent_id}/images/${idOf(bytes)}`, bytes, { headers: { "content-type": "image/png" } });

  it("says so, with what to do, can be read, and has room again once an agent is deleted", async () => {
    must(await world.post(town, "large", [{ event_type: "note", data: 1 }]), 201);
    await has(world, town, 1);
    must(await give("large", PICTURES[0]), 201);
    const refused = [await give("large", PICTURES[1]), await give("large", PICTURES[2])].find(({ status }) => status !== 201);
    assert.ok(refused, "4 MB hold no three pictures of 1.9 MB");
    mustRefuse(refused, 507, "store_full", "delete agents");
    assert.equal(must(await world.api("GET", `${town.path}/events?after_id=0`)).events.length, 1);
    assert.equal(must(await world.api("GET", town.path)).agents.length, 2);
    must(await world.api("DELETE", `${town.path}/agents/large`), 204);
    must(await give("small", PICTURES[1]), 201);
  });
});
