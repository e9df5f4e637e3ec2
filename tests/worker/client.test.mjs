// The dashboard's client against the real Worker, by each of its transports: through kills of workerd, a cut cable and a
// silent one, every event comes once, in order, and what it says of the connection is true.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { Cable } from "./cable.mjs";
import { Client } from "./client.mjs";
import { must, startWorld } from "./harness.mjs";
import { sleep } from "./until.mjs";

/** A process that prints a numbered line every 100 ms, for three minutes at most. */
const COUNTING = ["sh", "-c", "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); sleep 0.1; done"];
const WAYS = [
  { transport: "web_socket", refuses: null },
  { transport: "event_stream", refuses: /upgrade: websocket/i },
  { transport: "long_poll", refuses: /upgrade: websocket|accept: text\/event-stream/i },
];

const portOf = (url) => Number(new URL(url).port);
const linesOf = (events) => events.filter(({ event }) => event === "agent_output").map(({ data }) => data.text.trimEnd());

describe("the dashboard's client", () => {
  let world;
  let town;
  const cables = [];
  const clients = [];
  const watch = async (refuses = /** @type {RegExp | null} */ (null)) => {
    const cable = await Cable.lay(() => portOf(world.url));
    cable.refuses = refuses;
    const client = new Client(world, town, cable.url);
    cables.push(cable);
    clients.push(client);
    return { cable, client };
  };
  const untilMore = (client, count) => {
    const had = client.events.length;
    return client.until(`${count} more events`, () => client.events.length >= had + count);
  };

  before(async () => {
    world = await startWorld();
    town = await world.town();
    await world.startAgent(town, { agent_id: "counting", runtime: "process", command: COUNTING });
  });
  after(async () => {
    for (const client of clients) client.stop();
    for (const cable of cables) await cable.stop();
    await world?.stop();
  });

  it("finds the way that is open, and says which", async () => {
    const found = await Promise.all(WAYS.map(({ refuses }) => watch(refuses)));
    for (const { client } of found) await client.untilLive(60_000);
    assert.deepEqual(found.map(({ client }) => client.now.transport), WAYS.map(({ transport }) => transport));
    for (const { client } of found) await untilMore(client, 20);
  });

  it("lives through kills of workerd, by each way", async () => {
    for (let kill = 1; kill <= 2; kill += 1) {
      await world.worker.kill();
      for (const client of clients) await client.until("word that it is gone", () => client.now.kind === "reconnecting" || client.now.kind === "connecting");
      await world.worker.start();
      for (const client of clients) {
        await client.untilLive(60_000);
        await untilMore(client, 20);
      }
    }
  });

  it("lives through a cut cable", async () => {
    for (const cable of cables) cable.cut();
    await sleep(1_500);
    for (const client of clients) assert.notEqual(client.now.kind, "live");
    for (const cable of cables) cable.mend();
    for (const client of clients) {
      await client.untilLive(60_000);
      await untilMore(client, 20);
    }
  });

  it("finds out by itself that a connection is silent, and says so", async () => {
    const [, cable] = cables;
    const [, client] = clients;
    cable.silence();
    await client.until("that it is stale", () => client.now.kind === "stale", 60_000);
    const { since_ms } = client.now;
    assert.ok(Date.now() - since_ms >= 20_000, "two heartbeats of ten seconds are missing");
    await client.until("the end of its patience", () => client.now.kind === "reconnecting");
    cable.mend();
    await client.untilLive(60_000);
  });

  it("gives a silent connection up five seconds after it was asked, and not before", async () => {
    const [cable] = cables;
    const [client] = clients;
    cable.silence();
    // What was on its way has come.
    await sleep(500);
    const asked = Date.now();
    client.probe();
    await client.until("its verdict", () => client.now.kind !== "live");
    const took_ms = Date.now() - asked;
    assert.ok(took_ms >= 4_900 && took_ms < 8_000, `${took_ms} ms`);
    assert.equal(client.said.findLast(({ kind }) => kind === "reconnecting").reason, "The connection went silent.");
    cable.mend();
    await client.untilLive(60_000);
  });

  it("has had every event once, in order, by each way", async () => {
    must(await world.api("POST", `${town.path}/container/agents/counting/stop`, { signal: "SIGKILL" }));
    for (const client of clients) await client.until("the end", () => client.events.some(({ event }) => event === "agent.exited"), 60_000);
    const log = await world.pages(`${town.path}/events`);
    const lines = linesOf(log);
    assert.ok(lines.length > 200, `${lines.length} lines`);
    assert.deepEqual(lines, lines.map((_, number) => `line ${number}`));
    for (const [index, client] of clients.entries()) {
      const { transport } = WAYS[index];
      const told = log.filter(({ id }) => id > client.begins_behind);
      assert.deepEqual(client.events.map(({ id }) => id), told.map(({ id }) => id), transport);
      assert.deepEqual(client.events, told, transport);
      const everything = await client.everything();
      assert.deepEqual(everything.events().sort((one, other) => one.id - other.id), log, `${transport}, with what was before`);
      assert.deepEqual([client.resets, client.gaps, client.problems], [0, [], []], transport);
      await client.until("the state of the end", () => client.states.get("counting")?.exit?.reason === "stopped");
    }
  });

  it("is told that it may not, and stops asking", async () => {
    const stranger = new Client({ url: world.url, secrets: { TOWNWATCH_API_KEY: "wrong" } }, town);
    await stranger.until("the refusal", () => stranger.now.kind === "denied");
    assert.deepEqual([stranger.now.status, stranger.now.code], [401, "unauthorized"]);
    const nowhere = new Client(world, { town_id: "none" });
    await nowhere.until("the refusal", () => nowhere.now.kind === "denied");
    assert.equal(nowhere.now.status, 404);
    assert.deepEqual(nowhere.said.map(({ kind }) => kind), ["connecting", "denied"]);
  });
});

describe("the dashboard's client and a log longer than what is kept", () => {
  let world;
  after(() => world?.stop());

  it("is told what is gone", async () => {
    world = await startWorld({ vars: { EVENT_CAP: 100 }, control: false });
    const town = await world.town();
    await world.registerAgent(town, "poster");
    const note = (_, number) => ({ event_type: "note", data: number });
    for (let batch = 0; batch < 3; batch += 1) must(await world.post(town, "poster", Array.from({ length: 100 }, note)), 201);
    const client = new Client(world, town);
    await client.untilLive();
    const everything = await client.everything();
    client.stop();
    const [gap, ...others] = everything.rows.all.filter(({ kind }) => kind === "gap");
    assert.deepEqual([gap.agent_id, others, everything.hasLost], ["poster", [], true]);
    assert.match(/** @type {any} */ (gap).text, /events from before this are gone/);
    assert.equal(everything.rows.all[0], gap, "it stands before what is left");
    assert.deepEqual(everything.events(), await world.pages(`${town.path}/events`));
  });
});
