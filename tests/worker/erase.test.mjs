// A town is erased once it is known that none of its agents goes on working.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";

import { Cable } from "./cable.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { ScriptedControl } from "./scripted_control.mjs";
import { sleep, until } from "./until.mjs";

/** What one call of a control server may take. */
const CALL_MS = 10_000;
/** Nothing of a run is left so long after what ends it. */
const LEFT_MS = 10_000;

/** What agents do, each with a number in place of `T` by which its processes are found. npm is under a shell of its own. */
const KINDS = {
  "own-group": "exec bash -c 'set -m; sleep T & wait'",
  "own-session": "setsid sleep T & wait",
  "double-fork": "(setsid sh -c 'sleep T & exit' &); exec sleep T",
  "ignores-the-signal": "trap '' TERM; sleep T & while :; do sleep T; done",
  prints: "sleep T & while :; do echo a line; sleep 0.05; done",
  silent: "exec sleep T",
  npm: `echo '{"scripts":{"hang":"sleep T"}}' > package.json; npm run --silent hang`,
  shells: `sh -c 'sh -c "sleep T; true"; true'; true`,
};

let numbers = 0;

/** Starts a run of each kind in a town. Gives the words of their processes that live; all are at work. */
async function startKinds(world, town) {
  const own = [];
  for (const [agent_id, script] of Object.entries(KINDS)) {
    const number = `3100.${String(process.pid).padStart(7, "0")}${String((numbers += 1)).padStart(4, "0")}`;
    own.push(number);
    await world.startAgent(town, { agent_id, runtime: "process", command: ["sh", "-c", script.replaceAll(/\bT\b/g, number)] });
  }
  const commands = () => readdirSync("/proc").filter((id) => /^\d+$/.test(id)).map((id) => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " ");
    } catch {
      return ""; // it has ended meanwhile
    }
  });
  const left = () => commands().filter((words) => own.some((number) => words.includes(number)));
  const sleeps = () => new Set(left().filter((words) => words.startsWith("sleep "))).size;
  await until("all are at work", () => sleeps() === own.length, 20_000, () => `: ${left().join("\n")}`);
  return left;
}

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

describe("a town with runs of all kinds whose control server is killed", () => {
  let world;

  before(async () => {
    world = await startWorld();
  });
  after(async () => world?.stop());

  it("is not erased while the server is away, and nothing of the runs is left when it is", async () => {
    const town = await world.town();
    const left = await startKinds(world, town);
    await world.control.kill();
    mustRefuse(await world.api("DELETE", town.path), 503, "container_unavailable", "may still be at work");
    await until("nothing is left", () => left().length === 0, LEFT_MS, () => `: ${left().join("\n")}`);
    await world.control.start();
    const erased = await world.api("DELETE", town.path);
    assert.equal(erased.status, 204, erased.text);
    mustRefuse(await world.api("GET", town.path), 404, "not_found");
    assert.deepEqual(left(), []);
  });
});

describe("a town with runs of all kinds whose control server cannot be reached", () => {
  const LEASE_SECONDS = 20; // longer than a town that nobody watches is silent
  let world;
  let cable;

  before(async () => {
    cable = await Cable.lay(() => world.control.port);
    world = await startWorld({ vars: { CONTAINER_URL: cable.url }, controlVars: { CONTROL_LEASE_SECONDS: String(LEASE_SECONDS) } });
  });
  after(async () => {
    await world?.stop();
    await cable?.stop();
  });

  it("is not erased, and the lease ends them", async () => {
    const town = await world.town();
    const left = await startKinds(world, town);
    cable.cut();
    mustRefuse(await world.api("DELETE", town.path), 503, "container_unavailable", "may still be at work");
    await sleep(1_000);
    assert.ok(left().length >= Object.keys(KINDS).length, "its time is not over");
    await until("nothing is left", () => left().length === 0, LEASE_SECONDS * 1_000 + LEFT_MS, () => `: ${left().join("\n")}`);
    cable.mend();
    const erased = await until("it is erased", async () => {
      const answer = await world.api("DELETE", town.path);
      return answer.status === 503 ? null : answer;
    });
    assert.equal(erased.status, 204, erased.text);
  });

  it("is not erased while the server hangs, and nothing is left once it goes on", async () => {
    const town = await world.town();
    const left = await startKinds(world, town);
    world.control.signal("SIGSTOP");
    mustRefuse(await world.api("DELETE", town.path), 503, "container_unavailable", "may still be at work");
    assert.equal(must(await world.api("GET", town.path)).agents.length, Object.keys(KINDS).length, "nothing was taken away");
    world.control.signal("SIGCONT");
    const erased = await until("it is erased", async () => {
      const answer = await world.api("DELETE", town.path);
      return answer.status === 503 ? null : answer;
    }, 30_000);
    assert.equal(erased.status, 204, erased.text);
    await until("nothing is left", () => left().length === 0, LEFT_MS, () => `: ${left().join("\n")}`);
  });
});
