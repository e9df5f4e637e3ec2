// Secrets in what agents post and in what they are asked: the town keeps a mark in their place.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, mustRefuse, startWorld } from "./harness.mjs";
import { until } from "./until.mjs";

/** In two parts, so that no scanner takes this file for one with a token in it. */
const TOKEN = `${"ghp"}_q7Xc2LmZ9aTf4RkV0bNw8JyH3sPd6GuE1oQx`;
const DATA = `{ "text" : "a ${TOKEN}", "at":"https://me:hunter2@example.org/", "n":1.50 }`;
const CLEAN = '{ "text" : "a ‹redacted:github_token›", "at":"https://me:‹redacted:password›@example.org/", "n":1.50 }';

/** Posts an event and gives all places that have it, as text. */
async function posted(world, town, agent_id) {
  await world.registerAgent(town, agent_id);
  const text = `{"agent_id":"${agent_id}","event_type":"note","event_id":"one","data":${DATA}}`;
  must(await world.api("POST", `/api/rigs/${town.rig_id}/agent-events`, text), 201);
  const again = must(await world.api("POST", `/api/rigs/${town.rig_id}/agent-events`, text), 201);
  assert.deepEqual([again.appended, again.duplicates], [0, 1]);
  const log = await world.api("GET", `/api/rigs/${town.rig_id}/agents/${agent_id}/events`);
  return until("the town has it", async () => {
    const page = await world.api("GET", `${town.path}/agents/${agent_id}/events?tail=10`);
    return page.text.includes('"note"') && [log.text, page.text];
  });
}

describe("secrets in posts and orders", () => {
  let world;
  let town;
  before(async () => {
    world = await startWorld({ secrets: { AGENT_ENV_PLACE: "behind-the-mill" } });
    town = await world.town();
  });
  after(() => world?.stop());

  it("go from a post before it is stored, and all else stays byte for byte", async () => {
    for (const text of await posted(world, town, "poster")) {
      assert.ok(text.includes(CLEAN), text);
      assert.ok(!text.includes(TOKEN) && !text.includes("hunter2"), text);
    }
  });

  it("go from what an agent is asked, and the title says the same as the event", async () => {
    const prompt = `Use ${TOKEN}, snowflake and behind-the-mill`;
    const expected = "Use ‹redacted:github_token›, ‹redacted:PET› and ‹redacted:PLACE›";
    const order = { agent_id: "asked", runtime: "process", command: ["sh", "-c", 'echo "$PET $PLACE"'], prompt };
    const state = await world.startAgent(town, { ...order, env_vars: { PET: "snowflake" }, secret_env: ["PET", "PLACE"] });
    assert.equal(state.title, expected);
    const events = await until("it has ended", async () => {
      const page = must(await world.api("GET", `${town.path}/agents/asked/events?tail=100`));
      return page.events.some(({ event }) => event === "agent.exited") && page.events;
    });
    assert.equal(events.find(({ event }) => event === "user_message").data.text, expected);
    assert.equal(events.find(({ event }) => event === "agent_output").data.text, "‹redacted:PET› ‹redacted:PLACE›");
    for (const secret of [TOKEN, "snowflake", "behind-the-mill"]) assert.ok(!JSON.stringify(events).includes(secret));
  });

  it("are refused by a name that no variable has, because somebody would trust that it is hidden", async () => {
    const order = { rig_id: town.rig_id, name: "Demo", role: "polecat", runtime: "process", command: ["true"], secret_env: ["PLACES"] };
    const answer = await world.api("POST", `${town.path}/container/agents/start`, order);
    mustRefuse(answer, 400, "invalid_request", 'secret_env[0]: no variable "PLACES"');
  });
});

describe("with REDACT_POSTS=false", () => {
  let world;
  before(async () => {
    world = await startWorld({ control: false, vars: { REDACT_POSTS: "false" } });
  });
  after(() => world?.stop());

  it("posts are stored as they are", async () => {
    for (const text of await posted(world, await world.town(), "poster")) assert.ok(text.includes(DATA), text);
  });
});
