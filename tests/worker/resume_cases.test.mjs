// The rules of the contract's "Resuming" on the real thing: the neutral cases of tests/resume, by every transport that can ask
// for what a case asks for.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";

import { must, startWorld } from "./harness.mjs";
import { cannot, READERS } from "./resume_readers.mjs";
import { until, untilHolds } from "./until.mjs";

const CASES = JSON.parse(readFileSync(new URL("../resume/cases.json", import.meta.url), "utf8"));
const DATA = { agent_output: { text: "x", stream: "assistant" }, "agent.exited": { reason: "completed" } };

/** Steps as they are done: one after the other, but what one agent posts without a break is one post. */
function actions(steps) {
  const actions = [];
  for (const step of steps) {
    if (typeof step !== "string") {
      actions.push(step);
      continue;
    }
    const [agent_id, event_type] = step.split(" ");
    const event = { event_type, data: DATA[event_type] ?? 0 };
    const last = actions.at(-1);
    if (last?.posts === agent_id) last.events.push(event);
    else actions.push({ posts: agent_id, events: [event] });
  }
  return actions;
}

async function happens(world, town, steps) {
  for (const { posts, events, register, delete: deleted } of actions(steps)) {
    if (posts) must(await world.post(town, posts, events), 201);
    else if (register) await world.registerAgent(town, register);
    else must(await world.api("DELETE", `${town.path}/agents/${deleted}`), 204);
  }
}

/** A town in which a case's log has happened, and nothing else: an event's id is its place. */
async function townOf(world, { agents, events }) {
  const town = await world.town();
  for (const agent_id of agents) await world.registerAgent(town, agent_id);
  await happens(world, town, events);
  const count = events.filter((step) => typeof step === "string").length;
  const { head, epoch } = await until("the log", async () => {
    const now = must(await world.api("GET", town.path));
    return now.head >= count && now;
  });
  assert.equal(head, count, "ids are places");
  return { town, epoch };
}

async function run(world, one, transport) {
  const { town, epoch } = await townOf(world, one.log);
  const silent = cannot(transport);
  const said = (frames) => frames.filter((frame) => !silent.has(Object.keys(frame)[0]));
  const reader = new READERS[transport](world, town, one.request, epoch);
  const brings = (from, expected) =>
    untilHolds(`${JSON.stringify(expected)}`, async () => {
      await reader.take();
      assert.deepEqual(said(reader.told.frames.slice(from)), said(expected));
    });
  try {
    await reader.open();
    await brings(0, one.expect);
    if (one.then === undefined) return;
    const from = reader.told.apart();
    await happens(world, town, one.then.events);
    await brings(from, one.then.expect);
  } finally {
    reader.stop();
  }
}

for (const cap of new Set(CASES.map(({ log }) => log.event_cap))) {
  describe(cap === undefined ? "resuming" : `resuming where ${cap} events of an agent are kept`, () => {
    let world;
    before(async () => {
      world = await startWorld({ control: false, vars: cap === undefined ? {} : { EVENT_CAP: cap } });
    });
    after(() => world?.stop());

    for (const one of CASES.filter(({ log }) => log.event_cap === cap)) {
      const asks = Object.keys(one.request);
      for (const transport of Object.keys(READERS).filter((name) => asks.every((what) => !cannot(name).has(what)))) {
        it(`${one.rule} by ${transport}: ${one.name}`, () => run(world, one, transport));
      }
    }
  });
}
