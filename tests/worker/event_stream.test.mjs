// Event streams (SSE): the same history and the same live events as on a socket, pulled by the reader.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { EventSource } from "./event_source.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { request } from "./http.mjs";
import { elements, members } from "./raw_json.mjs";

const CAP = 60;
const FRIEND = "https://watch.example";

describe("an event stream", () => {
  let world;
  let town;
  const operator = () => ({ authorization: `Bearer ${world.secrets.TOWNWATCH_API_KEY}` });
  const open = (path, query = {}, headers = {}) =>
    EventSource.open(`${world.url}${path}?${new URLSearchParams(query)}`, { ...operator(), ...headers });
  const caughtUp = async (...args) => {
    const source = await open(...args);
    await source.untilCaughtUp();
    return source;
  };
  const agentStream = (agent_id) => `${town.path}/container/agents/${agent_id}/stream`;
  const note = async (agent_id, data) => must(await world.post(town, agent_id, [{ event_type: "note", data }]), 201);
  const ids = (source) => source.events.map(({ id }) => id);

  before(async () => {
    world = await startWorld({ vars: { EVENT_CAP: CAP, ALLOWED_ORIGINS: FRIEND } });
    town = await world.town();
    for (const agent_id of ["one", "two"]) {
      await world.registerAgent(town, agent_id);
      for (let number = 0; number < 10; number += 1) await note(agent_id, number);
    }
    const viewer = await world.watch(town.stream);
    await viewer.until("all that was posted", () => viewer.events.length === 20);
    viewer.leave();
  });
  after(() => world?.stop());

  it("tells caches and proxies to keep off, and browsers when to come back", async () => {
    const source = await caughtUp(town.stream);
    const { headers } = source;
    assert.equal(source.status, 200);
    assert.match(headers["content-type"], /^text\/event-stream(;|$)/);
    assert.equal(headers["cache-control"], "no-cache, no-transform");
    assert.equal(headers["x-accel-buffering"], "no");
    assert.match(source.text, /^retry: \d+\nevent: hello\ndata: /, "in the first message, not in a block of its own");
    assert.ok(source.retry_ms >= 100 && source.retry_ms <= 10_000, `${source.retry_ms}`);
    source.cut();
  });

  it("lets pages of allowed origins read it, and no others open it", async () => {
    const source = await open(town.stream, {}, { origin: FRIEND });
    assert.deepEqual([source.status, source.headers["access-control-allow-origin"], source.headers.vary], [200, FRIEND, "Origin"]);
    assert.equal(source.headers["access-control-allow-credentials"], "true");
    source.cut();
    const program = await open(town.stream);
    const named = Object.keys(program.headers).filter((name) => name.startsWith("access-control"));
    assert.deepEqual([program.status, named], [200, []], "nothing is said to who names no origin");
    program.cut();
    const foreign = await open(town.stream, {}, { origin: `${FRIEND}.evil.example` });
    assert.deepEqual([foreign.status, JSON.parse(foreign.text).error.code], [403, "origin_not_allowed"]);
  });

  it("lets pages of allowed origins send a header along, and no others", async () => {
    const ask = (origin, path = town.stream, method = "GET") =>
      request(`${world.url}${path}`, { method: "OPTIONS", headers: { origin, "access-control-request-method": method } });
    const allowed = await ask(FRIEND);
    const said = (name) => allowed.headers[`access-control-${name}`];
    assert.deepEqual([allowed.status, said("allow-origin"), said("allow-credentials")], [204, FRIEND, "true"]);
    assert.match(said("allow-headers"), /Authorization/);
    assert.equal(said("allow-methods"), "GET");
    for (const origin of ["https://other.example", "null"]) {
      const foreign = await ask(origin);
      assert.deepEqual([foreign.status, foreign.headers["access-control-allow-origin"]], [403, undefined], origin);
    }
    assert.equal((await ask(FRIEND, `${town.path}/events`)).status, 405, "streams only");
    assert.equal((await ask(FRIEND, town.stream, "DELETE")).status, 405);
  });

  it("gives hello, states, history, caught_up, then live, each event a message of its own", async () => {
    const source = await caughtUp(town.stream);
    const names = source.messages.map(({ event }) => event);
    assert.deepEqual(names, ["hello", "state", "state", ...Array(20).fill("note"), "caught_up"]);
    const page = must(await world.api("GET", `${town.path}/events?after_id=0`));
    assert.deepEqual(source.events, page.events);
    assert.deepEqual(source.messages.filter(({ id }) => id).map(({ id }) => Number(id)), page.events.map(({ id }) => id));
    const hello = source.of("hello")[0];
    assert.equal(hello.epoch, page.epoch);
    assert.deepEqual(hello.settings, must(await world.api("GET", "/api/settings")));
    assert.deepEqual([hello.settings.event_cap, hello.settings.stream_enabled, hello.settings.ticket_ttl_seconds], [CAP, true, 60]);
    mustRefuse(await world.api("GET", "/api/settings", undefined, { token: null }), 401, "unauthorized");
    await note("one", "live");
    await source.until("the live one", () => source.events.length === 21);
    assert.equal(source.events.at(-1).data, "live");
    source.cut();
  });

  it("begins where it is asked to; Last-Event-ID beats from beats after_id", async () => {
    const page = must(await world.api("GET", `${town.path}/events?after_id=0&limit=1000`));
    const all = page.events.map(({ id }) => id);
    const middle = all[9];
    const cases = [
      [{ from: middle }, {}, all.slice(9)],
      [{ from: middle + 1 }, {}, all.slice(10)],
      [{ from: 0 }, {}, all],
      [{ from: 1 }, {}, all],
      [{ from: -3 }, {}, all],
      [{ from: 999_999 }, {}, []],
      [{ tail: 4 }, {}, all.slice(-4)],
      [{ after_id: all[2], from: middle }, {}, all.slice(9)],
      [{ from: all[2] }, { "last-event-id": `${middle}` }, all.slice(10)],
      [{ tail: 4 }, { "last-event-id": `${page.epoch}.${middle}` }, all.slice(10)],
    ];
    for (const [query, headers, expected] of cases) {
      const source = await caughtUp(town.stream, query, headers);
      assert.deepEqual(ids(source), expected, JSON.stringify([query, headers]));
      assert.equal(source.of("hello")[0].reset, false);
      source.cut();
    }
    for (const [query, headers] of [[{ after_id: 999_999 }, {}], [{}, { "last-event-id": `other-life.${middle}` }]]) {
      const source = await caughtUp(town.stream, query, headers);
      assert.deepEqual([source.of("hello")[0].reset, ids(source)], [true, all], JSON.stringify([query, headers]));
      source.cut();
    }
  });

  it("is refused as a socket is: bad cursors, no right to it, a used ticket, no such town", async () => {
    for (const query of [{ after_id: "x" }, { after_id: -1 }, { from: "x" }, { tail: 1, after_id: 1 }]) {
      const refused = await open(town.stream, query);
      assert.deepEqual([refused.status, JSON.parse(refused.text).error.code], [400, "invalid_request"], JSON.stringify(query));
    }
    const nobody = await EventSource.open(`${world.url}${town.stream}`);
    assert.equal(nobody.status, 401);
    const ticket = await world.ticket(town.stream);
    const source = await EventSource.open(`${world.url}${town.stream}?ticket=${ticket}`);
    assert.equal(source.status, 200);
    source.cut();
    const again = await EventSource.open(`${world.url}${town.stream}?ticket=${ticket}`);
    assert.deepEqual([again.status, JSON.parse(again.text).error.code], [401, "ticket_invalid"]);
    assert.equal((await open("/api/towns/nowhere/stream")).status, 404);
    mustRefuse(await world.api("GET", town.stream), 426, "upgrade_required");
  });

  it("brings every character as it was: CR, LF, NUL, U+2028, and JSON with line breaks between its parts", async () => {
    const text = "a\rb\nc\r\nd\u0000e\u2028f\u2029g\ufeffh\u0085i😀j";
    const source = await caughtUp(agentStream("two"), { tail: 0 });
    await note("two", { text });
    const pretty = '{"deep":\r\n  [1,\r 2,\n\n 3]}';
    const body = `{"agent_id":"two","events":[{"event_type":"note","data":${pretty}},{"event_type":"note","data":"\\ud800"}]}`;
    must(await world.api("POST", `/api/rigs/${town.rig_id}/agent-events`, body), 201);
    await source.until("all three", () => source.messages.filter(({ id }) => id).length === 3);
    const [first, second, third] = source.events;
    assert.deepEqual(first.data, { text });
    assert.deepEqual(second.data, { deep: [1, 2, 3] });
    assert.equal(third.data, "\ud800");
    const page = await world.api("GET", `${town.path}/agents/two/events?tail=3`);
    const raw = elements(members(members(page.text).get("data")).get("events"));
    const data = source.messages.filter(({ id }) => id).map((message) => message.data);
    assert.deepEqual(data, raw.map((event) => event.replaceAll(/[\r\n]/g, " ")));
    source.cut();
  });

  it("goes on behind its last event after a cut, and misses nothing", async () => {
    const source = await caughtUp(town.stream, { tail: 2 });
    source.cut();
    await note("one", "while away");
    const back = await caughtUp(town.stream, { tail: 2 }, { "last-event-id": source.last_event_id });
    await back.until("what came meanwhile", () => back.events.length > 0);
    assert.deepEqual(back.events.map(({ data }) => data), ["while away"]);
    back.cut();
  });

  it("tells what is pruned before the agent's first event", async () => {
    for (let number = 0; number < 7; number += 1) {
      must(await world.post(town, "one", Array(10).fill({ event_type: "note", data: number })), 201);
    }
    const source = await caughtUp(agentStream("one"));
    const gap = source.messages.findIndex(({ event }) => event === "gap");
    const first = source.messages.findIndex(({ id }) => id !== undefined);
    assert.ok(gap > 0 && gap < first, `${gap} ${first}`);
    const { from, to, reason, agent_id } = source.of("gap")[0];
    assert.deepEqual([agent_id, from, reason], ["one", 1, "pruned"]);
    assert.equal(source.events.length, CAP);
    assert.ok(source.events[0].id > to);
    source.cut();
  });

  it("ends with the run where that is asked, and sends states as they change", async () => {
    const source = await open(agentStream("runner"), { until: "exit" });
    const { run_id } = await world.startAgent(town, { agent_id: "runner", runtime: "replay", transcript: "basic", speed: 0 });
    await source.until("its end", () => source.ended);
    assert.equal(source.broken, null);
    const exits = source.events.filter(({ event }) => event === "agent.exited");
    assert.deepEqual(exits.map((exit) => exit.run_id), [run_id]);
    assert.equal(source.events.at(-1).event, "agent.exited");
    assert.ok(source.of("state").length >= 1);
    const page = must(await world.api("GET", `${town.path}/agents/runner/events?after_id=0&limit=1000`));
    assert.deepEqual(source.events, page.events);
  });

  it("sends away who comes back past that end, and nobody else", async () => {
    const page = must(await world.api("GET", `${town.path}/agents/runner/events?after_id=0&limit=1000`));
    const exit = page.events.at(-1).id;
    const back = (id, /** @type {{ until?: string }} */ query = { until: "exit" }) => open(agentStream("runner"), query, { "last-event-id": `${id}`, origin: FRIEND });
    const past = await back(exit);
    assert.deepEqual([past.status, past.text, past.headers["access-control-allow-origin"]], [204, "", FRIEND]);
    assert.equal((await back(`${page.epoch}.${exit}`)).status, 204);
    const before_it = await back(page.events.at(-2).id);
    await before_it.until("its end", () => before_it.ended);
    assert.deepEqual([before_it.status, ids(before_it)], [200, [exit]]);
    const first = await open(agentStream("runner"), { until: "exit", after_id: exit });
    await first.until("its end", () => first.ended);
    assert.deepEqual([first.status, first.messages[0].event], [200, "hello"], "one that was never here is told what there is");
    const open_end = await back(exit, {});
    assert.equal(open_end.status, 200);
    open_end.cut();
  });

  it("gives events without names to who asks, and leaves other frames theirs", async () => {
    const source = await caughtUp(agentStream("two"), { tail: 3, named: "false" });
    assert.deepEqual(source.messages.map(({ event }) => event), ["hello", "state", "message", "message", "message", "caught_up"]);
    assert.deepEqual(source.of("message"), source.events);
    const page = must(await world.api("GET", `${town.path}/agents/two/events?tail=3`));
    assert.deepEqual(source.events, page.events);
    source.cut();
    assert.equal((await open(town.stream, { named: "no" })).status, 400);
  });

  it("shows what is being typed, and a heartbeat every ten seconds", async () => {
    const source = await caughtUp(agentStream("typist"));
    await world.startAgent(town, { agent_id: "typist", runtime: "replay", transcript: "basic", speed: 0.2 });
    await source.until("a preview", () => source.of("preview").length > 0);
    const { agent_id, offset, text } = source.of("preview")[0];
    assert.deepEqual([agent_id, offset], ["typist", 0]);
    await source.until("the message", () => source.events.some(({ data }) => data.text?.startsWith(text)), 30_000);
    await source.until("a heartbeat", () => source.of("heartbeat").length > 0, 15_000);
    const { at, id } = source.of("heartbeat")[0];
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 20_000);
    assert.ok(Number.isInteger(id) && id >= 0);
    source.cut();
  });
});
