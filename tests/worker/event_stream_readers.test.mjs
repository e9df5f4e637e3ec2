// Readers of event streams: slow ones, many, and ones that go away. Nothing is made before someone wants it, and nobody is
// remembered who is gone.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, it } from "node:test";

import { present } from "../present.mjs";
import { EventSource } from "./event_source.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { request } from "./http.mjs";
import { freePort } from "./processes.mjs";
import { sleep, until } from "./until.mjs";

const operator = (world) => ({ authorization: `Bearer ${world.secrets.TOWNWATCH_API_KEY}` });
const open = (world, path, query = {}) => EventSource.open(`${world.url}${path}?${new URLSearchParams(query)}`, operator(world));

describe("a reader that stops reading", () => {
  const CAP = 500;
  const MIB = 1 << 20;
  const batch = Array.from({ length: 50 }, (_, number) => ({ event_type: "note", data: { number, text: "x".repeat(40 << 10) } }));
  const ROUNDS = 30; // of 2 MB each
  let world;
  let town;

  before(async () => {
    world = await startWorld({ vars: { EVENT_CAP: CAP } });
    town = await world.town();
    await world.registerAgent(town, "busy");
  });
  after(() => world?.stop());

  const post = async () => {
    for (let round = 0; round < ROUNDS; round += 1) must(await world.post(town, "busy", batch), 201);
  };
  /** The least of a few looks: what is only waiting to be collected is not held. */
  const memory = async () => {
    const looks = [];
    for (let look = 0; look < 5; look += 1) {
      looks.push(world.worker.memory);
      await sleep(200);
    }
    return Math.min(...looks);
  };

  it("costs workerd no memory, and goes on with all that is retained, knowing what is not", async (test) => {
    if (world.worker.memory === undefined) return test.skip("only /proc tells of memory");
    // What posting itself takes, it has when one more round takes nothing.
    let before = await memory();
    let rounds = 0;
    for (let grown = Infinity; grown > 4 * MIB && rounds < 10; rounds += 1) {
      await post();
      const now = await memory();
      [grown, before] = [now - before, now];
    }
    const source = await open(world, town.stream, { tail: 0 });
    await source.untilCaughtUp();
    const begun = source.of("hello")[0].head;
    source.pause();
    // What is kept for a reader grows with every round; what the runtime takes for itself does not.
    let grown = Infinity;
    for (let round = 0; round < 3 && grown >= 16 * MIB; round += 1, rounds += 1) {
      await post();
      const now = await memory();
      [grown, before] = [now - before, now];
    }
    test.diagnostic(`${(grown / MIB).toFixed(1)} MiB more after 60 MB past a reader that had stopped`);
    assert.ok(grown < 16 * MIB, `workerd has grown by ${grown} bytes`);
    source.resume();
    const head = rounds * ROUNDS * batch.length;
    await source.until("the last event", () => source.events.at(-1)?.id === head, 60_000);
    const missing = new Set();
    for (const { agent_id, reason, from, to } of source.of("gap")) {
      assert.deepEqual([agent_id, reason], ["busy", "pruned"]);
      for (let id = from; id <= to; id += 1) missing.add(id);
    }
    const ids = source.events.map(({ id }) => id);
    const all = Array.from({ length: head - begun }, (_, index) => begun + 1 + index);
    assert.deepEqual([...new Set(ids)], ids, "each once");
    assert.ok(missing.size > 0 && !ids.some((id) => missing.has(id)));
    assert.deepEqual([...ids, ...missing].sort((a, b) => a - b), all);
    assert.ok(ids.length >= CAP, "all that is retained");
    source.cut();
  });
});

describe("readers", () => {
  const DRAIN_INTERVAL_SECONDS = 2;
  let world;
  let town;
  let relay;
  /** When the relay asked the control server for events. */
  const asked = [];

  before(async () => {
    const port = await freePort();
    // Between the Worker and the control server: hands on, and takes note.
    relay = http.createServer((incoming, answer) => {
      if (incoming.url?.startsWith("/events")) asked.push(Date.now());
      const { method, headers, url } = incoming;
      const onward = http.request(`${world.control.url}${url}`, { method, headers }, (given) => {
        answer.writeHead(present(given.statusCode), given.headers);
        given.pipe(answer);
      });
      onward.on("error", () => answer.destroy());
      answer.on("close", () => onward.destroy());
      incoming.pipe(onward);
    });
    await new Promise((resolve) => relay.listen(port, "127.0.0.1", resolve));
    const vars = { CONTAINER_URL: `http://127.0.0.1:${port}`, DRAIN_INTERVAL_SECONDS, POLL_INTERVAL_MS: 100 };
    world = await startWorld({ vars });
    town = await world.town();
    await world.registerAgent(town, "poster");
  });
  after(async () => {
    await world?.stop();
    relay?.closeAllConnections();
    relay?.close();
  });

  it("may be fifty at once, and each gets everything", async () => {
    const sources = await Promise.all(Array.from({ length: 50 }, () => open(world, town.stream)));
    await Promise.all(sources.map((source) => source.untilCaughtUp()));
    for (let number = 0; number < 20; number += 1) {
      must(await world.post(town, "poster", Array(10).fill({ event_type: "note", data: number })), 201);
    }
    await Promise.all(sources.map((source) => source.until("all that was posted", () => source.events.length === 200)));
    const [first, ...others] = sources.map((source) => source.events);
    for (const other of others) assert.deepEqual(other, first);
    for (const source of sources) source.cut();
  });

  it("are remembered as long as they read: then the relay drains at its interval again", async () => {
    const command = [process.execPath, "-e", "setTimeout(() => {}, 120_000)"];
    await world.startAgent(town, { agent_id: "long", runtime: "process", command });
    const within = async (ms) => {
      const count = asked.length;
      await sleep(ms);
      return asked.length - count;
    };
    const source = await open(world, town.stream);
    await source.untilCaughtUp();
    await until("the relay", async () => (await within(1_000)) >= 3, 20_000);
    assert.ok((await within(3_000)) >= 10, "someone watches");
    source.cut();
    // Long enough that a busy machine that stands still for a second is not taken for a relay that asks seldom.
    await until("the relay to slow down", async () => (await within(3_000)) <= 2, 30_000);
    const seldom = await within(5_000);
    assert.ok(seldom >= 1 && seldom <= 4, `${seldom} requests in 5 s, every ${DRAIN_INTERVAL_SECONDS} s`);
    must(await world.api("POST", `${town.path}/container/agents/long/stop`, { signal: "SIGKILL" }));
  });

  it("are let go with their town", async () => {
    const other = await world.town("Lakeside");
    const source = await open(world, other.stream);
    await source.untilCaughtUp();
    must(await world.api("DELETE", other.path), 204);
    await source.until("the end", () => source.ended, 3_000);
    assert.equal((await open(world, other.stream)).status, 404);
  });
});

describe("streams that are switched off", () => {
  let world;
  before(async () => {
    world = await startWorld({ vars: { STREAM_ENABLED: "false" }, control: false });
  });
  after(() => world?.stop());

  it("are refused as event streams and as sockets, and pages are still there", async () => {
    const town = await world.town();
    const refused = await open(world, town.stream);
    assert.deepEqual([refused.status, JSON.parse(refused.text).error.code], [503, "streaming_disabled"]);
    const upgrade = { ...operator(world), connection: "Upgrade", upgrade: "websocket" };
    mustRefuse(await request(`${world.url}${town.stream}`, { headers: upgrade }), 503, "streaming_disabled");
    mustRefuse(await world.api("POST", `${town.stream}-ticket`, {}), 503, "streaming_disabled");
    assert.deepEqual(must(await world.api("GET", `${town.path}/events`)).events, []);
  });
});
