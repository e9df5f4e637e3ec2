// The right by which a stream was opened does not grow by what its viewer says, also not while the town sleeps; and with the
// right the stream ends.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, describe, it } from "node:test";

import { present } from "../present.mjs";
import { EventSource } from "./event_source.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { request } from "./http.mjs";
import { connect } from "./socket.mjs";
import { sleep, until } from "./until.mjs";

/** A stream with all that comes over it. */
async function listen(address, headers) {
  const answer = await connect(address, headers);
  assert.equal(answer.status, 101, answer.text);
  const { socket } = answer;
  /** @type {{ socket: any, frames: any[], closed: { code: number, reason: string, at_ms: number } | null }} */
  const heard = { socket, frames: [], closed: null };
  socket.on("text", (text) => heard.frames.push(JSON.parse(text)));
  socket.on("close", (code, reason) => (heard.closed = { code, reason, at_ms: Date.now() }));
  socket.resume();
  // As the contract says, so that a close arrives at once.
  socket.send('{"type":"ping"}');
  await until("the answer to the first ping", () => heard.frames.some(({ type }) => type === "pong"));
  return heard;
}

const closeOf = (heard) => present(heard.closed, "a close");
const saysOf = (heard, agent_id) => JSON.stringify(heard.frames).includes(`"agent_id":"${agent_id}"`);

describe("a ticket for one agent's stream", () => {
  let world;
  let town;
  const ask = (heard, message) => heard.socket.send(JSON.stringify({ type: "subscribe", ...message }));
  const refusals = (heard) => heard.frames.filter(({ type, code }) => type === "error" && code === "forbidden");
  const BEYOND = [
    { agents: "*", after_id: 0 },
    { agents: "*" },
    { agents: ["another"], after_id: 0 },
    { agents: ["own", "another"], after_id: 0 },
    { agents: ["nobody"] },
  ];

  before(async () => {
    world = await startWorld({ control: false, evictable: true });
    town = await world.town();
    for (const agent_id of ["own", "another"]) {
      await world.registerAgent(town, agent_id);
      must(await world.post(town, agent_id, [{ event_type: "note", data: "history" }]), 201);
    }
    await until("the history", async () => must(await world.api("GET", `${town.path}/events`)).head === 2);
  });
  after(() => world?.stop());

  for (const format of ["frames", "flat"]) {
    it(`shows no other agent, whatever is subscribed to, before and after a sleep (${format})`, async () => {
      const stream = `${town.path}/container/agents/own/stream`;
      const heard = await listen(`${world.url}${stream}?ticket=${await world.ticket(stream)}&format=${format}`);
      for (const is_woken of [false, true]) {
        if (is_woken) {
          await sleep(1_500);
          await until("the eviction", () => world.worker.evict("Town", town.town_id), 40_000);
        }
        const before = refusals(heard).length;
        for (const message of BEYOND) ask(heard, message);
        await until("the refusals", () => refusals(heard).length === before + BEYOND.length);
        const [{ frame, message }] = refusals(heard);
        assert.equal(frame, "subscribe");
        assert.match(message, /own alone/);
        must(await world.post(town, "another", [{ event_type: "note", data: "live" }]), 201);
        must(await world.post(town, "own", [{ event_type: "note", data: `live ${is_woken}` }]), 201);
        await until("its own event", () => JSON.stringify(heard.frames).includes(`"live ${is_woken}"`));
        assert.ok(!saysOf(heard, "another"), JSON.stringify(heard.frames.filter((one) => JSON.stringify(one).includes("another"))));
      }
      ask(heard, { agents: ["own"], after_id: 0 });
      await until("what it may", () => heard.frames.some(({ type }) => type === "subscription_confirmed"));
      assert.equal(heard.closed, null);
      heard.socket.cut();
    });
  }

  it("is as narrow on an event stream; one for the town may watch any", async () => {
    const stream = `${town.path}/container/agents/own/stream`;
    const source = await EventSource.open(`${world.url}${stream}?ticket=${await world.ticket(stream)}`);
    await source.untilCaughtUp();
    must(await world.post(town, "another", [{ event_type: "note", data: 1 }]), 201);
    must(await world.post(town, "own", [{ event_type: "note", data: "last" }]), 201);
    await source.until("its own event", () => source.events.at(-1)?.data === "last");
    assert.ok(!source.text.includes("another"));
    source.cut();
    const heard = await listen(`${world.url}${town.stream}?ticket=${await world.ticket(town.stream)}`);
    ask(heard, { agents: ["another"], after_id: 0 });
    await until("the confirmation", () => heard.frames.some(({ type }) => type === "subscription_confirmed"));
    heard.socket.cut();
  });
});

describe("a right that ends", () => {
  let world;
  let town;
  const LIFE_MS = 6_000;

  before(async () => {
    world = await startWorld({ control: false, evictable: true });
    town = await world.town();
    await world.registerAgent(town, "one");
  });
  after(() => world?.stop());

  /** A session as the Worker makes it, but with an end that is near. */
  async function session(ends_at_ms) {
    const { session_id } = await world.signIn();
    const { TOWNWATCH_API_KEY: key, TOWNWATCH_JWT_SECRET: secret } = world.secrets;
    const base64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signingKey = createHmac("sha256", secret).update("townwatch session\0").update(key).digest();
    const said = `${base64({ alg: "HS256" })}.${base64({ session_id, exp: Math.floor(ends_at_ms / 1_000) })}`;
    const cookie = `townwatch_session_${new URL(world.url).port}=${said}.${createHmac("sha256", signingKey).update(said).digest("base64url")}`;
    return { cookie, origin: world.url };
  }

  it("ends what it opened at that moment: sockets with 4401, event streams with a last word and 401", async () => {
    const ends_at_ms = (Math.floor(Date.now() / 1_000) + LIFE_MS / 1_000) * 1_000;
    const headers = await session(ends_at_ms);
    const agentStream = `${town.path}/container/agents/one/stream`;
    const ticket = async (stream) => must(await world.api("POST", `${stream}-ticket`, {}, { token: null, headers })).ticket;
    const sockets = {
      "the cookie's": await listen(world.url + town.stream, headers),
      "the town's ticket's": await listen(`${world.url}${town.stream}?ticket=${await ticket(town.stream)}`),
      "the agent's ticket's, flat": await listen(`${world.url}${agentStream}?ticket=${await ticket(agentStream)}&format=flat`),
    };
    const stays = await listen(`${world.url}${town.stream}?ticket=${await world.ticket(town.stream)}`);
    const address = `${world.url}${town.stream}?ticket=${await ticket(town.stream)}`;
    const sources = { "the ticket's": await EventSource.open(address), "the cookie's": await EventSource.open(world.url + town.stream, headers) };
    for (const source of Object.values(sources)) await source.untilCaughtUp();
    const unused = await ticket(town.stream);
    const polled = request(`${world.url}${town.path}/events?after_id=0&wait_ms=30000`, { headers });
    for (const [name, heard] of Object.entries(sockets)) {
      await until(`the end of ${name} stream`, () => heard.closed !== null, LIFE_MS + 5_000);
      assert.equal(closeOf(heard).code, 4401, name);
      assert.match(closeOf(heard).reason, /right to this stream has ended/);
      const late_ms = closeOf(heard).at_ms - ends_at_ms;
      assert.ok(late_ms > -50 && late_ms < 2_500, `${name} ended ${late_ms} ms after its right`);
    }
    for (const [name, source] of Object.entries(sources)) {
      await source.until(`the end of ${name} event stream`, () => source.ended, 5_000);
      assert.deepEqual(source.of("error").map(({ code }) => code), ["unauthorized"], name);
      assert.equal(source.messages.at(-1).event, "error", "it is the last word");
    }
    const page = await polled;
    assert.deepEqual([page.status, page.json?.data.events], [200, []]);
    const back = await EventSource.open(address, { "last-event-id": sources["the ticket's"].last_event_id });
    assert.equal(back.status, 401, "a browser's event source stays away then");
    assert.equal((await EventSource.open(world.url + town.stream, headers)).status, 401);
    mustRefuse(await connect(`${world.url}${town.stream}?ticket=${unused}`), 401, "ticket_invalid");
    must(await world.post(town, "one", [{ event_type: "note", data: "after" }]), 201);
    await until("the event", () => JSON.stringify(stays.frames).includes('"after"'));
    for (const [name, heard] of Object.entries(sockets)) assert.ok(!JSON.stringify(heard.frames).includes('"after"'), name);
    assert.equal(stays.closed, null);
    stays.socket.cut();
  });

  it("ends a stream whose town sleeps at that moment", async () => {
    const headers = await session(Date.now() + LIFE_MS);
    const heard = await listen(world.url + town.stream, headers);
    await sleep(1_500);
    await until("the eviction", () => world.worker.evict("Town", town.town_id), 40_000);
    await until("the end", () => heard.closed !== null, LIFE_MS + 5_000);
    assert.equal(closeOf(heard).code, 4401);
  });

  it("ends all that a session has opened when that is ended, and nothing of another one, also where the town sleeps", async () => {
    const [mine, other] = [await world.signIn(), await world.signIn()].map(({ cookie, session_id }) => ({ headers: { cookie, origin: world.url }, session_id }));
    const ticketOf = async ({ headers }) => must(await world.api("POST", `${town.stream}-ticket`, {}, { token: null, headers })).ticket;
    const address = `${world.url}${town.stream}?ticket=${await ticketOf(mine)}`;
    const source = await EventSource.open(address);
    await source.untilCaughtUp();
    const sockets = [await listen(world.url + town.stream, mine.headers), await listen(`${world.url}${town.stream}?ticket=${await ticketOf(mine)}`)];
    const stays = await listen(world.url + town.stream, other.headers);
    const unused = await ticketOf(mine);
    must(await world.api("DELETE", `/api/sessions/${mine.session_id}`), 204);
    for (const heard of sockets) {
      await until("the end of the socket", () => heard.closed !== null, 3_000);
      assert.deepEqual([closeOf(heard).code, /right to this stream has ended/.test(closeOf(heard).reason)], [4401, true]);
    }
    await source.until("the end of the event stream", () => source.ended, 3_000);
    assert.deepEqual(source.of("error").map(({ code }) => code), ["unauthorized"]);
    assert.equal((await EventSource.open(address, { "last-event-id": source.last_event_id })).status, 401);
    mustRefuse(await connect(`${world.url}${town.stream}?ticket=${unused}`), 401, "ticket_invalid");
    mustRefuse(await connect(world.url + town.stream, mine.headers), 401, "unauthorized");
    mustRefuse(await world.api("GET", "/api/towns", undefined, { token: null, headers: mine.headers }), 401, "unauthorized");
    must(await world.api("GET", "/api/towns", undefined, { token: null, headers: other.headers }));
    assert.equal(stays.closed, null);
    await sleep(1_500);
    await until("the eviction", () => world.worker.evict("Town", town.town_id), 40_000);
    must(await world.api("DELETE", "/api/sessions", undefined, { token: null, headers: other.headers }), 204);
    await until("the end of the last one", () => stays.closed !== null, 3_000);
    assert.equal(closeOf(stays).code, 4401);
  });

  it("ends with the town: 4401, and a last word for event streams, which then find nothing", async () => {
    const other = await world.town("Lakeside");
    const heard = await listen(`${world.url}${other.stream}?ticket=${await world.ticket(other.stream)}`);
    const address = `${world.url}${other.stream}?ticket=${await world.ticket(other.stream)}`;
    const source = await EventSource.open(address);
    await source.untilCaughtUp();
    must(await world.api("DELETE", other.path), 204);
    await until("the end of the socket", () => heard.closed !== null, 3_000);
    assert.deepEqual([closeOf(heard).code, closeOf(heard).reason], [4401, "the town was deleted"]);
    await source.until("the end of the event stream", () => source.ended, 3_000);
    assert.deepEqual(source.of("error").map(({ code, message }) => [code, message]), [["not_found", "the town was deleted"]]);
    assert.equal((await EventSource.open(address, { "last-event-id": source.last_event_id })).status, 404);
  });
});
