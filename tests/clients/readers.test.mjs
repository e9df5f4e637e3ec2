// Clients that others wrote read one agent's stream over a wire that is cut, and from a Worker that is killed: history, what
// comes live, and what came meanwhile, each event once. All of them live through the same story at the same time.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { Cable } from "../worker/cable.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { sleep, until } from "../worker/until.mjs";
import { NODE_READERS, PROGRAM_READERS, PYTHON_READERS, websocatMissing } from "./readers.mjs";

const ROUND = 20;
const missing = process.env.CLIENTS_PYTHON ? false : (process.env.CLIENTS_PYTHON_MISSING ?? "CLIENTS_PYTHON names no Python");

describe("clients that others wrote", () => {
  let world;
  let town;
  let cable;
  const readers = new Map();
  let stored = [];

  /** Posts a round and waits until it is in the town's log. */
  const post = async () => {
    const events = Array.from({ length: ROUND }, (_, number) => ({ event_type: "note", data: { number } }));
    must(await world.post(town, "agent", events), 201);
    const wanted = stored.length + ROUND;
    stored = await until(`${wanted} stored events`, async () => {
      const ids = (await world.pages(`${town.path}/agents/agent/events`)).map(({ id }) => id);
      return ids.length >= wanted && ids;
    });
  };
  /** Waits for those that are not behind; what the others miss, their own test says. */
  const settle = async (ms) => {
    const isBehind = ({ ids }) => ids.length < stored.length;
    await until("all to have all", () => ![...readers.values()].some(isBehind), ms).catch(() => {});
  };

  before(async () => {
    world = await startWorld({ control: false });
    town = await world.town();
    await world.registerAgent(town, "agent");
    cable = await Cable.lay(() => Number(new URL(world.url).port));
    await post();
    const stream = `${town.path}/container/agents/agent/stream`;
    const at = { url: cable.url + stream, key: world.secrets.TOWNWATCH_API_KEY, ticket: () => world.ticket(stream) };
    const all = { ...NODE_READERS, ...(missing ? {} : PYTHON_READERS), ...(websocatMissing ? {} : PROGRAM_READERS) };
    for (const [name, open] of Object.entries(all)) readers.set(name, open(at));
    await settle(15_000);
    await post(); // live
    await settle(5_000);
    cable.reset();
    await post(); // while nobody gets through
    cable.mend();
    await settle(10_000);
    await world.worker.kill();
    await sleep(300);
    await world.worker.start();
    await post();
    await settle(15_000);
    await sleep(300); // what comes twice comes now
  });
  after(async () => {
    await Promise.allSettled([...readers.values()].map((reader) => reader.stop()));
    await cable?.stop();
    await world?.stop();
  });

  const story = (name) => () => {
    const reader = readers.get(name);
    assert.deepEqual(reader.ids, stored, reader.log?.slice(-2_000));
    assert.equal(stored.length, 4 * ROUND);
  };
  for (const name of Object.keys(NODE_READERS)) it(`${name}: nothing missing, nothing twice`, story(name));
  for (const name of Object.keys(PYTHON_READERS)) it(`${name}: nothing missing, nothing twice`, { skip: missing }, story(name));
  for (const name of Object.keys(PROGRAM_READERS)) it(`${name}: nothing missing, nothing twice`, { skip: websocatMissing }, story(name));
});
