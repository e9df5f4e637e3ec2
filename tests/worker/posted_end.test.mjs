// Agents that post have an end: silence loses their runs, a heartbeat or a post keeps them, the operator stops them.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, before, describe, it } from "node:test";

import { present } from "../present.mjs";
import { Command } from "./command_line.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { temporaryDirectory } from "./processes.mjs";
import { sleep, until } from "./until.mjs";

const LOST_MS = 8_000;

let world;
let town;
/** What `townwatch send` asks of a server that takes everything, while its input is silent: `[seconds, method, path]` each. */
const asked = [];
let quiet;
/** One that is stopped before it prints anything more. */
let hushed;

before(async () => {
  const began = performance.now();
  const server = http.createServer((request, response) => {
    asked.push([Math.round((performance.now() - began) / 1_000), request.method, present(request.url).split("/").at(-1)]);
    request.resume().on("end", () => response.writeHead(201, { "content-type": "application/json" }).end('{"success":true,"data":{}}'));
  });
  await once(server.listen(0, "127.0.0.1").unref(), "listening");
  const nowhere = { directory: temporaryDirectory(), secrets: { TOWNWATCH_API_KEY: "any" }, url: `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}` };
  quiet = new Command(nowhere, ["send", "--rig", "rig", "--agent", "quiet"]);
  world = await startWorld({ vars: { POSTED_LOST_SECONDS: LOST_MS / 1_000 } });
  town = await world.town();
  await world.registerAgent(town, "hushed");
  hushed = new Command(world, ["send", "--rig", town.rig_id, "--agent", "hushed"]);
  hushed.stdin.write("one\n");
  await until("its run", async () => (await eventCount("hushed")) >= 3);
  must(await stop("hushed"));
});
after(async () => {
  hushed?.kill("SIGKILL");
  quiet?.kill("SIGKILL");
  await world?.stop();
});

const note = (fields = {}) => ({ event_type: "note", ...fields });
const post = (agent_id, ...events) => world.post(town, agent_id, events);
const state = async (agent_id) => must(await world.api("GET", `${town.path}/agents/${agent_id}`));
const runs = async (agent_id) => must(await world.api("GET", `${town.path}/agents/${agent_id}/runs`));
const stop = (agent_id) => world.api("POST", `${town.path}/container/agents/${agent_id}/stop`, {});
const heartbeat = (agent_id, options) => world.api("POST", `/api/rigs/${town.rig_id}/agents/${agent_id}/heartbeat`, undefined, options);
const eventCount = async (agent_id) => (await world.pages(`${town.path}/agents/${agent_id}/events`)).length;

/** Registers an agent and waits until what it posts has opened a run. */
async function running(agent_id, ...events) {
  await world.registerAgent(town, agent_id);
  must(await post(agent_id, ...(events.length > 0 ? events : [note()])), 201);
  return until("its run", async () => (await state(agent_id)).run_id);
}

function mustBeOver(answer, reason, names) {
  mustRefuse(answer, 409, "run_ended", names);
  assert.deepEqual(answer.json.error.details, { reason });
}

describe("silence", () => {
  it("loses a run, also over a restart of the Worker; its own posts learn of it, and one without a name begins another", async () => {
    const run_id = await running("gone", note({ run_id: "gone-1" }));
    await world.worker.kill();
    await world.worker.start();
    const lost = await until("the end", async () => ((await state("gone")).exit === null ? null : state("gone")), LOST_MS + 20_000);
    assert.deepEqual([lost.run_id, lost.exit.reason, lost.exit.message], [run_id, "lost", "nothing was heard of the agent for 8 s"]);
    assert.equal(lost.activity.kind, "lost");
    const refused = await until("the rig to know", async () => {
      const answer = await post("gone", note({ run_id: "gone-1" }));
      return answer.status === 201 ? null : answer;
    });
    mustBeOver(refused, "lost", "post under another run_id");
    must(await post("gone", note()), 201);
    const next = await until("another run", async () => ((await state("gone")).exit === null ? state("gone") : null));
    assert.equal(next.run_number, 2);
  });

  it("is none while there are heartbeats or posts, and a heartbeat is no event", async () => {
    const token = await world.registerAgent(town, "quiet").then(() => world.agentToken(town, "quiet"));
    await running("quiet");
    await running("talking");
    const count = await eventCount("quiet");
    const began = performance.now();
    while (performance.now() - began < 2 * LOST_MS) {
      assert.deepEqual(must(await heartbeat("quiet", { token })), { heard: true });
      must(await post("talking", note()), 201);
      await sleep(500);
    }
    assert.deepEqual([(await state("quiet")).exit, (await state("talking")).exit], [null, null]);
    assert.equal(await eventCount("quiet"), count);
    await until("the end", async () => (await state("quiet")).exit?.reason === "lost", LOST_MS + 20_000);
    assert.deepEqual(must(await heartbeat("quiet")), { heard: true }, "where nothing is open");
    assert.equal((await runs("quiet")).length, 1);
    mustRefuse(await heartbeat("nobody"), 404, "not_found");
  });
});

describe("a stop", () => {
  it("ends what an agent posts, refuses its next post, and lets repeats of what was taken pass", async () => {
    const taken = note({ event_id: "taken" });
    const run_id = await running("stopped", taken);
    const viewer = await world.watch(`${town.path}/container/agents/stopped/stream`);
    assert.deepEqual(must(await stop("stopped")), { stopped: true });
    const { exit, status } = await state("stopped");
    assert.deepEqual([exit.reason, exit.message, status], ["stopped", "it was stopped by the operator", "exited"]);
    await viewer.until("the end", () => viewer.events.some(({ event }) => event === "agent.exited"));
    viewer.cut();
    const count = await eventCount("stopped");
    mustBeOver(await post("stopped", note()), "stopped", "the run was stopped by the operator; post under another run_id, or register the agent again");
    mustBeOver(await post("stopped", note({ run_id })), "stopped", run_id);
    mustBeOver(await heartbeat("stopped"), "stopped");
    assert.equal(must(await post("stopped", taken), 201).duplicates, 1);
    must(await stop("stopped"));
    await world.worker.kill();
    await world.worker.start();
    mustBeOver(await post("stopped", note()), "stopped");
    must(await stop("stopped"));
    assert.equal(await eventCount("stopped"), count, "nothing was stored after the end");
    // Another name begins another run, and posts without one belong to it then.
    must(await post("stopped", note({ run_id: "second" })), 201);
    must(await post("stopped", note()), 201);
    assert.deepEqual(must(await heartbeat("stopped")), { heard: true });
    await until("the second run", async () => (await state("stopped")).run_id === "second");
    must(await stop("stopped"));
    await world.registerAgent(town, "stopped");
    must(await post("stopped", note()), 201);
    await until("the third run", async () => (await state("stopped")).run_number === 3);
  });

  it("at once after a post ends its run: nothing that was taken comes after the end", async () => {
    await world.registerAgent(town, "hasty");
    must(await post("hasty", ...Array.from({ length: 300 }, () => note())), 201);
    must(await stop("hasty"));
    const events = await world.pages(`${town.path}/agents/hasty/events`);
    assert.deepEqual([events.length, events.at(-1).event, events.at(-1).data.reason], [301, "agent.exited", "stopped"]);
    mustBeOver(await post("hasty", note()), "stopped");
  });

  it("leaves an agent alone that has no run: its next post begins one", async () => {
    await world.registerAgent(town, "ready");
    must(await stop("ready"));
    must(await post("ready", note(), { event_type: "agent.exited", data: { reason: "completed" } }), 201);
    await until("its end", async () => (await state("ready")).exit?.reason === "completed");
    must(await stop("ready"));
    assert.equal((await state("ready")).exit.reason, "completed");
    must(await post("ready", note()), 201);
  });

  it("is followed by a start under its id", async () => {
    await running("again");
    const order = { agent_id: "again", runtime: "process", command: ["sh", "-c", "sleep 60"] };
    const early = await world.api("POST", `${town.path}/container/agents/start`, { rig_id: town.rig_id, name: "Again", role: "polecat", ...order });
    mustRefuse(early, 409, "already_running", "stop it first");
    must(await stop("again"));
    const { run_id } = await world.startAgent(town, order);
    await until("it runs", async () => (await state("again")).status === "running");
    // What the program posts itself belongs to its run.
    must(await post("again", note()), 201);
    await until("its post", async () => (await world.pages(`${town.path}/agents/again/events`)).some((event) => event.event === "note" && event.run_id === run_id));
    must(await stop("again"));
    await until("its end", async () => (await state("again")).exit?.reason === "stopped", 20_000);
    assert.equal((await runs("again")).length, 2);
  });
});

describe("townwatch send", () => {
  const send = (agent) => new Command(world, ["send", "--rig", town.rig_id, "--agent", agent]);

  it("ends where its run is stopped, and says so; the next one is a run of its own", async () => {
    await world.registerAgent(town, "piped");
    const first = send("piped");
    first.stdin.write("one\n");
    await until("its run", async () => (await eventCount("piped")) >= 3);
    must(await stop("piped"));
    first.stdin.write("two\n");
    assert.equal(await first.code(20_000), 3, first.stderr);
    assert.match(first.stderr, /the run was stopped from the town's page \(or API\)/);
    assert.equal(first.stdout, "one\ntwo\n", "what it read it has passed on");
    const second = send("piped");
    second.stdin.end("three\n");
    assert.deepEqual([await second.code(), second.stderr], [0, ""], "the first one has left nothing behind");
    const ends = async () => (await runs("piped")).map(({ exit }) => exit?.reason);
    await until("two ends", async () => String(await ends()) === "completed,stopped");
  });

  it("passes its input on where its run only counts as lost", async () => {
    await world.registerAgent(town, "asleep");
    const sent = send("asleep");
    sent.stdin.write("one\n");
    await until("the end", async () => (await state("asleep")).exit?.reason === "lost", LOST_MS + 20_000);
    await sleep(500); // the rig is told behind it
    sent.stdin.write("two\n");
    await sent.until("the word", ({ stderr }) => stderr.includes("has called the run lost"));
    sent.stdin.end("three\n");
    assert.deepEqual([await sent.code(), sent.stdout], [3, "one\ntwo\nthree\n"]);
  });

  it("ends within a minute also where nothing is printed any more", async () => {
    assert.equal(await hushed.code(80_000), 3, hushed.stderr);
    assert.match(hushed.stderr, /the run was stopped from the town's page \(or API\)/);
  });

  it("says that the agent is there where it prints nothing for a minute", async () => {
    await until("a heartbeat", () => asked.some(([, , what]) => what === "heartbeat"), 80_000, () => JSON.stringify(asked));
    const [posted, beat, ...more] = asked;
    assert.deepEqual([posted.slice(1), beat.slice(1), more], [["POST", "agent-events"], ["POST", "heartbeat"], []]);
    assert.ok(beat[0] - posted[0] >= 59, JSON.stringify(asked));
    quiet.stdin.end();
    assert.equal(await quiet.code(), 0, quiet.stderr);
    assert.equal(asked.at(-1)[2], "agent-events");
  });
});
