// A container that nobody here wrote: one that knows `GET /events?after=N` and answers `{"events":[…]}`, with no epoch, no
// head and no runs. Nothing was started from here; somebody watches.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { present } from "../present.mjs";
import { must, startWorld } from "./harness.mjs";
import { until } from "./until.mjs";
import { Viewer } from "./viewer.mjs";

/** As small as such a container can be. */
class OtherContainer {
  asked = [];
  /** What it was shown. */
  credentials = new Set();
  /** Answers instead, where it is set. */
  /** @type {((answer: http.ServerResponse) => unknown) | null} */
  instead = null;
  /** Gives each event the time of the answer. */
  restamps = false;
  #events = [];
  #server = http.createServer((request, answer) => {
    const url = new URL(present(request.url), "http://container");
    if (url.pathname !== "/events") return answer.writeHead(404).end();
    this.asked.push(performance.now());
    this.credentials.add(request.headers.authorization);
    if (this.instead) return this.instead(answer);
    const after = Number(url.searchParams.get("after") ?? 0);
    const timed = (event) => (this.restamps ? { ...event, timestamp: new Date().toISOString() } : event);
    const events = this.#events.filter(({ id }) => id > after).map(timed);
    answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ events }));
  });

  async start() {
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", () => resolve(undefined)));
    return this;
  }

  get url() {
    return `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (this.#server.address()).port}`;
  }

  say(text) {
    const data = { text, stream: "assistant" };
    this.#events.push({ id: this.#events.length + 1, agent_id: "elsewhere", event: "agent_output", data, timestamp: new Date().toISOString() });
  }

  restart() {
    this.#events = [];
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

describe("a container that names no life", () => {
  const POLL_INTERVAL_MS = 500;
  const CONTAINER_TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  let container;
  let world;
  let town;
  let viewer;
  const texts = () => viewer.events.map(({ event, data }) => (event === "agent_output" ? data.text : event));
  const untilShown = (text) => until(`"${text}" to be shown`, () => texts().includes(text), 20_000);

  before(async () => {
    container = await new OtherContainer().start();
    const secrets = { CONTROL_KEY: null, CONTAINER_TOKEN };
    world = await startWorld({ control: false, secrets, vars: { CONTAINER_URL: container.url, POLL_INTERVAL_MS, RELAY_WHILE_WATCHED: "true" } });
    // A town as somebody makes it who starts nothing in it: without a rig.
    const { town_id } = must(await world.api("POST", "/api/towns", { name: "Others" }), 201);
    const path = `/api/towns/${town_id}`;
    town = { town_id, path, stream: `${path}/stream` };
    container.say("before anybody came");
  });
  after(async () => {
    await viewer?.close?.();
    await world?.stop();
    container?.stop();
  });

  it("is not asked while nobody watches", async () => {
    await sleep(3 * POLL_INTERVAL_MS);
    assert.equal(container.asked.length, 0);
  });

  it("is shown from its first event as soon as somebody does, and followed at the interval", async () => {
    viewer = await Viewer.open(world, town.stream);
    await untilShown("before anybody came");
    for (let number = 0; number < 5; number += 1) {
      container.say(`number ${number}`);
      await untilShown(`number ${number}`);
    }
    assert.deepEqual(texts(), ["before anybody came", ...[0, 1, 2, 3, 4].map((number) => `number ${number}`)]);
    const [before, began] = [container.asked.length, performance.now()];
    await sleep(5_000);
    const interval_ms = (performance.now() - began) / (container.asked.length - before);
    assert.ok(interval_ms > 400 && interval_ms < 1_000, `asked every ${interval_ms} ms`);
    const { agents, rigs } = must(await world.api("GET", town.path));
    assert.deepEqual([agents.map(({ agent_id }) => agent_id), rigs.map(({ name }) => name)], [["elsewhere"], ["Container"]]);
  });

  it("survives what it answers badly or late, and says what is wrong with it", async () => {
    const state = async () => must(await world.api("GET", `${town.path}/agents/elsewhere`));
    container.instead = (answer) => answer.writeHead(200).end(JSON.stringify({ events: [{ agent_id: "elsewhere", event: "x", data: {} }] }));
    await until("the agent's state to say it", async () => (await state()).activity.detail === "the container answers, but not in a form we know: missing `id`", 20_000);
    container.instead = (answer) => answer.writeHead(200).end("<html>busy</html>");
    await until("garbage to be told", async () => /not in a form we know: expected value/.test((await state()).activity.detail), 20_000);
    container.instead = (answer) => setTimeout(() => answer.writeHead(200).end('{"events":[]}'), 3_000);
    await sleep(4_000);
    container.instead = null;
    container.say("well again");
    await untilShown("well again");
    assert.notEqual((await state()).activity.kind, "silent");
  });

  it("begins a new life with ids from 1: that is told, and nothing of it is missing", async () => {
    const had = texts().length;
    container.restart();
    for (let number = 0; number < 10; number += 1) container.say(`anew ${number}`);
    await untilShown("anew 9");
    assert.deepEqual(texts().slice(had), ["source_gap", "agent.exited", ...Array.from({ length: 10 }, (_, number) => `anew ${number}`)]);
    container.restart();
    container.say("and once more");
    await untilShown("and once more");
    assert.deepEqual(texts().slice(-3), ["source_gap", "agent.exited", "and once more"]);
  });

  it("may give its events other times at each answer: that is no new life, and a new one is told once", async () => {
    const had = texts().length;
    container.restamps = true;
    container.say("at one time");
    await untilShown("at one time");
    await sleep(8 * POLL_INTERVAL_MS);
    await world.worker.kill(); // what is known of its times lasts
    await world.worker.start();
    await viewer.connect();
    container.say("at another");
    await untilShown("at another");
    await sleep(8 * POLL_INTERVAL_MS);
    assert.deepEqual(texts().slice(had), ["at one time", "at another"]);
    container.restart();
    for (const text of ["afresh", "and on"]) container.say(text);
    await untilShown("and on");
    await sleep(8 * POLL_INTERVAL_MS);
    assert.deepEqual(texts().slice(had + 2), ["source_gap", "agent.exited", "afresh", "and on"]);
    container.restamps = false;
  });

  it("is shown the token that it wants, and no signature", () => {
    assert.deepEqual([...container.credentials], [`Bearer ${CONTAINER_TOKEN}`]);
  });

  it("is left alone again when the last viewer has gone", async () => {
    viewer.cut();
    await until("the relay to stop", async () => {
      const count = container.asked.length;
      await sleep(3_000);
      return container.asked.length === count;
    }, 40_000);
  });
});
