// Budgets on the real parts: who uses one up is warned, stopped, and told why; whatever dies or hangs in between.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, mustRefuse, startWorld } from "./harness.mjs";
import { sleep, until } from "./until.mjs";

let world;
let town;

before(async () => {
  world = await startWorld();
  town = await world.town();
});
after(() => world?.stop());

const used = (message_id, input_tokens, more = {}) => ({ event_type: "agent_usage", data: { message_id, input_tokens, output_tokens: 0, ...more } });
const state = async (agent_id, of = town) => must(await world.api("GET", `${of.path}/agents/${agent_id}`));
const notices = async (agent_id, of = town) =>
  (await world.pages(`${of.path}/agents/${agent_id}/events`)).filter(({ event }) => event === "agent_notice").map(({ data }) => [data.kind, data.level, data.message]);
const untilEnded = (agent_id, of = town) => until(`the end of ${agent_id}`, async () => ((await state(agent_id, of)).exit === null ? null : state(agent_id, of)), 60_000);
const sleeper = { runtime: "process", command: ["sleep", "600"] };

describe("a run's budget", () => {
  it("warns once, stops what runs in the container, and is the reason of its end", async () => {
    const order = { agent_id: "runs", runtime: "replay", transcript: "volume320", speed: 1, max_tokens: 100_000 };
    const { run_budget } = await world.startAgent(town, order);
    assert.deepEqual(run_budget, { max_tokens: 100_000 });
    const { exit, status, usage } = await untilEnded("runs");
    assert.deepEqual([exit.reason, status], ["budget_exceeded", "failed"], JSON.stringify(exit));
    assert.match(exit.message, /^the run's budget is used up: 1\d\d,\d\d\d of 100,000 tokens$/);
    const tokens = usage.input_tokens + usage.output_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
    // The whole recording takes 379,883.
    assert.ok(tokens >= 100_000 && tokens < 300_000, `${tokens}`);
    const told = await notices("runs");
    assert.equal(told.length, 1);
    assert.deepEqual(told[0].slice(0, 2), ["budget", "warning"]);
    assert.match(told[0][2], /^the run's budget is nearly used up: [89]\d,\d\d\d of 100,000 tokens\. At 100 % the run is stopped$/);
    const events = await world.pages(`${town.path}/agents/runs/events`);
    assert.equal(events.at(-1).event, "agent.exited");
    const health = must(await world.api("GET", `${town.path}/container/health`));
    assert.equal(health.agents, 0, "nothing of it runs on");
    // The next run has none, and may take what it wants.
    await world.startAgent(town, { ...order, speed: 0, max_tokens: undefined });
    assert.equal((await untilEnded("runs")).exit.reason, "completed");
  });

  it("says at the start what it cannot hold", async () => {
    await world.startAgent(town, { agent_id: "command", ...sleeper, max_cost_usd: 1 });
    assert.match((await notices("command"))[0][2], /^A command tells neither its tokens nor its cost/);
    must(await world.api("POST", `${town.path}/container/agents/command/stop`, {}));
    assert.equal((await untilEnded("command")).exit.reason, "stopped", "a person's stop is a person's");
  });
});

describe("an agent's budget of the day", () => {
  it("ends what it posts, tells it so at its next post, also after a kill, and refuses a start", async () => {
    await world.registerAgent(town, "posts");
    const change = (body) => world.api("PATCH", `${town.path}/agents/posts`, body);
    const { day_budget } = must(await change({ max_tokens: 1_000, max_cost_usd: 5 }));
    assert.deepEqual([day_budget.max_tokens, day_budget.max_cost_usd, day_budget.tokens], [1_000, 5, 0]);
    must(await world.post(town, "posts", [{ ...used("m1", 900), run_id: "mine" }]), 201);
    await until("the warning", async () => (await notices("posts")).length === 1);
    must(await world.post(town, "posts", [{ ...used("m1", 1_100), run_id: "mine" }]), 201);
    const { exit } = await untilEnded("posts");
    const message = "the agent's budget of the day (UTC) is used up: 1,100 of 1,000 tokens; raise it, or start again tomorrow";
    assert.deepEqual([exit.reason, exit.message], ["budget_exceeded", message]);
    await world.worker.kill();
    await world.worker.start();
    const refused = await until("the rig to know", async () => {
      const answer = await world.post(town, "posts", [{ event_type: "note", run_id: "mine" }]);
      return answer.status === 201 ? null : answer;
    });
    mustRefuse(refused, 409, "run_ended", "a budget was used up");
    assert.deepEqual(refused.json.error.details, { reason: "budget_exceeded" });
    const start = () => world.api("POST", `${town.path}/container/agents/start`, { rig_id: town.rig_id, agent_id: "posts", name: "x", role: "polecat", ...sleeper });
    mustRefuse(await start(), 409, "budget_exceeded", `PATCH ${town.path}/agents/posts`);
    must(await change({ max_tokens: null }));
    must(await start(), 201);
    // Set below what is spent, it stops what runs.
    must(await change({ max_tokens: 10 }));
    assert.equal((await untilEnded("posts")).exit.reason, "budget_exceeded");
    assert.equal((await notices("posts")).filter(([, , words]) => words.includes("nearly")).length, 1);
  });
});

describe("a town's budget of the day", () => {
  it("stops all that the town runs, also where the container hangs and workerd is killed right after it was used up", async () => {
    const all = await world.town("Hillside");
    must(await world.api("PATCH", all.path, { max_cost_usd: 1.5 }));
    await world.startAgent(all, { agent_id: "sleeps", ...sleeper });
    await until("the program to run", async () => (await state("sleeps", all)).status === "running");
    await world.registerAgent(all, "posts");
    await world.registerAgent(all, "talks");
    must(await world.post(all, "talks", [{ event_type: "note" }]), 201);
    await until("its run", async () => (await state("talks", all)).run_id);
    process.kill(world.control.pid, "SIGSTOP");
    try {
      must(await world.post(all, "posts", [used("m1", 1, { cost_usd: 1.75 })]), 201);
      await until("the town to have it", async () => (await state("posts", all)).exit !== null);
      await world.worker.kill();
      await world.worker.start();
      assert.deepEqual([(await state("posts", all)).exit.reason, (await state("talks", all)).exit.reason], ["budget_exceeded", "budget_exceeded"]);
      await sleep(4_000);
      assert.equal((await state("sleeps", all)).exit, null, "nobody has heard of its end");
    } finally {
      process.kill(world.control.pid, "SIGCONT");
    }
    const { exit } = await untilEnded("sleeps", all);
    const message = "the town's budget of the day (UTC) is used up: $1.75 of $1.50; raise it, or start again tomorrow";
    assert.deepEqual([exit.reason, exit.message], ["budget_exceeded", message]);
    const view = must(await world.api("GET", all.path)).day_budget;
    assert.deepEqual([view.max_cost_usd, view.cost_usd, view.tokens], [1.5, 1.75, 1]);
    const start = () => world.api("POST", `${all.path}/container/agents/start`, { rig_id: all.rig_id, name: "x", role: "polecat", ...sleeper });
    mustRefuse(await start(), 409, "budget_exceeded", "00:00 UTC");
    must(await world.api("PATCH", all.path, { name: "Uphill", max_cost_usd: 3 }));
    assert.equal(must(await world.api("GET", all.path)).name, "Uphill");
    const { agent_id } = must(await start(), 201);
    must(await world.api("POST", `${all.path}/container/agents/${agent_id}/stop`, {}));
  });
});
