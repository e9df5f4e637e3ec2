// The power cuts: of the control server in the middle of a run, and of workerd. Nothing that was stored is missing
// afterwards, a run that went down ends once, and viewers go on where they were.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { expectedOf } from "../oracle/claude_code.mjs";
import { stepsSeen } from "../oracle/events.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { metricsOf } from "./metrics.mjs";
import { sleep, until } from "./until.mjs";

/** A process that prints a numbered line every 20 ms, for a minute at most. */
const COUNTING = ["sh", "-c", "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); sleep 0.02; done"];

const linesOf = (events) => events.filter(({ event }) => event === "agent_output").map(({ data }) => data.text.trimEnd());
const exitsOf = (events, run_id) => events.filter((one) => one.event === "agent.exited" && one.run_id === run_id);

describe("the control server is killed in the middle of a run and started again", () => {
  let world;
  let town;
  let viewer;
  let lost;

  before(async () => {
    world = await startWorld();
    town = await world.town();
    viewer = await world.watch(town.stream);
  });
  after(() => world?.stop());

  it("ends that run once, as lost", async () => {
    lost = await world.startAgent(town, { agent_id: "first", runtime: "process", command: COUNTING });
    await viewer.until("some lines", () => linesOf(viewer.events).length >= 20);
    await world.control.kill();
    await world.control.start();
    const end = await viewer.untilExit(lost.run_id, 60_000);
    assert.equal(end.data.reason, "lost");
    const state = must(await world.api("GET", `${town.path}/agents/first`));
    assert.deepEqual([state.status, state.exit.reason, state.activity.kind], ["failed", "lost", "lost"]);
  });

  it("keeps all that came before, without a hole or a repeat", () => {
    const lines = linesOf(viewer.events);
    assert.deepEqual(lines, lines.map((_, index) => `line ${index}`));
  });

  it("lets the same agent run again, and another; ids go on rising", async () => {
    const before = viewer.last_id;
    const orders = [
      { agent_id: "first", runtime: "replay", transcript: "basic", speed: 0 },
      { agent_id: "second", runtime: "replay", transcript: "basic", speed: 0 },
    ];
    for (const order of orders) {
      const { run_id, run_number } = await world.startAgent(town, order);
      assert.equal(run_number, order.agent_id === "first" ? 2 : 1);
      const end = await viewer.untilExit(run_id);
      assert.equal(end.data.reason, "completed");
      const seen = viewer.events.filter((event) => event.run_id === run_id);
      assert.deepEqual(stepsSeen(seen), expectedOf("basic").steps);
      assert.ok(seen[0].id > before);
    }
    assert.equal(exitsOf(viewer.events, lost.run_id).length, 1);
    const runs = must(await world.api("GET", `${town.path}/agents/first/runs`));
    assert.deepEqual(runs.map(({ exit }) => exit.reason).sort(), ["completed", "lost"]);
    assert.deepEqual(await world.pages(`${town.path}/events`), viewer.events);
  });
});

describe("the control server is down", () => {
  let world;
  let town;
  let viewer;
  let untold;

  before(async () => {
    world = await startWorld();
    town = await world.town();
    await world.registerAgent(town, "poster");
    viewer = await world.watch(town.stream);
    await world.control.kill();
  });
  after(() => world?.stop());

  it("agents that post do not notice", async () => {
    must(await world.post(town, "poster", [{ event_type: "note", data: "as ever" }]), 201);
    await viewer.until("the note", () => viewer.events.some(({ data }) => data === "as ever"));
  });

  it("a start is refused in words, and health says the same without waking anything", async () => {
    const order = { agent_id: "untold", rig_id: town.rig_id, name: "x", role: "polecat", runtime: "process", command: ["true"] };
    mustRefuse(await world.api("POST", `${town.path}/container/agents/start`, order), 503, "container_unavailable");
    mustRefuse(await world.api("GET", `${town.path}/container/health`), 503, "container_unavailable");
    assert.equal(must(await world.api("GET", town.path)).container.status, "unreachable");
    [untold] = must(await world.api("GET", `${town.path}/agents/untold/runs`));
  });

  it("once it is back, the run that nobody knows of is settled with one end, and the agent can run", async () => {
    await world.control.start();
    const end = await viewer.untilExit(untold.run_id, 60_000);
    assert.ok(["failed", "lost"].includes(end.data.reason), end.data.reason);
    const order = { agent_id: "untold", runtime: "replay", transcript: "basic", speed: 0 };
    const { run_id, run_number } = await world.startAgent(town, order);
    assert.equal(run_number, 2);
    assert.equal((await viewer.untilExit(run_id)).data.reason, "completed");
    assert.equal(exitsOf(viewer.events, untold.run_id).length, 1);
  });
});

describe("workerd is killed and started again on the same state", () => {
  let world;
  let town;
  let viewer;
  let other;

  before(async () => {
    world = await startWorld();
    town = await world.town();
  });
  after(() => world?.stop());

  it("loses nothing of a finished run, and a viewer comes back without a repeat", async () => {
    viewer = await world.watch(town.stream);
    const { run_id } = await world.startAgent(town, { agent_id: "done", runtime: "replay", transcript: "basic", speed: 0 });
    await viewer.untilExit(run_id);
    const before = await world.pages(`${town.path}/events`);
    const state = must(await world.api("GET", `${town.path}/agents/done`));
    await world.worker.kill();
    await viewer.until("the end of its connection", () => viewer.closed !== null);
    await world.worker.start();
    assert.deepEqual(await world.pages(`${town.path}/events`), before);
    assert.deepEqual(must(await world.api("GET", `${town.path}/agents/done`)), state);
    await viewer.connect();
    await viewer.untilCaughtUp();
    assert.deepEqual(viewer.events, before);
  });

  it("goes on with a run that goes on: viewers miss none and get none twice", async () => {
    const { run_id } = await world.startAgent(town, { agent_id: "running", runtime: "process", command: COUNTING });
    const linesOfRun = () => linesOf(viewer.events.filter((event) => event.run_id === run_id));
    for (let kill = 1; kill <= 2; kill += 1) {
      const seen = linesOfRun().length;
      await viewer.until("lines", () => linesOfRun().length >= seen + 30);
      await world.worker.kill();
      await viewer.until("the end of its connection", () => viewer.closed !== null);
      await world.worker.start();
      await viewer.connect();
    }
    other = await world.watch(town.stream);
    const seen = linesOfRun().length;
    await viewer.until("lines of after the last start", () => linesOfRun().length >= seen + 30);
    must(await world.api("POST", `${town.path}/container/agents/running/stop`, { signal: "SIGKILL" }));
    assert.equal((await viewer.untilExit(run_id)).data.reason, "stopped");
    const lines = linesOfRun();
    assert.deepEqual(lines, lines.map((_, index) => `line ${index}`), "what was printed while workerd was down is there");
    await other.untilExit(run_id);
    assert.deepEqual(other.events, viewer.events);
    assert.deepEqual(await world.pages(`${town.path}/events`), viewer.events);
  });

  it("carries on with nobody watching", async () => {
    viewer.cut();
    other.cut();
    const command = ["sh", "-c", "sleep 4; echo done"];
    const { run_id } = await world.startAgent(town, { agent_id: "alone", runtime: "process", command });
    await world.worker.kill();
    await world.worker.start();
    const page = await until("the run's end", async () => {
      const all = must(await world.api("GET", `${town.path}/events?after_id=0&limit=1000&run_id=${run_id}`));
      return exitsOf(all.events, run_id).length === 1 && all;
    }, 60_000);
    assert.deepEqual(linesOf(page.events), ["done"]);
  });
});

describe("workerd is killed while a rig carries what it has taken to its town", () => {
  const ROUNDS = 4;
  /** The rig's alarm stands 3 s ahead while a batch is under way; carrying takes some seconds on a busy machine. */
  const CARRIED_MS = 20_000;
  const QUIET_MS = 5_000;
  let world;

  before(async () => {
    world = await startWorld({ control: false });
  });
  after(() => world?.stop());

  it("carries it on soon after the start, though nobody asks the rig for anything", async (test) => {
    const batch = Array.from({ length: 500 }, () => ({ event_type: "note", data: "x".repeat(1_000) }));
    for (let round = 0; round < ROUNDS; round += 1) {
      const town = await world.town();
      await world.registerAgent(town, "poster");
      let taken = 0;
      let isDead = false;
      // So much that something is always under way.
      const posters = Array.from({ length: 4 }, async () => {
        while (!isDead) {
          const answer = await world.post(town, "poster", batch).catch(() => null); // the kill
          taken += answer?.status === 201 ? 500 : 0;
        }
      });
      await until("the first batch", () => taken > 0, 20_000);
      await sleep(150 * round);
      await world.worker.kill();
      isDead = true;
      await Promise.all(posters);
      await world.worker.start();
      // A post whose answer went with the kill may have been taken, too: until nothing more has come for a while.
      let last = { head: 0, at: Date.now() };
      const head = await until("all of it in the town", async () => {
        const { head } = must(await world.api("GET", town.path));
        if (head > last.head) last = { head, at: Date.now() };
        return head >= taken && Date.now() - last.at > QUIET_MS && head;
      }, CARRIED_MS);
      // To ask the rig for anything lets it carry on.
      const { outbox_events } = await metricsOf(world, `/api/rigs/${town.rig_id}`);
      test.diagnostic(`${taken} events were taken, ${head} carried, and ${outbox_events} wait`);
      assert.ok(taken > 0 && head >= taken && outbox_events === 0, `${outbox_events} events wait`);
    }
  });
});
