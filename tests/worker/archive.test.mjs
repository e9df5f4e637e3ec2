// An agent is put away and brought back: it leaves the lists and keeps all else, what it posts meanwhile is refused and not
// lost, and what breaks in the middle is mended by asking again.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, mustRefuse, startWorld } from "./harness.mjs";
import { sleep, until } from "./until.mjs";

const AGENTS_PER_TOWN_MAX = 1_000;
const notes = (count) => Array.from({ length: count }, (_, index) => ({ event_type: "note", data: `note ${index}` }));
const END = { event_type: "agent.exited", data: { reason: "completed" } };

let world;

const archive = (town, agent_id) => world.api("POST", `${town.path}/agents/${agent_id}/archive`);
const bringBack = (town, agent_id) => world.api("DELETE", `${town.path}/agents/${agent_id}/archive`);
const stateOf = async (town, agent_id) => must(await world.api("GET", `${town.path}/agents/${agent_id}`));
const ids = (agents) => agents.map(({ agent_id }) => agent_id);
const listed = async (town) => ids(must(await world.api("GET", `${town.path}/agents`)));
const archived = async (town) => ids(must(await world.api("GET", `${town.path}/agents?archived=true`)));
const eventsOf = (town, agent_id) => world.pages(`${town.path}/agents/${agent_id}/events`);
const register = (town, agent_id) => world.api("POST", `/api/rigs/${town.rig_id}/agents`, { agent_id, name: agent_id, role: "polecat" });

/** Registers an agent that posts so many notes and its end, and waits until the town has them. */
async function done(town, agent_id, count) {
  await world.registerAgent(town, agent_id);
  must(await world.post(town, agent_id, [...notes(count), END]), 201);
  await until("its end", async () => (await stateOf(town, agent_id)).exit !== null);
}

describe("an agent that posts", () => {
  before(async () => {
    world = await startWorld({ control: false });
  });
  after(() => world?.stop());

  it("leaves the lists, keeps its log, and is refused what is new with words that say how it would be taken", async () => {
    const town = await world.town();
    await done(town, "kept", 2);
    await done(town, "away", 5);
    const log = await eventsOf(town, "away");
    const token = await world.agentToken(town, "away");
    const viewer = await world.watch(town.stream);
    const state = must(await archive(town, "away"));
    assert.match(state.archived_at, /^20/);
    await viewer.until("its state", () => viewer.frames.some(({ type, agent }) => type === "state" && agent.agent_id === "away" && agent.archived_at === state.archived_at));
    assert.deepEqual([await listed(town), await archived(town)], [["kept"], ["away"]]);
    const view = must(await world.api("GET", town.path));
    assert.deepEqual([ids(view.agents), view.archived_agents], [["kept"], 1]);
    assert.deepEqual(ids(must(await world.api("GET", `/api/rigs/${town.rig_id}/agents`))), ["kept"]);
    assert.deepEqual(await eventsOf(town, "away"), log);
    assert.equal(must(await world.api("GET", `${town.path}/agents/away/runs`)).length, 1);
    assert.equal(must(await archive(town, "away")).archived_at, state.archived_at, "again, it changes nothing");

    for (const options of [undefined, { token }]) {
      mustRefuse(await world.post(town, "away", notes(1), options), 409, "conflict", "register it again");
    }
    mustRefuse(await world.api("POST", `/api/rigs/${town.rig_id}/agents/away/heartbeat`, undefined, { token }), 409, "conflict", "is archived");
    const own = must(await world.api("GET", `/api/rigs/${town.rig_id}/agents/away/events`, undefined, { token }));
    assert.equal(own.events.length, 6, "it reads its own events");

    await world.worker.kill();
    await world.worker.start();
    assert.deepEqual([await listed(town), await archived(town)], [["kept"], ["away"]]);
    mustRefuse(await world.post(town, "away", notes(1)), 409, "conflict", "is archived");
    // Back by the operator's word, and by a registration.
    const back = await world.watch(town.stream);
    await until("the history", () => back.frames.some(({ type }) => type === "caught_up"));
    assert.ok(!back.frames.some(({ type, agent }) => type === "state" && agent.agent_id === "away"), "no state at the beginning");
    assert.equal(must(await bringBack(town, "away")).archived_at, undefined);
    await back.until("its state", () => back.frames.some(({ type, agent }) => type === "state" && agent.agent_id === "away"));
    must(await world.post(town, "away", [...notes(1), END]), 201);
    await until("its events", async () => (await eventsOf(town, "away")).length === 8);
    must(await archive(town, "away"));
    must(await register(town, "away"), 201);
    must(await world.post(town, "away", notes(1)), 201);
    assert.deepEqual((await listed(town)).sort(), ["away", "kept"]);
    mustRefuse(await archive(town, "nobody"), 404, "not_found");
    back.cut();
  });

  it("is not archived with an open run, also where that waits in its rig's outbox", async () => {
    const town = await world.town();
    await done(town, "busy", 1);
    must(await world.post(town, "busy", notes(1)), 201);
    mustRefuse(await archive(town, "busy"), 409, "conflict", "stop it first");
    assert.deepEqual([await listed(town), await archived(town)], [["busy"], []]);
    must(await world.post(town, "busy", [END]), 201);
    await until("the archive", async () => (await archive(town, "busy")).status === 200);
  });

  it("loses nothing that was promised, also over a kill of workerd at any moment", async () => {
    const town = await world.town();
    await done(town, "kept", 1);
    await world.registerAgent(town, "away");
    let promised = 0;
    for (let round = 0; round < 6; round += 1) {
      let isOver = false;
      const poster = (async () => {
        while (!isOver) {
          const answer = await world.post(town, "away", [...notes(3), END]).catch(() => null);
          if (answer?.status === 201) promised += 4;
        }
      })();
      await sleep(100 + 30 * round);
      const asked = archive(town, "away").catch(() => null);
      await sleep(3 * round);
      if (round % 2 === 1) {
        await world.worker.kill();
        await asked;
        await world.worker.start();
      } else {
        await asked;
      }
      // Whichever step it died behind: asking again mends it.
      await until("the archive", async () => (await archive(town, "away")).status === 200);
      isOver = true;
      await poster;
      mustRefuse(await world.post(town, "away", notes(1)), 409, "conflict", "is archived");
      assert.deepEqual([await listed(town), await archived(town)], [["kept"], ["away"]]);
      assert.ok((await eventsOf(town, "away")).length >= promised, "all that was promised is in its log");
      must(await bringBack(town, "away"));
    }
    assert.ok(promised > 0, "it was posting");
  });

  it("makes room in a town that is full, and needs room to come back", { timeout: 300_000 }, async () => {
    const town = await world.town();
    const all = Array.from({ length: AGENTS_PER_TOWN_MAX }, (_, index) => `agent-${index}`);
    while (all.length > 0) await Promise.all(all.splice(0, 20).map((agent_id) => world.registerAgent(town, agent_id)));
    mustRefuse(await register(town, "one-more"), 429, "rate_limited", "archive one");
    must(await archive(town, "agent-7"));
    must(await register(town, "one-more"), 201);
    mustRefuse(await register(town, "agent-7"), 429, "rate_limited", "archive one");
    mustRefuse(await bringBack(town, "agent-7"), 429, "rate_limited", "archive one");
    mustRefuse(await world.post(town, "agent-7", notes(1)), 409, "conflict", "is archived");
    must(await archive(town, "agent-8"));
    must(await bringBack(town, "agent-7"));
    must(await world.post(town, "agent-7", notes(1)), 201);
    assert.deepEqual(await archived(town), ["agent-8"]);
    for (const query of ["archived=yes", "archived=true&limit=0", "archived=true&limit=1001", "archived=true&after_agent_id=a%20b"]) {
      mustRefuse(await world.api("GET", `${town.path}/agents?${query}`), 400, "invalid_request");
    }
  });
});

describe("a rig", () => {
  before(async () => {
    world = await startWorld();
  });
  after(() => world?.stop());

  const rigOf = (town) => `${town.path}/rigs/${town.rig_id}`;
  const order = { agent_id: "runs", runtime: "process", command: ["sleep", "300"] };

  it("is archived with its agents, and takes none until it is back", async () => {
    const town = await world.town();
    await done(town, "one", 1);
    await world.startAgent(town, order);
    mustRefuse(await world.api("POST", `${rigOf(town)}/archive`), 409, "conflict", "agent runs has an open run");
    must(await world.api("POST", `${town.path}/container/agents/runs/stop`, {}));
    await until("the archive", async () => (await world.api("POST", `${rigOf(town)}/archive`)).status === 200, 20_000);
    assert.deepEqual([await listed(town), await archived(town)], [[], ["one", "runs"]]);
    assert.match(must(await world.api("GET", `${town.path}/rigs`))[0].archived_at, /^20/);
    const words = "bring the rig back with DELETE";
    mustRefuse(await register(town, "two"), 409, "conflict", words);
    mustRefuse(await bringBack(town, "one"), 409, "conflict", words);
    mustRefuse(await world.api("POST", `${town.path}/container/agents/start`, { ...order, rig_id: town.rig_id, name: "x", role: "polecat" }), 409, "conflict", words);
    mustRefuse(await world.post(town, "one", notes(1)), 409, "conflict", "is archived");
    assert.equal(must(await world.api("DELETE", `${rigOf(town)}/archive`)).archived_at, undefined);
    // A start brings its agent back, and its rig hears of that.
    await world.registerAgent(town, "runs");
    must(await archive(town, "runs"));
    await world.startAgent(town, { ...order, command: ["true"] });
    assert.deepEqual(await listed(town), ["runs"]);
    await until("its end", async () => (await stateOf(town, "runs")).exit !== null, 20_000);
    await until("its rig to take its posts", async () => (await world.post(town, "runs", [END])).status === 201);
  });

  it("is deleted with all that was in it, archived agents too, and others have lost nothing", async () => {
    const town = await world.town();
    await done(town, "one", 3);
    await done(town, "away", 3);
    must(await archive(town, "away"));
    const other = { ...town, rig_id: must(await world.api("POST", `${town.path}/rigs`, { name: "other" }), 201).rig_id };
    await done(other, "kept", 3);
    await world.startAgent(town, order);
    const kept = await eventsOf(town, "kept");
    const token = await world.agentToken(town, "one");
    await until("it runs", async () => (await stateOf(town, "runs")).status === "running");
    await world.control.kill();
    mustRefuse(await world.api("DELETE", rigOf(town)), 503, "container_unavailable", "nothing was deleted");
    must(await world.post(town, "one", notes(1), { token }), 201);
    await world.control.start();
    const viewer = await world.watch(town.stream);
    // The run of before the kill is lost sooner or later, and asked for until then.
    await until("it is gone", async () => (await world.api("DELETE", rigOf(town))).status === 204, 30_000);
    await viewer.until("the words", () => viewer.frames.filter(({ type }) => type === "agent_deleted").length === 3);
    assert.deepEqual([await listed(town), await archived(town)], [["kept"], []]);
    assert.deepEqual(must(await world.api("GET", `${town.path}/rigs`)).map(({ rig_id }) => rig_id), [other.rig_id]);
    assert.deepEqual(await eventsOf(town, "kept"), kept);
    for (const options of [undefined, { token }]) mustRefuse(await world.post(town, "one", notes(1), options), 404, "not_found");
    mustRefuse(await register(town, "one"), 404, "not_found");
    mustRefuse(await world.api("GET", `/api/rigs/${town.rig_id}/metrics`), 404, "not_found");
    mustRefuse(await world.api("DELETE", rigOf(town)), 404, "not_found");
    await done(other, "one", 1); // its id is free
    assert.equal((await eventsOf(town, "one")).length, 2);
    viewer.cut();
  });

  it("goes as a whole over kills of workerd at any moment, while its agents post", async () => {
    const town = await world.town();
    const other = { ...town, rig_id: must(await world.api("POST", `${town.path}/rigs`, { name: "other" }), 201).rig_id };
    await done(other, "kept", 2);
    for (let round = 0; round < 4; round += 1) {
      const rig = { ...town, rig_id: must(await world.api("POST", `${town.path}/rigs`, { name: `rig ${round}` }), 201).rig_id };
      const agents = Array.from({ length: 8 }, (_, index) => `agent-${index}`);
      for (const agent_id of agents) await world.registerAgent(rig, agent_id);
      let isOver = false;
      const poster = (async () => {
        while (!isOver) await Promise.all(agents.map((agent_id) => world.post(rig, agent_id, notes(20)).catch(() => null)));
      })();
      await sleep(100);
      const asked = world.api("DELETE", rigOf(rig)).catch(() => null);
      await sleep(4 + 6 * round);
      await world.worker.kill();
      await asked;
      await world.worker.start();
      const again = await world.api("DELETE", rigOf(rig));
      assert.ok([204, 404].includes(again.status), again.text);
      isOver = true;
      await poster;
      assert.deepEqual(await listed(town), ["kept"]);
      assert.deepEqual(new Set((await world.pages(`${town.path}/events`)).map(({ agent_id }) => agent_id)), new Set(["kept"]));
      mustRefuse(await world.post(rig, "agent-0", notes(1)), 404, "not_found");
    }
    assert.equal((await eventsOf(town, "kept")).length, 3);
  });
});
