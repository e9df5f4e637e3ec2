// Agents that run elsewhere post their events: repeated or not, whatever JSON they carry, each arrives once, in order.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { FRAME_NAMES, survivors } from "./any_json.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { signedJwt } from "./jwt.mjs";
import { at, elements, members } from "./raw_json.mjs";
import { sleep } from "./until.mjs";

let world;
let town;

before(async () => {
  world = await startWorld({ control: false });
  town = await world.town();
});
after(() => world?.stop());

const postText = (text, options) => world.api("POST", `/api/rigs/${town.rig_id}/agent-events`, text, options);
const rigLog = (agent_id, query = "limit=1000") => world.api("GET", `/api/rigs/${town.rig_id}/agents/${agent_id}/events?${query}`);
const named = (viewer, name) => viewer.events.filter(({ event }) => event === name);
const nested = (depth) => "[".repeat(depth) + "]".repeat(depth);

describe("posted events", () => {
  it("arrive once and in order: 1,000 in batches of which every fifth is sent again", async () => {
    const agent_id = "steady";
    await world.registerAgent(town, agent_id);
    const [onTown, onAgent] = [await world.watch(town.stream), await world.watch(`${town.path}/container/agents/${agent_id}/stream`)];
    const batches = Array.from({ length: 40 }, (_, batch) =>
      Array.from({ length: 25 }, (_, index) => {
        const number = batch * 25 + index;
        return { event_type: "count", data: { number }, event_id: `steady-${number}` };
      }),
    );
    for (const [index, batch] of batches.entries()) {
      const receipt = must(await world.post(town, agent_id, batch), 201);
      assert.deepEqual([receipt.appended, receipt.duplicates], [25, 0], `batch ${index}`);
      if (index % 5 !== 4) continue;
      const again = must(await world.post(town, agent_id, batch), 201);
      assert.deepEqual(again, { appended: 0, duplicates: 25, last_id: receipt.last_id }, `batch ${index} again`);
    }
    const half = [{ event_type: "count", data: { number: 1000 }, event_id: "steady-1000" }, batches[0][0]];
    const mixed = must(await world.post(town, agent_id, half), 201);
    assert.deepEqual([mixed.appended, mixed.duplicates], [1, 1]);

    for (const viewer of [onTown, onAgent]) {
      await viewer.until("all of them", () => named(viewer, "count").length >= 1001, 30_000);
    }
    await sleep(300); // whatever comes too much comes soon
    for (const viewer of [onTown, onAgent]) {
      viewer.check();
      const numbers = named(viewer, "count").map(({ data }) => data.number);
      assert.deepEqual(numbers, numbers.map((_, index) => index));
      assert.equal(numbers.length, 1001);
      viewer.cut();
    }
  });

  it("survive byte for byte, whatever JSON they are: on the stream, in pages, alone and in the rig's log", async () => {
    const agent_id = "any";
    await world.registerAgent(town, agent_id);
    const viewer = await world.watch(`${town.path}/container/agents/${agent_id}/stream`);
    const events = survivors.map((text, index) => `{"event_type":"any:${index}","event_id":"any-${index}","data":${text}}`);
    must(await postText(`{"agent_id":"${agent_id}","events":[${events.join(",")}]}`), 201);
    must(await postText(`{"data":${survivors[0]},"event_type":"any:single","agent_id":"${agent_id}"}`), 201);
    await viewer.until("all of them", () => named(viewer, "any:single").length === 1);

    const byName = (raw) => new Map(raw.map((text) => [at(text, "event"), at(text, "data")]));
    const page = await world.api("GET", `${town.path}/agents/${agent_id}/events?after_id=0&limit=1000`);
    const log = await rigLog(agent_id);
    const alone = [];
    for (const { id } of viewer.events) alone.push(at((await world.api("GET", `${town.path}/events/${id}`)).text, "data"));
    const places = {
      "on the stream": byName([...viewer.texts.values()]),
      "on a page": byName(elements(at(page.text, "data", "events"))),
      alone: byName(alone),
      "in the rig's log": byName(eventsOfRigLog(log)),
    };
    survivors.forEach((text, index) => {
      for (const [place, found] of Object.entries(places)) {
        assert.equal(found.get(`"any:${index}"`), text, `${text.slice(0, 60)} ${place}`);
      }
    });
    viewer.cut();
  });

  it("without data carry null, and keep the time and the name that they were given", async () => {
    await world.registerAgent(town, "plain");
    const viewer = await world.watch(`${town.path}/container/agents/plain/stream`);
    const moment = "2026-01-02T03:04:05.678Z";
    must(await world.post(town, "plain", [{ event_type: "A.b:c-d_9", at: moment }]), 201);
    await viewer.until("it", () => named(viewer, "A.b:c-d_9").length === 1);
    const [event] = named(viewer, "A.b:c-d_9");
    assert.deepEqual([event.data, event.at, event.agent_id, event.rig_id], [null, moment, "plain", town.rig_id]);
    viewer.cut();
  });

  it("open a run where there is none, and one that says agent.exited ends it", async () => {
    await world.registerAgent(town, "runs");
    const viewer = await world.watch(`${town.path}/container/agents/runs/stream`);
    const exit = { event_type: "agent.exited", data: { reason: "completed", exit_code: 0 } };
    const batches = [[{ event_type: "note", data: 1 }, { event_type: "note", data: 2 }], [exit], [{ event_type: "note", data: 3 }], [exit]];
    for (const batch of batches) must(await world.post(town, "runs", batch), 201);
    await viewer.until("two ends", () => named(viewer, "agent.exited").length === 2);
    const runOf = new Map(named(viewer, "note").map(({ data, run_id }) => [data, run_id]));
    assert.equal(runOf.get(1), runOf.get(2));
    assert.notEqual(runOf.get(2), runOf.get(3));
    assert.deepEqual(named(viewer, "agent.exited").map(({ run_id }) => run_id), [runOf.get(1), runOf.get(3)]);
    const runs = must(await world.api("GET", `${town.path}/agents/runs/runs`));
    assert.deepEqual(new Set(runs.map(({ run_id }) => run_id)), new Set([runOf.get(1), runOf.get(3)]));
    assert.ok(runs.every(({ exit: end }) => end.reason === "completed"));
    const state = must(await world.api("GET", `${town.path}/agents/runs`));
    assert.deepEqual([state.run_number, state.run_id, state.status], [2, runOf.get(3), "exited"]);
    viewer.cut();
  });

  it("of an agent that nobody registered are refused", async () => {
    mustRefuse(await world.post(town, "nobody", [{ event_type: "note" }]), 404, "not_found");
  });
});

describe("the bounds of what is posted", () => {
  const agent_id = "bounds";
  const refused = async (answer, status, code, names) => {
    mustRefuse(await answer, status, code, names);
    assert.deepEqual(eventsOfRigLog(await rigLog(agent_id)), [], "nothing was stored");
  };
  before(() => world.registerAgent(town, agent_id));

  it("a value 129 deep is refused", () =>
    refused(postText(`{"agent_id":"${agent_id}","event_type":"deep","data":${nested(129)}}`), 400, "invalid_request", "data"));

  it("so is one deep enough to break a careless parser", () =>
    refused(postText(`{"agent_id":"${agent_id}","event_type":"deep","data":${nested(500_000)}}`), 400, "invalid_request"));

  it("an event over 1 MiB is too large, alone and in a batch", async () => {
    const data = JSON.stringify("x".repeat(1 << 20));
    await refused(postText(`{"agent_id":"${agent_id}","event_type":"big","data":${data}}`), 413, "too_large");
    const small = `{"event_type":"note"}`;
    const batch = `{"agent_id":"${agent_id}","events":[${small},{"event_type":"big","data":${data}}]}`;
    await refused(postText(batch), 413, "too_large");
  });

  it("so are 501 events and a body over 4 MiB", async () => {
    const many = Array.from({ length: 501 }, () => ({ event_type: "note" }));
    await refused(world.post(town, agent_id, many), 413, "too_large");
    const heavy = Array.from({ length: 5 }, () => ({ event_type: "big", data: "x".repeat(900_000) }));
    await refused(world.post(town, agent_id, heavy), 413, "too_large");
  });

  it("no event is called like a frame of the stream", async () => {
    for (const name of FRAME_NAMES) {
      await refused(world.post(town, agent_id, [{ event_type: name }]), 400, "invalid_request", "event_type");
    }
  });

  it("a batch with one bad event stores none of it", () =>
    refused(world.post(town, agent_id, [{ event_type: "good" }, { event_type: "not good" }]), 400, "invalid_request", "events[1].event_type"));

  it("500 events, and an event just under 1 MiB, are taken", async () => {
    const many = Array.from({ length: 500 }, (_, index) => ({ event_type: "note", data: index }));
    assert.equal(must(await world.post(town, agent_id, many), 201).appended, 500);
    const big = "y".repeat((1 << 20) - 300);
    must(await world.post(town, agent_id, [{ event_type: "big", data: { text: big } }]), 201);
    const viewer = await world.watch(`${town.path}/container/agents/${agent_id}/stream`);
    await viewer.until("the big one", () => named(viewer, "big").length === 1);
    const [event] = named(viewer, "big");
    assert.deepEqual(event.cut.map(({ path }) => path), ["/text"]);
    assert.equal(must(await world.api("GET", `${town.path}/events/${event.id}`)).data.text, big);
    viewer.cut();
  });
});

describe("an agent's token", () => {
  let token;
  const as = (one) => ({ token: one });
  before(async () => {
    await world.registerAgent(town, "self");
    await world.registerAgent(town, "sibling");
    token = await world.agentToken(town, "self");
  });

  it("posts as itself and reads its own events, nothing else", async () => {
    must(await world.post(town, "self", [{ event_type: "note", data: "mine" }], as(token)), 201);
    const own = await world.api("GET", `/api/rigs/${town.rig_id}/agents/self/events`, undefined, as(token));
    must(own);
    assert.equal(eventsOfRigLog(own).length, 1);
    mustRefuse(await world.post(town, "sibling", [{ event_type: "note" }], as(token)), 403, "forbidden");
    const foreign = await world.api("GET", `/api/rigs/${town.rig_id}/agents/sibling/events`, undefined, as(token));
    mustRefuse(foreign, 403, "forbidden");
    const elsewhere = await world.town("Elsewhere");
    const there = await world.post(elsewhere, "self", [{ event_type: "note" }], as(token));
    assert.ok(there.status === 403 || there.status === 404, `${there.status}`);
    assert.deepEqual(eventsOfRigLog(await rigLog("sibling")), []);
  });

  it("is no key to the operator's routes", async () => {
    const routes = [
      ["GET", "/api/towns"],
      ["POST", "/api/towns", { name: "mine" }],
      ["DELETE", town.path],
      ["POST", `${town.path}/rigs`, { name: "mine" }],
      ["POST", `/api/rigs/${town.rig_id}/agents`, { name: "x", role: "mayor" }],
      ["POST", `/api/rigs/${town.rig_id}/agents/self/token`, {}],
      ["POST", `${town.path}/container/agents/start`, { rig_id: town.rig_id, name: "x", role: "mayor", runtime: "process", command: ["true"] }],
      ["POST", `${town.path}/container/agents/self/stop`, {}],
    ];
    for (const [method, path, body] of routes) {
      const answer = await world.api(method, path, body, as(token));
      assert.ok([403, 404].includes(answer.status), `${method} ${path}: ${answer.status}`);
    }
    assert.equal(must(await world.api("GET", `${town.path}/rigs`)).length, 1);
  });

  it("expires, and says so", async () => {
    const brief = await world.agentToken(town, "self", 1);
    await sleep(2_100); // a JWT counts whole seconds
    mustRefuse(await world.post(town, "self", [{ event_type: "late" }], as(brief)), 401, "token_expired");
    assert.ok(!eventsOfRigLog(await rigLog("self")).some((text) => at(text, "event") === '"late"'));
  });

  it("is good in its own town only, though its rig is the right one", async () => {
    const of = (town_id) => signedJwt(world.secrets.TOWNWATCH_JWT_SECRET, { town_id, rig_id: town.rig_id, agent_id: "self", exp: 4_000_000_000 });
    must(await world.post(town, "self", [{ event_type: "note" }], as(of(town.town_id))), 201);
    const { town_id } = await world.town("Next door");
    for (const other of [town_id, "nowhere"]) {
      mustRefuse(await world.post(town, "self", [{ event_type: "next_door" }], as(of(other))), 403, "forbidden");
      const own = await world.api("GET", `/api/rigs/${town.rig_id}/agents/self/events`, undefined, as(of(other)));
      mustRefuse(own, 403, "forbidden");
    }
  });

  it("is refused when it was tampered with, or says that it needs no signature", async () => {
    const [head, claims, signature] = token.split(".");
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
    const forged = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, "base64url").toString()), agent_id: "sibling" })).toString("base64url");
    for (const one of [`${none}.${claims}.`, `${none}.${claims}.${signature}`, `${head}.${forged}.${signature}`, `${head}.${claims}.`, "a.b.c"]) {
      mustRefuse(await world.post(town, "self", [{ event_type: "forged" }], as(one)), 401, "unauthorized");
    }
  });
});

/** The raw texts of a page of the rig's own log. */
function eventsOfRigLog(answer) {
  must(answer);
  const data = at(answer.text, "data");
  return elements(data.startsWith("[") ? data : members(data).get("events"));
}
