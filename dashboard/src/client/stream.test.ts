import assert from "node:assert/strict";
import { test } from "node:test";
import { agentState } from "../testing/agent_state.ts";
import { event, events, FakeTown, hello, Recorder, settled } from "../testing/fake_town.ts";
import { ApiFailure } from "./api.ts";
import { TownStream } from "./stream.ts";

async function watching(town = new FakeTown()) {
  const seen = new Recorder();
  const stream = new TownStream(town.edges(), seen);
  stream.start();
  await settled();
  return { town, seen, stream };
}

test("begins at the live end, and says behind which event", async () => {
  const town = new FakeTown();
  town.log = events(1, 3);
  const { seen } = await watching(town);
  assert.equal(town.latest.url, "wss://town.test/api/towns/town/stream?ticket=t1&flow=ack&tail=0");
  assert.deepEqual(seen.now, { kind: "connecting" });
  town.join();
  assert.deepEqual(seen.connections.slice(1), [
    { kind: "catching_up", done: 0, total: 0 },
    { kind: "live", transport: "web_socket" },
  ]);
  town.happen(event(4));
  assert.deepEqual([seen.begins, seen.ids], [[3], [4]]);
});

test("what happens before all states are here comes behind them; a cut before that loses nothing", async () => {
  const town = new FakeTown();
  town.log = events(1, 3);
  const { seen } = await watching(town);
  town.latest.send(hello("first", 3, false));
  town.latest.cut();
  town.log.push(event(4));
  await town.clock.pass(200);
  assert.equal(town.latest.parameter("after_id"), "3");
  town.join();
  assert.deepEqual([seen.begins, seen.ids, seen.now?.kind], [[3], [4], "live"]);
});

test("drops what comes twice, agent by agent", async () => {
  const { town, seen } = await watching();
  town.join();
  town.happen(event(1), event(2));
  town.latest.send({ type: "events", events: [event(2), event(3), { ...event(2), agent_id: "other" }], backfill: false });
  assert.deepEqual(seen.ids, [1, 2, 3, 2]);
});

test("an agent called __proto__ is an agent like any other", async () => {
  const { town, seen } = await watching();
  town.join();
  const hostile = { ...event(1), agent_id: "__proto__" };
  town.latest.send({ type: "events", events: [hostile], backfill: false });
  town.latest.send({ type: "events", events: [hostile, { ...event(2), agent_id: "constructor" }], backfill: false });
  assert.deepEqual(seen.ids, [1, 2]);
});

test("after a cut it resumes behind the last event, with a fresh ticket", async () => {
  const { town, seen } = await watching();
  town.join();
  town.happen(...events(1, 5));
  town.latest.cut();
  assert.equal(seen.now?.kind, "reconnecting");
  town.log.push(...events(6, 8));
  await town.clock.pass(200);
  assert.equal(town.latest.url, "wss://town.test/api/towns/town/stream?ticket=t2&flow=ack&after_id=5&epoch=first");
  town.join();
  assert.deepEqual(seen.ids, [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(seen.resets, 0);
  assert.equal(seen.now?.kind, "live");
});

test("what an abandoned connection still delivers is not heard", async () => {
  const { town, seen } = await watching();
  town.join();
  const old = town.latest;
  old.cut();
  await town.clock.pass(200);
  town.join();
  old.send({ type: "events", events: [event(99)], backfill: false });
  old.cut();
  assert.deepEqual(seen.ids, []);
  assert.equal(seen.now?.kind, "live");
});

test("another epoch voids everything before it", async () => {
  const { town, seen } = await watching();
  town.join();
  town.happen(...events(1, 5));
  town.latest.cut();
  town.epoch = "second";
  town.log = events(1, 2);
  await town.clock.pass(200);
  town.join();
  await settled();
  assert.deepEqual([seen.resets, town.latest.parameter("tail")], [1, "0"], "it begins at the live end of the new log, too");
  town.join();
  town.happen(event(3));
  assert.deepEqual([seen.begins, seen.ids, seen.resets, seen.now?.kind], [[0, 2], [3], 1, "live"]);
});

test("gaps and problems are handed on", async () => {
  const { town, seen } = await watching();
  town.latest.send(hello("first", 9, false));
  town.latest.send({ type: "gap", agent_id: "agent", from: 1, to: 7, count: 7, reason: "pruned" });
  town.latest.send({ type: "error", code: "invalid_request", message: "no" });
  town.latest.send({ type: "heard_of_in_2030" });
  assert.deepEqual(seen.gaps.map(({ from, to, reason }) => ({ from, to, reason })), [{ from: 1, to: 7, reason: "pruned" }]);
  assert.deepEqual(seen.problems, ["invalid_request"]);
});

test("shows what is typed until its event comes, or until a cut", async () => {
  const { town, seen } = await watching();
  town.join();
  const part = { type: "preview" as const, agent_id: "agent", run_id: "run", message_id: "m" };
  town.latest.send({ ...part, offset: 0, text: "Hel" });
  town.latest.send({ ...part, offset: 3, text: "lo" });
  town.happen(event(1, "agent_output", { text: "Hello", stream: "assistant", message_id: "m" }));
  assert.deepEqual(seen.typed, [["Hel"], ["Hello"], []]);
  town.latest.send({ ...part, message_id: "n", offset: 0, text: "And" });
  town.latest.cut();
  assert.deepEqual(seen.typed.slice(3), [["And"], []]);
});

test("acknowledges every hundred events, at the end of history, and at once when the town pauses", async () => {
  const { town, seen } = await watching();
  town.join();
  town.latest.cut();
  await town.clock.pass(200);
  town.log = events(1, 250);
  town.latest.send(hello("first", 250, false));
  for (const first of [1, 51, 101, 151, 201]) {
    town.latest.send({ type: "events", events: events(first, first + 49), backfill: true });
  }
  assert.deepEqual(town.latest.received, [{ type: "ack", id: 100 }, { type: "ack", id: 200 }]);
  town.latest.send({ type: "caught_up", id: 250 });
  assert.deepEqual(town.latest.received.at(-1), { type: "ack", id: 250 });
  town.latest.send({ type: "backpressure", level: "paused", lag_events: 40 });
  assert.equal(town.latest.received.length, 4);
  assert.deepEqual(seen.now, { kind: "catching_up", done: 0, total: 40 });
  town.latest.send({ type: "events", events: events(251, 270), backfill: true });
  town.latest.send({ type: "backpressure", level: "paused", lag_events: 30 });
  assert.deepEqual(seen.now, { kind: "catching_up", done: 20, total: 50 }, "who pauses again goes on counting");
});

test("acknowledges every megabyte of states, before there is an event", async () => {
  const { town } = await watching();
  town.latest.send(hello("first", 0, false));
  const agent = agentState({ agent_id: "many", title: "x".repeat(300_000) });
  for (let count = 0; count < 7; count += 1) town.latest.send({ type: "state", agent });
  assert.deepEqual(town.latest.received, [{ type: "ack", id: 0 }]);
  town.latest.send({ type: "state", agent });
  assert.deepEqual(town.latest.received, [{ type: "ack", id: 0 }, { type: "ack", id: 0 }]);
});

test("pings as soon as there is a connection, before anything else", async () => {
  const { town } = await watching();
  town.latest.open();
  assert.deepEqual(town.latest.received, [{ type: "ping" }]);
});

test("says stale after two unanswered pings, and gives the connection up if it stays silent", async () => {
  const { town, seen } = await watching();
  town.join();
  await town.clock.pass(30_000);
  assert.deepEqual(town.latest.received, [{ type: "ping" }]);
  town.latest.send({ type: "pong" });
  await town.clock.pass(60_000);
  assert.equal(seen.now?.kind, "live");
  await town.clock.pass(30_000);
  assert.deepEqual(seen.now, { kind: "stale", since_ms: town.clock.now_ms() - 90_000 });
  town.latest.send({ type: "pong" });
  assert.equal(seen.now?.kind, "live", "a sign of life takes it back");
  await town.clock.pass(95_000);
  assert.equal(seen.now?.kind, "reconnecting");
  assert.ok(town.connections[0]?.closedByClient);
  await town.clock.pass(200);
  assert.equal(town.connections.length, 2);
});

test("a probe has five seconds to be answered", async () => {
  const { town, seen, stream } = await watching();
  town.join();
  stream.probe();
  assert.deepEqual(town.latest.received, [{ type: "ping" }]);
  await town.clock.pass(4_000);
  town.latest.send({ type: "pong" });
  await town.clock.pass(4_000);
  assert.equal(seen.now?.kind, "live");
  stream.probe();
  await town.clock.pass(5_000);
  assert.equal(seen.now?.kind, "reconnecting");
  stream.probe();
  await settled();
  assert.equal(town.connections.length, 2, "who waits for a next try tries at once");
});

test("a probe begins anew what hangs before it is open", async () => {
  const { town, stream } = await watching();
  await town.clock.pass(2_000);
  stream.probe();
  await settled();
  assert.equal(town.connections.length, 1, "it has just begun");
  await town.clock.pass(4_000);
  stream.probe();
  await settled();
  assert.deepEqual([town.connections.length, town.connections[0]?.closedByClient], [2, true]);
});

test("where no WebSocket opens it reads an event stream, and later tries a WebSocket again", async () => {
  const { town, seen } = await watching();
  town.latest.cut();
  await town.clock.pass(100);
  town.latest.cut();
  await town.clock.pass(200);
  const [reading] = town.readings;
  assert.equal(reading?.url, "/api/towns/town/stream?ticket=t3&tail=0");
  reading?.answer(200);
  reading?.send(hello("first", 0, false));
  town.log = events(1, 2);
  for (const one of town.log) reading?.sendEvent(one);
  reading?.send({ type: "caught_up", id: 2 });
  assert.deepEqual([seen.now, seen.ids], [{ kind: "live", transport: "event_stream" }, [1, 2]]);
  for (let beat = 0; beat < 30; beat += 1) {
    await town.clock.pass(10_000);
    reading?.send({ type: "heartbeat", at: "", id: 2 });
  }
  assert.equal(seen.now?.kind, "live");
  reading?.cut();
  await town.clock.pass(100);
  town.join();
  assert.deepEqual(seen.now, { kind: "live", transport: "web_socket" });
});

test("an event stream's refusal says how long to wait", async () => {
  const { town, seen } = await watching();
  town.latest.cut();
  await town.clock.pass(100);
  town.latest.cut();
  await town.clock.pass(200);
  town.readings[0]?.answer(429, { "retry-after": "7" });
  town.readings[0]?.write('{"success":false,"error":{"code":"too_many_viewers","message":"Full."}}');
  town.readings[0]?.cut();
  const state = seen.now;
  assert.ok(state?.kind === "reconnecting");
  assert.deepEqual([state.reason, state.retry_at_ms - town.clock.now_ms()], ["Full.", 7_000]);
});

test("pages do not say that an agent was deleted: it is not among the others any more", async () => {
  const { town, seen } = await watching();
  town.states = [agentState({ agent_id: "a" }), agentState({ agent_id: "b" })];
  town.latest.cut();
  await town.clock.pass(100);
  town.latest.cut();
  await town.clock.pass(200);
  town.readings[0]?.cut();
  await town.clock.pass(300);
  town.readings[1]?.cut();
  await town.clock.pass(500);
  assert.deepEqual([seen.states.map(({ agent_id }) => agent_id), seen.deleted], [["a", "b"], []]);
  town.states = town.states.slice(1);
  await town.clock.pass(40_000);
  assert.deepEqual(seen.deleted, ["a"]);
});

test("where nothing may stay open it asks for pages", async () => {
  const { town, seen } = await watching();
  town.log = events(1, 3);
  town.latest.cut();
  await town.clock.pass(100);
  town.latest.cut();
  await town.clock.pass(200);
  town.readings[0]?.cut();
  await town.clock.pass(300);
  town.readings[1]?.cut();
  await town.clock.pass(500);
  assert.deepEqual([seen.now, seen.begins, seen.ids], [{ kind: "live", transport: "long_poll" }, [3], []]);
  town.log.push(event(4));
  await town.clock.pass(20_000);
  assert.deepEqual(seen.ids, [4]);
  town.epoch = "second";
  town.log = [event(1)];
  await town.clock.pass(20_000);
  assert.deepEqual([seen.ids, seen.resets, seen.begins], [[], 1, [3, 1]]);
  town.log.push(event(2));
  await town.clock.pass(20_000);
  assert.deepEqual([seen.ids, seen.now?.kind], [[2], "live"]);
});

test("waits longer with each failure and begins anew after a stable connection", async () => {
  const { town, seen } = await watching();
  const waits: number[] = [];
  for (let attempt = 0; attempt < 4; attempt += 1) {
    town.join();
    town.latest.cut();
    const state = seen.now;
    assert.ok(state?.kind === "reconnecting");
    waits.push(state.retry_at_ms - town.clock.now_ms());
    await town.clock.pass(600);
  }
  assert.deepEqual(waits, [100, 200, 300, 500]);
  town.join();
  await town.clock.pass(10_000);
  town.latest.cut();
  const state = seen.now;
  assert.ok(state?.kind === "reconnecting");
  assert.equal(state.attempt, 1);
});

test("a refused ticket ends it, and a click tries again", async () => {
  const town = new FakeTown();
  town.refusal = new ApiFailure(401, "unauthorized", "Sign in first.");
  const { seen, stream } = await watching(town);
  assert.deepEqual(seen.now, { kind: "denied", status: 401, code: "unauthorized", message: "Sign in first." });
  await town.clock.pass(60_000);
  assert.equal(town.tickets, 1);
  town.refusal = null;
  stream.retryNow();
  await settled();
  town.join();
  assert.equal(seen.now?.kind, "live");
});

test("a busy town is asked again no sooner than it said", async () => {
  const town = new FakeTown();
  town.refusal = new ApiFailure(429, "too_many_viewers", "Full.", 5_000);
  const { seen } = await watching(town);
  const state = seen.now;
  assert.ok(state?.kind === "reconnecting");
  assert.equal(state.retry_at_ms - town.clock.now_ms(), 5_000);
});

test("an orderly end stays an end; a stopped stream stays silent", async () => {
  const { town, seen } = await watching();
  town.join();
  town.latest.cut(1000);
  await town.clock.pass(60_000);
  assert.deepEqual(seen.now, { kind: "ended" });
  const other = await watching();
  other.stream.stop();
  other.town.latest.cut();
  await other.town.clock.pass(60_000);
  assert.equal(other.town.connections.length, 1);
});

test("a town that never says hello is left for another attempt", async () => {
  const { town, seen } = await watching();
  await town.clock.pass(15_000);
  assert.equal(seen.now?.kind, "reconnecting");
  assert.ok(town.connections[0]?.closedByClient);
});
