// What a person does with curl alone: a town, a rig, an agent, its events read in every way, and all of it gone again.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { expectedOf } from "../oracle/claude_code.mjs";
import { stepsSeen } from "../oracle/events.mjs";
import { present } from "../present.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { connect } from "./socket.mjs";
import { until } from "./until.mjs";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe("the walk through the REST API", () => {
  let world;
  let town;
  let agent;
  let all;
  const get = async (path) => must(await world.api("GET", path));

  before(async () => {
    world = await startWorld();
  });
  after(() => world?.stop());

  it("tells its health to anybody", async () => {
    const answer = await world.api("GET", "/health", undefined, { token: null });
    assert.equal(answer.status, 200);
    assert.equal(answer.json.status, "ok");
    assert.match(answer.json.version, /^\d+\.\d+\.\d+/);
  });

  it("creates a town and a rig, and lists them", async () => {
    const made = must(await world.api("POST", "/api/towns", { name: "Riverside" }), 201);
    assert.match(made.town_id, UUID_V7);
    assert.equal(made.name, "Riverside");
    assert.match(made.created_at, TIME);
    const path = `/api/towns/${made.town_id}`;
    const order = { name: "main", git_url: "https://example.test/repo.git", default_branch: "main" };
    const rig = must(await world.api("POST", `${path}/rigs`, order), 201);
    assert.match(rig.rig_id, UUID_V7);
    assert.deepEqual({ ...order, town_id: made.town_id }, { ...order, town_id: rig.town_id });
    town = { town_id: made.town_id, rig_id: rig.rig_id, path, stream: `${path}/stream` };

    assert.deepEqual(await get("/api/towns"), [made]);
    assert.deepEqual(await get(`${path}/rigs`), [rig]);
    const seen = await get(path);
    assert.deepEqual(
      [seen.town_id, seen.name, seen.head, seen.oldest_id, seen.rigs, seen.agents],
      [made.town_id, "Riverside", 0, 0, [rig], []],
    );
    assert.match(seen.epoch, /^[A-Za-z0-9_-]{1,64}$/);
  });

  it("knows the container's health and the programs that it can run", async () => {
    const container = await get(`${town.path}/container/health`);
    const replay = container.runtimes.find((runtime) => runtime.name === "replay");
    assert.equal(replay?.found, true);
    for (const { name, found, install } of container.runtimes) {
      assert.ok(found || install.length > 0, `${name} says how it is installed`);
    }
  });

  it("starts an agent and sees its run end", async () => {
    const started = await world.startAgent(town, { name: "Reader", runtime: "replay", transcript: "basic", speed: 0 });
    assert.match(started.agent_id, UUID_V7);
    assert.match(started.run_id, UUID_V7);
    assert.deepEqual(
      [started.status, started.name, started.role, started.runtime, started.run_number, started.rig_id],
      ["starting", "Reader", "polecat", "replay", 1, town.rig_id],
    );
    const path = `${town.path}/agents/${started.agent_id}`;
    agent = { path, agent_id: started.agent_id, run_id: started.run_id };
    const ended = await until("the run's end", async () => {
      const state = await get(path);
      return state.exit !== null && state;
    }, 40_000);
    assert.deepEqual([ended.status, ended.exit.reason, ended.exit.exit_code], ["exited", "completed", 0]);

    const { calls, session_id, model, usage } = expectedOf("basic");
    assert.deepEqual([ended.tool_call_count, ended.session_id, ended.model], [calls.length, session_id, model]);
    const { cost_usd, ...tokens } = present(usage);
    const { cost_usd: cost_seen, ...tokens_seen } = ended.usage;
    assert.deepEqual(tokens_seen, tokens);
    assert.ok(Math.abs(cost_seen - cost_usd) < 1e-9, `${cost_seen} is ${cost_usd}`);
    assert.deepEqual([ended.outstanding_tool_calls, ended.activity?.kind], [[], "ended"]);
    assert.match(ended.started_at, TIME);
    assert.match(ended.ended_at, TIME);
  });

  it("reads the events page by page, whatever the page's size", async () => {
    all = await world.pages(`${town.path}/events`);
    assert.deepEqual(stepsSeen(all), expectedOf("basic").steps);
    for (const limit of [1, 7, 200]) {
      assert.deepEqual(await world.pages(`${town.path}/events`, { limit }), all, `pages of ${limit}`);
    }
    assert.deepEqual(await world.pages(`${agent.path}/events`, { limit: 5 }), all);
    const first = await get(`${town.path}/events?after_id=0&limit=3`);
    assert.deepEqual(first.events, all.slice(0, 3));
    assert.deepEqual([first.next_after_id, first.head, first.gaps], [all[2].id, all.at(-1).id, []]);
    assert.equal(first.oldest_id, all[0].id);
    assert.equal(first.reset, undefined);
  });

  it("reads the newest by tail, and backwards by before_id", async () => {
    assert.deepEqual((await get(`${town.path}/events?tail=4`)).events, all.slice(-4));
    assert.deepEqual((await get(`${agent.path}/events?tail=1000`)).events, all);
    const middle = all[10].id;
    assert.deepEqual((await get(`${town.path}/events?before_id=${middle}&limit=5`)).events, all.slice(5, 10));
    assert.deepEqual((await get(`${town.path}/events?before_id=${all[0].id}`)).events, []);
  });

  it("reads by run and by name", async () => {
    const { run_id } = agent;
    assert.deepEqual((await get(`${town.path}/events?after_id=0&limit=1000&run_id=${run_id}`)).events, all);
    assert.deepEqual((await get(`${town.path}/events?after_id=0&run_id=no-such-run`)).events, []);
    const named = all.filter(({ event }) => event === "agent_tool_call" || event === "agent.exited");
    const query = "after_id=0&limit=1000&event=agent_tool_call&event=agent.exited";
    assert.deepEqual((await get(`${agent.path}/events?${query}`)).events, named);
  });

  it("starts over, and says so, when the cursor means nothing here", async () => {
    for (const query of ["after_id=9007199254740991", `after_id=3&epoch=another`]) {
      const page = await get(`${town.path}/events?${query}&limit=2`);
      assert.deepEqual([page.reset, page.events], [true, all.slice(0, 2)], query);
    }
  });

  it("registers an agent that runs elsewhere", async () => {
    const made = await world.registerAgent(town, "poster");
    assert.deepEqual([made.agent_id, made.rig_id, made.status, made.run_number], ["poster", town.rig_id, "idle", 0]);
    assert.deepEqual([made.runtime, made.exit, made.activity], [null, null, null]);
  });

  it("gives one event whole", async () => {
    const one = all.find(({ event }) => event === "agent_tool_result");
    assert.deepEqual(await get(`${town.path}/events/${one.id}`), one);
    mustRefuse(await world.api("GET", `${town.path}/events/999999`), 404, "not_found");
  });

  it("lists agents and runs with their ends and totals", async () => {
    const agents = await get(`${town.path}/agents`);
    assert.deepEqual(agents.map((one) => one.agent_id).sort(), [agent.agent_id, "poster"].sort());
    assert.deepEqual(agents.find((one) => one.agent_id === agent.agent_id), await get(agent.path));
    const [run, ...more] = await get(`${agent.path}/runs`);
    assert.deepEqual(more, []);
    assert.deepEqual(
      [run.run_id, run.run_number, run.first_event_id, run.last_event_id, run.exit.reason, run.tool_call_count],
      [agent.run_id, 1, all[0].id, all.at(-1).id, "completed", 6],
    );
    const rigAgents = await get(`/api/rigs/${town.rig_id}/agents`);
    assert.ok(rigAgents.some((one) => one.agent_id === "poster"));
  });

  it("says why an agent can not start, and ends that run", async () => {
    const order = { agent_id: "doomed", rig_id: town.rig_id, name: "x", role: "polecat", runtime: "replay", transcript: "no-such" };
    const refused = await world.api("POST", `${town.path}/container/agents/start`, order);
    mustRefuse(refused, 400, "invalid_request", "transcript");
    const state = await get(`${town.path}/agents/doomed`);
    assert.deepEqual([state.status, state.exit.reason, state.outstanding_tool_calls], ["failed", "failed", []]);
    const [run, ...more] = await get(`${town.path}/agents/doomed/runs`);
    assert.deepEqual([run.exit.reason, more], ["failed", []]);
  });

  it("stops an agent, and stopping it again changes nothing", async () => {
    const started = await world.startAgent(town, { runtime: "process", command: ["sleep", "600"] });
    const path = `${town.path}/container/agents/${started.agent_id}`;
    const again = { rig_id: town.rig_id, name: "x", role: "polecat", runtime: "process", command: ["true"], agent_id: started.agent_id };
    mustRefuse(await world.api("POST", `${town.path}/container/agents/start`, again), 409, "already_running");
    assert.deepEqual(must(await world.api("POST", `${path}/stop`, {})), { stopped: true });
    const ended = await until("the stopped run's end", async () => {
      const state = await get(`${town.path}/agents/${started.agent_id}`);
      return state.exit !== null && state;
    }, 40_000);
    assert.equal(ended.exit.reason, "stopped");
    assert.deepEqual(must(await world.api("POST", `${path}/stop`, {})), { stopped: true });
    must(await world.api("GET", `${path}/status`));
    const runs = await get(`${town.path}/agents/${started.agent_id}/runs`);
    assert.equal(runs.length, 1);
  });

  it("renames a town", async () => {
    const renamed = must(await world.api("PATCH", town.path, { name: "Seaside" }));
    assert.equal(renamed.name, "Seaside");
    assert.equal((await get(town.path)).name, "Seaside");
    assert.equal((await get("/api/towns"))[0].name, "Seaside");
  });

  it("erases a town: its viewers are sent away and every path of it is unknown", async () => {
    const other = await world.town("Hillside");
    const viewer = await world.watch(town.stream);
    await viewer.untilCaughtUp();
    const token = await world.agentToken(town, "poster");
    const unused = await world.ticket(town.stream);
    const erased = await world.api("DELETE", town.path);
    assert.ok(erased.status === 200 || erased.status === 204, `${erased.status} ${erased.text}`);
    await viewer.until("the end of the stream", () => viewer.closed !== null);
    assert.ok([1001, 4401].includes(viewer.closed.code), `closed with ${viewer.closed.code}`);

    const gone = [town.path, ...["rigs", "events", "events/1", "agents", "container/health"].map((one) => `${town.path}/${one}`)];
    gone.push(agent.path, `${agent.path}/events`, `${agent.path}/runs`, `/api/rigs/${town.rig_id}/agents`);
    gone.push(`/api/rigs/${town.rig_id}/agents/poster/events`);
    for (const path of gone) mustRefuse(await world.api("GET", path), 404, "not_found");
    mustRefuse(await world.api("PATCH", town.path, { name: "Ghost" }), 404, "not_found");
    mustRefuse(await world.api("DELETE", town.path), 404, "not_found");
    mustRefuse(await world.api("POST", `${town.path}/rigs`, { name: "ghost" }), 404, "not_found");
    mustRefuse(await world.api("POST", `${town.stream}-ticket`, {}), 404, "not_found");
    mustRefuse(await world.post(town, "poster", [{ event_type: "note" }]), 404, "not_found");
    const late = await world.post(town, "poster", [{ event_type: "note" }], { token });
    assert.ok([401, 404].includes(late.status), `a token of an erased town: ${late.status}`);
    mustRefuse(await connect(`${world.url}${town.stream}?ticket=${unused}`), 404, "not_found");
    assert.deepEqual((await get("/api/towns")).map((one) => one.town_id), [other.town_id]);
    must(await world.api("GET", other.path));
  });
});
