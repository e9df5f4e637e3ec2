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

/** A world whose control server answers as a test likes, and what the tests here do with it. */
function scripted(secrets) {
  const its = {};
  before(async () => {
    its.control = await ScriptedControl.start();
    its.world = await startWorld({ control: false, secrets, vars: { CONTAINER_URL: its.control.url } });
  });
  after(async () => {
    await its.world?.stop();
    await its.control?.stop();
  });

  /** Lets it answer each request whose path ends so in this way; gives how many there were. */
  its.answer = (end, answers) => {
    const count = { asked: 0 };
    its.control.instead = (_, path) => {
      if (!path.endsWith(end)) return undefined;
      count.asked += 1;
      return answers;
    };
    return count;
  };
  its.start = (town, agent_id) => its.world.api("POST", `${town.path}/container/agents/start`, { ...order, rig_id: town.rig_id, agent_id });
  its.message = (town, agent_id) => its.world.api("POST", `${town.path}/container/agents/${agent_id}/message`, { prompt: "go on" });
  its.state = async (town, agent_id) => must(await its.world.api("GET", `${town.path}/agents/${agent_id}`));
  its.running = async (town, agent_id) => {
    its.control.instead = () => undefined;
    await its.world.startAgent(town, { agent_id, runtime: "process", command: ["true"] });
    its.control.say(agent_id, ["hello"]);
    await until("its word", async () => (await its.world.pages(`${town.path}/agents/${agent_id}/events`)).some(({ data }) => data?.text === "hello"), 30_000);
  };
  /** An agent whose budget is used up, until its stop has been asked for. */
  its.overspent = async (town, answers) => {
    await its.running(town, "spends");
    must(await its.world.api("PATCH", `${town.path}/agents/spends`, { max_tokens: 10 }));
    const stops = its.answer("/stop", answers);
    its.control.tell("spends", [["agent_usage", { message_id: "m", input_tokens: 20, output_tokens: 0 }]]);
    await until("the stop", () => stops.asked > 0, 30_000);
    return stops;
  };
  return its;
}

describe("a control server that refuses", () => {
  const its = scripted({});

  it("is handed on where it is the caller's to act upon, with when to come again, and is 502 where it is not", async () => {
    const town = await its.world.town();
    await its.running(town, "talks");
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
      its.answer("/start", { status, headers: { "retry-after": "7" }, body: failure(code) });
      const refused = await its.start(town, `refused-${index}`);
      mustRefuse(refused, told, told_code, "its words");
      if (told === 429) assert.equal(refused.headers["retry-after"], "7");
      assert.equal((await its.state(town, `refused-${index}`)).exit.reason, "failed");
      its.answer("/message", { status, body: failure(code) });
      mustRefuse(await its.message(town, "talks"), told, told_code, "its words");
    }
  });

  it("to stop anything keeps a town and an agent from being deleted, as silence does", async () => {
    const town = await its.world.town();
    await its.running(town, "works");
    for (const [status, code] of [[500, "internal"], [503, "container_unavailable"], [401, "unauthorized"], [429, "rate_limited"], [404], [405]]) {
      // Without words of its own something that stands before it has answered: it knows the call itself.
      const stops = its.answer("/stop", { status, body: code ? failure(code) : "<html>" });
      mustRefuse(await its.world.api("DELETE", town.path), 503, "container_unavailable", `1 of this town's agents may still be at work, and their control server has not heard their stop (`);
      const words = code ? "its words" : `the control server answered ${status}`;
      mustRefuse(await its.world.api("DELETE", `${town.path}/agents/works`), 503, "container_unavailable", words);
      mustRefuse(await its.world.api("DELETE", `${town.path}/rigs/${town.rig_id}`), 503, "container_unavailable", words);
      assert.equal(stops.asked, 3);
      assert.equal((await its.state(town, "works")).exit, null);
      assert.equal(must(await its.world.api("GET", town.path)).rigs.length, 1, "nothing was taken away");
    }
  });

  it("is asked once by a budget where it has no such run, whose end its status then is", async () => {
    const town = await its.world.town();
    const stops = await its.overspent(town, { status: 404, body: failure("not_found") });
    await sleep(7_000);
    assert.equal(stops.asked, 1);
    // It does not know of its status either.
    const { exit } = await until("the end", async () => ((await its.state(town, "spends")).exit === null ? null : its.state(town, "spends")), 40_000);
    assert.deepEqual([exit.reason, exit.message], ["failed", "the control server does not know of this run: its start never arrived there, or it was forgotten"]);
  });

  it("is asked by a budget until it has heard, also where something before it answers that there is no such page", async () => {
    const town = await its.world.town();
    const stops = await its.overspent(town, { status: 404, body: "<html>" });
    await until("a second one", () => stops.asked > 1, 30_000);
    const heard = its.answer("/stop", { status: 200, body: { stopped: true } });
    await until("the one that is heard", () => heard.asked > 0, 30_000);
    await sleep(5_000);
    assert.equal(heard.asked, 1);
  });
});

describe("a container of another make that cannot be asked to stop anything", () => {
  const its = scripted({ CONTROL_KEY: null, CONTAINER_TOKEN: "0f1e2d3c4b5a69788796a5b4c3d2e1f0" });

  it("runs nothing that was started from here, so that agents and towns can be deleted", async () => {
    const town = await its.world.town();
    await its.running(town, "works");
    its.answer("/stop", { status: 404, body: "<html>" });
    must(await its.world.api("DELETE", `${town.path}/agents/works`), 204);
    await its.running(town, "works");
    its.answer("/stop", { status: 405 });
    must(await its.world.api("DELETE", town.path), 204);
  });

  it("is asked once by a budget, and the log says so", async () => {
    const town = await its.world.town();
    const stops = await its.overspent(town, { status: 404, body: "<html>" });
    await sleep(7_000);
    assert.equal(stops.asked, 1);
    const notices = (await its.world.pages(`${town.path}/agents/spends/events`)).filter(({ event }) => event === "agent_notice");
    assert.match(notices.at(-1).data.message, /^The container cannot be asked to stop a run/);
    assert.equal((await its.state(town, "spends")).exit, null);
  });
});
