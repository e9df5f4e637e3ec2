// Flat streams: each message one event, on a WebSocket and as an event stream, and nothing else unasked.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { EventSource } from "./event_source.mjs";
import { must, startWorld } from "./harness.mjs";
import { connect } from "./socket.mjs";
import { sleep, until } from "./until.mjs";

describe("a flat stream", () => {
  let world;
  let town;
  const bearer = () => ({ authorization: `Bearer ${world.secrets.TOWNWATCH_API_KEY}` });
  const note = async (data) => must(await world.post(town, "one", [{ event_type: "note", data }]), 201);
  const all = () => world.pages(`${town.path}/events`);
  const open = async (query = "") => {
    const { status, socket } = await connect(`${world.url}${town.stream}?format=flat${query}`, bearer());
    assert.equal(status, 101);
    const messages = [];
    socket.on("text", (text) => messages.push(JSON.parse(text)));
    socket.resume();
    return { socket, messages };
  };

  before(async () => {
    world = await startWorld({ evictable: true, control: false });
    town = await world.town();
    await world.registerAgent(town, "one");
    for (let number = 0; number < 5; number += 1) await note(number);
    must(await world.post(town, "one", [{ event_type: "agent.status", data: { status: "waiting" } }]), 201);
    await until("all that was posted", async () => (await all()).length === 6);
  });
  after(() => world?.stop());

  it("has each event as a message on a WebSocket: history, live, after an eviction, and no frame", async () => {
    const { socket, messages } = await open();
    await until("the history", () => messages.length >= 6);
    assert.deepEqual(messages, await all());
    for (const name of ["event", "data", "agent_id", "id", "at"]) assert.ok(name in messages[0], name);
    await note("live");
    await until("the live one", () => messages.length >= 7);
    await until("an eviction", () => world.worker.evict("Town", town.town_id));
    must(await world.post(town, "one", [{ event_type: "agent.status", data: { status: "running" } }, { event_type: "note", data: "later" }]), 201);
    await until("what came behind it", () => messages.length >= 9);
    await sleep(1_200); // a state would have been told by now
    assert.deepEqual(messages, await all());
    socket.send('{"type":"ping"}');
    await until("the answer", () => messages.length === 10);
    assert.deepEqual(messages.at(-1), { type: "pong" });
    socket.close();
  });

  it("goes on behind a cursor, and is sent what it acknowledges", async () => {
    const events = await all();
    const { socket, messages } = await open(`&flow=ack&after_id=${events[2].id}`);
    await until("the rest", () => messages.length >= events.length - 3);
    socket.send(JSON.stringify({ type: "ack", id: messages.at(-1).id }));
    await note("acknowledged");
    await until("one more", () => messages.length === events.length - 2);
    assert.deepEqual(messages.map(({ id }) => id), (await all()).slice(3).map(({ id }) => id));
    socket.close();
  });

  it("has events only as an event stream, too", async () => {
    const source = await EventSource.open(`${world.url}${town.stream}?format=flat&named=false`, bearer());
    const events = await all();
    await source.until("the history", () => source.messages.length >= events.length);
    await note("as it happens");
    await source.until("the live one", () => source.messages.length === events.length + 1);
    await source.until("a sign of life", () => source.comments > 0, 15_000);
    assert.deepEqual(source.messages.map(({ data }) => JSON.parse(data)), await all());
    assert.deepEqual(new Set(source.messages.map(({ event }) => event)), new Set(["message"]));
    assert.ok(source.retry_ms > 0);
    source.cut();
  });
});
