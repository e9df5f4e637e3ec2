// Viewers that ask for states and read nothing: the runtime keeps what it could not send, so the town sends little of it.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, before, describe, it } from "node:test";

import { must, startWorld } from "./harness.mjs";
import { connect } from "./socket.mjs";
import { until } from "./until.mjs";

const AGENTS = 400;
const GROWTH_BYTES_MAX = 16 << 20;
const READ_STREAMS = 20;
const SUBSCRIBE = JSON.stringify({ type: "subscribe", agents: "*", after_id: 0 });
/** More than 200 at once or 20 a second would be closed for that. */
const SUBSCRIPTIONS_AT_ONCE = 180;
const SUBSCRIPTION_PAUSE_MS = 52;

/** Reads a socket until so many subscriptions are confirmed; gives their number, or the words of its end. */
function confirmations(socket, wanted) {
  return new Promise((resolve) => {
    let count = 0;
    socket.on("text", (text) => {
      if (JSON.parse(text).type === "subscription_confirmed" && (count += 1) === wanted) resolve(count);
    });
    socket.on("close", () => resolve(`closed after ${count}`));
    socket.resume();
  });
}
const skip = process.platform !== "linux" && "only Linux tells what memory a process has";

describe("streams that nobody reads, of a town whose agents' states are some 4 MB", { skip }, () => {
  let world;
  let town;
  const asked = () => ({ Authorization: `Bearer ${world.secrets.TOWNWATCH_API_KEY}` });

  before(async () => {
    world = await startWorld({ control: false, bare: true });
    town = await world.town();
    const todos = Array.from({ length: 100 }, () => ({ content: "to do ".repeat(11), status: "pending" }));
    const data = { percentage: null, current_phase: "work", tool_call_count: 0, elapsed_seconds: 1, todos };
    for (let number = 0; number < AGENTS; number += 1) {
      const agent_id = `agent-${number}`;
      await world.registerAgent(town, agent_id);
      must(await world.post(town, agent_id, [{ event_type: "progress_update", data }]), 201);
    }
    const size = Buffer.byteLength(JSON.stringify(must(await world.api("GET", `${town.path}/agents`))));
    assert.ok(size > 3_500_000, `the states are ${size} bytes`);
    // Whoever reads has them all, as soon as the town's events.
    const viewer = await world.watch(town.stream);
    await viewer.until("all states", () => new Set(viewer.framesOf("state").map(({ agent }) => agent.agent_id)).size === AGENTS);
    viewer.cut();
    // What is read and let go makes the heap grow to its usual size: some MB, which no stream holds.
    for (let count = 0; count < READ_STREAMS; count += 1) await readToEnd();
    const { socket } = await connect(world.url + town.stream, asked());
    const heard = confirmations(socket, SUBSCRIPTIONS_AT_ONCE);
    for (let count = 0; count < SUBSCRIPTIONS_AT_ONCE; count += 1) socket.send(SUBSCRIBE);
    assert.equal(await heard, SUBSCRIPTIONS_AT_ONCE);
    socket.cut();
  });
  after(() => world?.stop());

  /** Reads an event stream until it is live, and leaves it. */
  async function readToEnd() {
    const request = http.get(world.url + town.stream, { agent: false, headers: { ...asked(), Accept: "text/event-stream" } });
    const [answer] = await once(request, "response");
    let end = "";
    for await (const chunk of answer.setEncoding("utf8")) {
      end = end.slice(-100) + chunk;
      if (end.includes("event: caught_up")) break;
    }
    request.destroy();
  }

  /** How much workerd's memory has grown at most while something was done. */
  async function growthWhile(act) {
    const before_bytes = world.worker.memory_bytes();
    let most_bytes = before_bytes;
    const watch = setInterval(() => (most_bytes = Math.max(most_bytes, world.worker.memory_bytes())), 100);
    try {
      await act();
    } finally {
      clearInterval(watch);
    }
    return most_bytes - before_bytes;
  }

  it("forty event streams cost less than 16 MB", async (test) => {
    const requests = [];
    const growth_bytes = await growthWhile(async () => {
      for (let count = 0; count < 40; count += 1) {
        const request = http.get(world.url + town.stream, { agent: false, headers: { ...asked(), Accept: "text/event-stream" } });
        requests.push(request);
        const answer = await new Promise((resolve, reject) => request.once("response", resolve).once("error", reject));
        assert.equal(answer.statusCode, 200);
        answer.pause();
      }
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    });
    for (const request of requests) request.destroy();
    test.diagnostic(`workerd grew by ${(growth_bytes / 1e6).toFixed(1)} MB`);
    await until("the town answers", async () => (await world.api("GET", town.path)).status === 200);
    assert.ok(growth_bytes < GROWTH_BYTES_MAX, `workerd grew by ${growth_bytes} bytes`);
  });

  it("a WebSocket that subscribes a thousand times costs less than that, too", async (test) => {
    const { socket } = await connect(world.url + town.stream, asked());
    const growth_bytes = await growthWhile(async () => {
      for (let count = 0; count < 1_000; count += 1) {
        socket.send(SUBSCRIBE);
        if (count >= SUBSCRIPTIONS_AT_ONCE) await new Promise((resolve) => setTimeout(resolve, SUBSCRIPTION_PAUSE_MS));
      }
    });
    test.diagnostic(`workerd grew by ${(growth_bytes / 1e6).toFixed(1)} MB`);
    const confirmed = await confirmations(socket, 1_000);
    socket.cut();
    assert.equal(confirmed, 1_000, "each was heard");
    assert.ok(growth_bytes < GROWTH_BYTES_MAX, `workerd grew by ${growth_bytes} bytes`);
  });
});
