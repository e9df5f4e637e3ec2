// An agent is deleted for good: nothing is left of it, nothing that is still under way brings it back, and what breaks in the
// middle is mended by asking again.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { EventSource } from "./event_source.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { ScriptedControl } from "./scripted_control.mjs";
import { sleep, until } from "./until.mjs";

const AGENTS_PER_TOWN_MAX = 1_000;
const notes = (count) => Array.from({ length: count }, (_, index) => ({ event_type: "note", data: `note ${index}` }));

let world;

const deleteAgent = (town, agent_id) => world.api("DELETE", `${town.path}/agents/${agent_id}`);
const agentIds = async (town) => must(await world.api("GET", town.path)).agents.map(({ agent_id }) => agent_id);
const rigAgentIds = async (town) => must(await world.api("GET", `/api/rigs/${town.rig_id}/agents`)).map(({ agent_id }) => agent_id);
const eventsOf = (town, agent_id) => world.pages(`${town.path}/agents/${agent_id}/events`);

/** Registers an agent that posts so many notes, and waits until the town has them. */
async function posting(town, agent_id, count) {
  await world.registerAgent(town, agent_id);
  must(await world.post(town, agent_id, notes(count)), 201);
  await until("its events", async () => (await eventsOf(town, agent_id)).length === count);
}

describe("an agent that posts", () => {
  before(async () => {
    world = await startWorld({ control: false });
  });
  after(() => world?.stop());

  it("is gone with all that it had, everywhere, and others have lost nothing", async () => {
    const town = await world.town();
    await posting(town, "kept", 5);
    await posting(town, "gone", 300);
    const kept = await eventsOf(town, "kept");
    const head = must(await world.api("GET", town.path)).head;
    const token = await world.agentToken(town, "gone");
    const viewer = await world.watch(town.stream);
    const own = await world.watch(`${town.path}/container/agents/gone/stream`);
    const ticket = await world.ticket(`${town.path}/container/agents/gone/stream`);
    must(await deleteAgent(town, "gone"), 204);

    await viewer.until("the word", () => viewer.frames.some(({ type, agent_id }) => type === "agent_deleted" && agent_id === "gone"));
    await until("the end", () => own.closed !== null);
    assert.deepEqual(own.closed, { code: 4401, reason: "the agent was deleted" });
    assert.deepEqual(await agentIds(town), ["kept"]);
    assert.deepEqual(await rigAgentIds(town), ["kept"]);
    assert.deepEqual(await eventsOf(town, "gone"), []);
    assert.deepEqual(await eventsOf(town, "kept"), kept);
    for (const path of ["", "/runs"]) mustRefuse(await world.api("GET", `${town.path}/agents/gone${path}`), 404, "not_found");
    mustRefuse(await world.api("GET", `${town.path}/container/agents/gone/stream?ticket=${ticket}`, undefined, { token: null, headers: { accept: "text/event-stream" } }), 401, "ticket_invalid");
    for (const options of [undefined, { token }]) mustRefuse(await world.post(town, "gone", notes(1), options), 404, "not_found", "register gone");
    mustRefuse(await world.api("POST", `/api/rigs/${town.rig_id}/agents/gone/heartbeat`, undefined, { token }), 404, "not_found");
    mustRefuse(await world.api("GET", `/api/rigs/${town.rig_id}/agents/gone/events`), 404, "not_found");
    mustRefuse(await deleteAgent(town, "gone"), 404, "not_found");

    // Also after a restart: ids go on, and a new agent under that id begins with nothing.
    await world.worker.kill();
    await world.worker.start();
    const { events, reset } = must(await world.api("GET", `${town.path}/events?after_id=${head}`));
    assert.deepEqual([events, reset], [[], undefined], "the head of before is a cursor of this life");
    await posting(town, "gone", 2);
    const again = await eventsOf(town, "gone");
    assert.ok(again.every(({ id }) => id > head), JSON.stringify(again.map(({ id }) => id)));
    assert.equal(must(await world.api("GET", `${town.path}/agents/gone`)).run_number, 1);
    viewer.cut();
  });

  it("is told to readers of event streams, and one of the agent alone ends", async () => {
    const town = await world.town();
    await posting(town, "gone", 3);
    const open = async (path) => EventSource.open(`${world.url}${path}?ticket=${await world.ticket(path)}`);
    const all = await open(town.stream);
    const own = await open(`${town.path}/container/agents/gone/stream`);
    for (const source of [all, own]) await source.untilCaughtUp();
    must(await deleteAgent(town, "gone"), 204);
    await all.until("the word", () => all.of("agent_deleted").some(({ agent_id }) => agent_id === "gone"));
    await own.until("the end", () => own.ended);
    assert.deepEqual(own.of("error").map(({ code, message }) => [code, message]), [["not_found", "the agent was deleted"]]);
    all.cut();
  });

  it("does not come back by what it posts meanwhile, also over a kill of workerd at any moment", async () => {
    const town = await world.town();
    await posting(town, "kept", 3);
    for (let round = 0; round < 6; round += 1) {
      await world.registerAgent(town, "gone");
      let accepted = 0;
      let isOver = false;
      const poster = (async () => {
        while (!isOver) {
          const answer = await world.post(town, "gone", notes(20)).catch(() => null);
          if (answer?.status === 201) accepted += 1;
          if (answer?.status === 404) return;
        }
      })();
      await sleep(100 + 40 * round);
      const asked = deleteAgent(town, "gone").catch(() => null);
      await sleep(3 * round);
      if (round % 2 === 1) {
        await world.worker.kill();
        await asked;
        await world.worker.start();
        // Whichever step it died behind: asking again mends it.
        const again = await deleteAgent(town, "gone");
        assert.ok([204, 404].includes(again.status), again.text);
      } else {
        must(await asked, 204);
      }
      isOver = true;
      await poster;
      assert.ok(accepted > 0, "it was posting");
      mustRefuse(await world.post(town, "gone", notes(1)), 404, "not_found");
      await world.registerAgent(town, "next");
      must(await world.post(town, "next", notes(1)), 201);
      await until("the outbox to be empty", async () => (await eventsOf(town, "next")).length === 1);
      assert.deepEqual((await agentIds(town)).sort(), ["kept", "next"]);
      assert.deepEqual(new Set((await world.pages(`${town.path}/events`)).map(({ agent_id }) => agent_id)), new Set(["kept", "next"]));
      must(await deleteAgent(town, "next"), 204);
    }
    assert.equal((await eventsOf(town, "kept")).length, 3);
  });

  it("makes room in a town that is full, and the refusal says so", { timeout: 300_000 }, async () => {
    const town = await world.town();
    const all = Array.from({ length: AGENTS_PER_TOWN_MAX }, (_, index) => `agent-${index}`);
    while (all.length > 0) await Promise.all(all.splice(0, 20).map((agent_id) => world.registerAgent(town, agent_id)));
    const body = { agent_id: "one-more", name: "One more", role: "polecat" };
    const register = () => world.api("POST", `/api/rigs/${town.rig_id}/agents`, body);
    mustRefuse(await register(), 429, "rate_limited", "delete one");
    must(await deleteAgent(town, "agent-7"), 204);
    must(await register(), 201);
  });
});

describe("an agent in the container", () => {
  before(async () => {
    world = await startWorld();
  });
  after(() => world?.stop());

  it("is stopped first, and what its run still tells is dropped, also where a new agent has its id", async () => {
    const town = await world.town();
    const viewer = await world.watch(town.stream);
    const order = (text) => ({ agent_id: "gone", runtime: "process", command: ["sh", "-c", `trap 'echo ${text} last; exit 3' TERM; while :; do echo ${text}; sleep 0.05; done`] });
    await world.startAgent(town, order("old"));
    await viewer.until("its words", () => viewer.events.some(({ data }) => data?.text === "old"));
    must(await deleteAgent(town, "gone"), 204);
    const head = must(await world.api("GET", town.path)).head;
    await world.startAgent(town, order("new"));
    await viewer.until("the new one's words", () => viewer.events.some(({ data }) => data?.text === "new"));
    await sleep(7_000); // longer than the old one may take to end
    const said = (await eventsOf(town, "gone")).filter(({ event }) => event === "agent_output");
    const texts = new Set(said.map(({ data }) => data.text));
    assert.deepEqual([...texts], ["new"]);
    assert.ok(viewer.events.filter(({ id }) => id > head).every(({ data }) => !data?.text?.startsWith("old")));
    assert.equal(must(await world.api("GET", `${town.path}/agents/gone/runs`)).length, 1);
    must(await deleteAgent(town, "gone"), 204);
    await until("no process", async () => must(await world.api("GET", `${town.path}/container/health`)).agents === 0, 20_000);
    assert.deepEqual(await agentIds(town), []);
    viewer.cut();
  });

  it("is not deleted while its control server is away, and is once that is back", async () => {
    const town = await world.town();
    await world.startAgent(town, { agent_id: "kept", runtime: "process", command: ["sleep", "300"] });
    await until("it runs", async () => must(await world.api("GET", `${town.path}/agents/kept`)).status === "running");
    const before = (await eventsOf(town, "kept")).length;
    await world.control.kill();
    mustRefuse(await deleteAgent(town, "kept"), 503, "container_unavailable", "nothing was deleted");
    assert.equal((await eventsOf(town, "kept")).length, before);
    assert.deepEqual(await rigAgentIds(town), ["kept"]);
    await world.control.start();
    await until("it is gone", async () => [204, 404].includes((await deleteAgent(town, "kept")).status), 20_000);
    assert.deepEqual(await agentIds(town), []);
  });
});

describe("a picture that is being fetched", () => {
  it("is not kept for an agent that was deleted meanwhile", async () => {
    const control = await ScriptedControl.start();
    world = await startWorld({ control: false, vars: { CONTAINER_URL: control.url } });
    try {
      const town = await world.town();
      let give;
      let isAsked = false;
      control.image = () => {
        isAsked = true;
        return new Promise((resolve) => (give = resolve));
      };
      await world.startAgent(town, { agent_id: "gone", runtime: "process", command: ["true"] });
      const viewer = await world.watch(town.stream);
      const attachments = [{ kind: "image", image_id: "0".repeat(32) }];
      control.tell("gone", [["agent_tool_result", { tool_use_id: "t", success: true, content: "", content_length: 0, duration_ms: 1, attachments }]]);
      await until("the question for it", () => isAsked);
      must(await deleteAgent(town, "gone"), 204);
      give({ status: 200, bytes: Buffer.from("nothing") });
      control.say("gone", ["late"]);
      await sleep(1_000);
      mustRefuse(await world.api("GET", `${town.path}/agents/gone/images/${"0".repeat(32)}`), 404, "not_found", "never came");
      assert.deepEqual([await agentIds(town), await eventsOf(town, "gone")], [[], []]);
      viewer.cut();
    } finally {
      await world.stop();
      await control.stop();
    }
  });
});
