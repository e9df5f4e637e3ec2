// What a control server refuses: whose it is to act upon it is told so, and nothing counts as stopped that was not.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, mustRefuse, startWorld } from "./harness.mjs";
import { ScriptedControl } from "./scripted_control.mjs";
import { sleep, until } from "./until.mjs";

const failure = (code, message = "its words") => ({ success: false, error: { code, message } });
const order = { name: "Demo", role: "polecat", runtime: "process", command: ["true"] };

describe("a start that the control server has no room for", () => {
  let world;

  before(async () => {
    world = await startWorld({ controlVars: { CONTROL_RUNS_MAX: "1" } });
  });
  after(() => world?.stop());

  it("is 429 with its words, and the run has failed with them", async () => {
    const town = await world.town();
    await world.startAgent(town, { agent_id: "one", runtime: "process", command: ["sleep", "300"] });
    const refused = await world.api("POST", `${town.path}/container/agents/start`, { ...order, rig_id: town.rig_id, agent_id: "two" });
    mustRefuse(refused, 429, "rate_limited", "this control server has 1 runs open");
    assert.equal(refused.headers["retry-after"], "30");
    const { exit } = must(await world.api("GET", `${town.path}/agents/two`));
    assert.deepEqual([exit.reason, exit.message], ["failed", refused.error.message]);
    must(await world.api("POST", `${town.path}/container/agents/one/stop`, {}));
  });
});

describe("a control server that refuses", () => {
  let control;
  let world;

  before(async () => {
    control = await ScriptedControl.start();
    world = await startWorld({ control: false, vars: { CONTAINER_URL: control.url } });
  });
  after(async () => {
    await world?.stop();
    await control?.stop();
  });

  /** Lets it answer each request whose path ends so in this way; gives how many there were. */
  const answer = (end, answers) => {
    const count = { asked: 0 };
    control.instead = (_, path) => {
      if (!path.endsWith(end)) return undefined;
      count.asked += 1;
      return answers;
    };
    return count;
  };
  const start = (town, agent_id) => world.api("POST", `${town.path}/container/agents/start`, { ...order, rig_id: town.rig_id, agent_id });
  const message = (town, agent_id) => world.api("POST", `${town.path}/container/agents/${agent_id}/message`, { prompt: "go on" });
  const state = async (town, agent_id) => must(await world.api("GET", `${town.path}/agents/${agent_id}`));
  const running = async (town, agent_id) => {
    control.instead = () => undefined;
    await world.startAgent(town, { agent_id, runtime: "process", command: ["true"] });
    control.say(agent_id, ["hello"]);
    await until("its word", async () => (await world.pages(`${town.path}/agents/${agent_id}/events`)).some(({ data }) => data?.text === "hello"), 30_000);
  };

  it("is handed on where it is the caller's to act upon, with when to come again, and is 502 where it is not", async () => {
    const town = await world.town();
    await running(town, "talks");
    const cases = [
      [400, "invalid_request", 400, "invalid_request"],
      [404, "not_found", 404, "not_found"],
      [409, "conflict", 409, "conflict"],
      [413, "too_large", 413, "too_large"],
      [429, "rate_limited", 429, "rate_limited"],
      [507, "store_full", 507, "store_full"],
      [401, "unauthorized", 502, "container_error"],
      [415, "unsupported_media_type", 502, "container_error"],
      [500, "internal", 502, "container_error"],
    ];
    for (const [index, [status, code, told, told_code]] of cases.entries()) {
      answer("/start", { status, headers: { "retry-after": "7" }, body: failure(code) });
      const refused = await start(town, `refused-${index}`);
      mustRefuse(refused, told, told_code, "its words");
      if (told === 429) assert.equal(refused.headers["retry-after"], "7");
      assert.equal((await state(town, `refused-${index}`)).exit.reason, "failed");
      answer("/message", { status, body: failure(code) });
      mustRefuse(await message(town, "talks"), told, told_code, "its words");
    }
  });

  it("to stop anything keeps a town and an agent from being deleted, as silence does", async () => {
    const town = await world.town();
    await running(town, "works");
    for (const [status, code] of [[500, "internal"], [503, "container_unavailable"], [401, "unauthorized"], [429, "rate_limited"]]) {
      const stops = answer("/stop", { status, body: failure(code) });
      mustRefuse(await world.api("DELETE", town.path), 503, "container_unavailable", `1 of this town's agents may still be at work, and their control server has not heard their stop (`);
      mustRefuse(await world.api("DELETE", `${town.path}/agents/works`), 503, "container_unavailable", "its words");
      mustRefuse(await world.api("DELETE", `${town.path}/rigs/${town.rig_id}`), 503, "container_unavailable", "its words");
      assert.equal(stops.asked, 3);
      assert.equal((await state(town, "works")).exit, null);
      assert.equal(must(await world.api("GET", town.path)).rigs.length, 1, "nothing was taken away");
    }
    // Who knows no such call runs nothing that was started from here.
    answer("/stop", { status: 404, body: "<html>" });
    must(await world.api("DELETE", `${town.path}/agents/works`), 204);
    await running(town, "works");
    answer("/stop", { status: 405 });
    must(await world.api("DELETE", town.path), 204);
  });

  for (const [what, body] of [["has no such run", failure("not_found")], ["knows no such call", "<html>"]]) {
    it(`is asked once by a budget where it ${what}`, async () => {
      const town = await world.town();
      await running(town, "spends");
      must(await world.api("PATCH", `${town.path}/agents/spends`, { max_tokens: 10 }));
      const stops = answer("/stop", { status: 404, body });
      control.tell("spends", [["agent_usage", { message_id: "m", input_tokens: 20, output_tokens: 0 }]]);
      await until("the stop", () => stops.asked > 0, 30_000);
      await sleep(7_000);
      assert.equal(stops.asked, 1);
      if (typeof body === "string") {
        const notices = (await world.pages(`${town.path}/agents/spends/events`)).filter(({ event }) => event === "agent_notice");
        assert.match(notices.at(-1).data.message, /^The container cannot be asked to stop a run/);
        assert.equal((await state(town, "spends")).exit, null);
      } else {
        // It does not know of its status either.
        const { exit } = await until("the end", async () => ((await state(town, "spends")).exit === null ? null : state(town, "spends")), 40_000);
        assert.deepEqual([exit.reason, exit.message], ["failed", "the control server does not know of this run: its start never arrived there, or it was forgotten"]);
      }
    });
  }
});
