import assert from "node:assert/strict";
import { test } from "node:test";
import { event, FakeTown, hello, Recorder, settled } from "../testing/fake_town.ts";
import { TownStream } from "./stream.ts";

const OFFLINE = { kind: "offline" };

async function watching(town = new FakeTown()) {
  const seen = new Recorder();
  const stream = new TownStream(town.edges(), seen);
  stream.start();
  await settled();
  return { town, seen, stream };
}

/** After two attempts by WebSocket it reads an event stream. */
async function reading() {
  const watched = await watching();
  for (let attempt = 0; attempt < 2; attempt += 1) {
    watched.town.latest.cut();
    await watched.town.clock.pass(300);
  }
  const [first] = watched.town.readings;
  if (first === undefined) throw new Error("nobody reads");
  first.answer(200);
  first.send(hello("first", 0, false));
  first.send({ type: "caught_up", id: 0 });
  assert.deepEqual(watched.seen.now, { kind: "live", transport: "event_stream" });
  return { ...watched, first };
}

/** After two more by event stream it asks for page after page. */
async function polling() {
  const watched = await watching();
  const { town } = watched;
  for (let attempt = 0; attempt < 2; attempt += 1) {
    town.latest.cut();
    await town.clock.pass(300);
  }
  for (let attempt = 0; attempt < 2; attempt += 1) {
    town.readings.at(-1)?.cut();
    await town.clock.pass(1_000);
  }
  assert.deepEqual(watched.seen.now, { kind: "live", transport: "long_poll" });
  return watched;
}

test("is offline as soon as the browser says so, whatever the socket looks like, and stays so while nothing answers", async () => {
  const { town, seen, stream } = await watching();
  town.join();
  stream.setOnline(false);
  assert.deepEqual(seen.now, OFFLINE);
  // What was under way before still comes in, and proves nothing.
  town.happen(event(1));
  town.latest.send({ type: "caught_up", id: 1 });
  assert.deepEqual([seen.now, seen.ids], [OFFLINE, [1]]);
  await town.clock.pass(6_500);
  assert.ok(town.connections[0]?.closedByClient, "it was asked and had five seconds");
  assert.ok(town.connections.length > 1, "and others are tried");
  await town.clock.pass(15_000);
  assert.deepEqual(new Set(seen.connections.slice(seen.connections.findIndex(({ kind }) => kind === "offline")).map(({ kind }) => kind)), new Set(["offline"]));
});

test("who answers all the same is not offline: localhost needs no network", async () => {
  const { town, seen, stream } = await watching();
  town.join();
  stream.setOnline(false);
  await town.clock.pass(1_000);
  assert.deepEqual([seen.now, town.latest.received], [OFFLINE, [{ type: "ping" }]]);
  town.latest.send({ type: "pong" });
  assert.deepEqual(seen.now, { kind: "live", transport: "web_socket" });
  await town.clock.pass(20_000);
  assert.equal(town.connections.length, 1);
  town.latest.cut();
  assert.deepEqual(seen.now, OFFLINE, "a cut without a network is no other cut");
});

test("a town that is reached without a network is live", async () => {
  const { town, seen, stream } = await watching();
  town.join();
  stream.setOnline(false);
  await town.clock.pass(7_000);
  town.join();
  assert.deepEqual(seen.now, { kind: "live", transport: "web_socket" });
});

test("a network that is back is used at once", async () => {
  const { town, seen, stream } = await watching();
  town.join();
  stream.setOnline(false);
  town.latest.cut();
  await town.clock.pass(3_000);
  const tried = town.connections.length;
  stream.setOnline(true);
  await settled();
  assert.deepEqual([seen.now, town.connections.length], [{ kind: "connecting" }, tried + 1]);
  town.join();
  assert.deepEqual(seen.now, { kind: "live", transport: "web_socket" });
});

test("a socket that lived through it is asked, and is live again when it answers", async () => {
  const { town, seen, stream } = await watching();
  town.join();
  stream.setOnline(false);
  await town.clock.pass(500);
  stream.setOnline(true);
  assert.deepEqual([seen.now, town.latest.received], [{ kind: "connecting" }, [{ type: "ping" }]]);
  town.latest.send({ type: "pong" });
  assert.deepEqual([seen.now, town.connections.length], [{ kind: "live", transport: "web_socket" }, 1]);
});

test("a socket that did not is left five seconds later", async () => {
  const { town, seen, stream } = await watching();
  town.join();
  stream.setOnline(false);
  await town.clock.pass(500);
  stream.setOnline(true);
  await town.clock.pass(5_000);
  assert.ok(town.connections[0]?.closedByClient);
  assert.equal(seen.now?.kind, "reconnecting");
});

test("an event stream is offline at once, lives by its next beat, and begins anew when the network is back", async () => {
  const { town, seen, stream, first } = await reading();
  stream.setOnline(false);
  assert.deepEqual(seen.now, OFFLINE);
  await town.clock.pass(9_000);
  first.send({ type: "heartbeat", at: "", id: 0 });
  assert.deepEqual(seen.now, { kind: "live", transport: "event_stream" });
  stream.setOnline(true);
  await settled();
  assert.ok(first.closedByClient);

  const other = await reading();
  other.stream.setOnline(false);
  await other.town.clock.pass(17_000);
  assert.ok(other.first.closedByClient, "no beat came");
  assert.deepEqual(other.seen.now, OFFLINE);
});

test("a long poll is offline at once, and lives by its next answer", async () => {
  const { town, seen, stream } = await polling();
  stream.setOnline(false);
  assert.deepEqual(seen.now, OFFLINE);
  await town.clock.pass(2_000);
  town.happen(event(1));
  await settled();
  assert.deepEqual([seen.now, seen.ids], [{ kind: "live", transport: "long_poll" }, [1]]);
});

test("a page that is opened without a network says so", async () => {
  const town = new FakeTown();
  const seen = new Recorder();
  const stream = new TownStream(town.edges(), seen);
  stream.setOnline(false);
  stream.start();
  await settled();
  assert.deepEqual(seen.now, OFFLINE);
});

test("who has ended does not begin again because of the network", async () => {
  const { town, seen, stream } = await watching();
  town.join();
  town.latest.cut(1000);
  stream.setOnline(false);
  stream.setOnline(true);
  await town.clock.pass(60_000);
  assert.deepEqual([seen.now, town.connections.length], [{ kind: "ended" }, 1]);
});
