// `townwatch send` as people use it: the real binary against the real Worker.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { expectedOf } from "../oracle/claude_code.mjs";
import { stepsSeen } from "../oracle/events.mjs";
import { textOf } from "../oracle/recordings.mjs";
import { Command } from "./command_line.mjs";
import { must, startWorld } from "./harness.mjs";
import { sleep, until } from "./until.mjs";

const outputs = (events) => events.filter(({ event }) => event === "agent_output").map(({ data }) => data.text);
const numbered = (from, to) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`);

describe("townwatch send", () => {
  let world;
  let town;
  /**
   * @param {string} agent
   * @param {{ args?: string[], env?: { [name: string]: string } }} [options]
   */
  const send = (agent, { args = [], env } = {}) =>
    new Command(world, ["send", "--rig", town.rig_id, "--agent", agent, ...args], env);
  const eventsOf = (agent) => world.pages(`${town.path}/agents/${agent}/events`);
  /** Pages hold what fits a frame; of an event that does not, the whole lies apart. */
  const whole = (events) =>
    Promise.all(events.map(async (one) => (one.cut ? must(await world.api("GET", `${town.path}/events/${one.id}`)) : one)));
  const ends = (events) => events.filter(({ event }) => event === "agent.exited").map(({ data }) => data.reason);
  const untilEnded = (agent, runs) =>
    until(`${runs} runs of ${agent}`, async () => ends(await eventsOf(agent)).length === runs && eventsOf(agent), 30_000);

  before(async () => {
    world = await startWorld();
    town = await world.town();
  });
  after(() => world?.stop());

  it("passes its input through, and the town gets what it would get from its own control server", async () => {
    for (const name of ["volume320", "subagent", "err400"]) {
      await world.registerAgent(town, name);
      const recording = textOf("claude_code", name);
      const sent = send(name, { env: { TOWNWATCH_TOKEN: await world.agentToken(town, name), TOWNWATCH_API_KEY: "wrong" } });
      sent.stdin.end(recording);
      assert.equal(await sent.code(), 0, sent.stderr);
      assert.equal(sent.stdout, recording);
      const events = await whole(await untilEnded(name, 1));
      assert.deepEqual(stepsSeen(events), expectedOf(name).steps);
      const replayed = `${name}-replayed`;
      await world.startAgent(town, { agent_id: replayed, runtime: "replay", transcript: name, speed: 0 });
      const own = await whole(await untilEnded(replayed, 1));
      assert.deepEqual(introductionOf(events), { takes_messages: false, working_dir: world.directory });
      assert.deepEqual(introductionOf(own), { takes_messages: false });
      assert.deepEqual(timeless(events), timeless(own));
      assert.deepEqual(ends(events), ends(own));
    }
  });

  it("loses and doubles nothing when the Worker is down, killed in the middle, and up again", async () => {
    await world.registerAgent(town, "steady");
    const sent = send("steady");
    const say = (from, to) => sent.stdin.write(`${numbered(from, to).join("\n")}\n`);
    say(0, 100);
    await until("the first lines", async () => outputs(await eventsOf("steady")).length === 100, 20_000);
    await world.worker.kill();
    say(100, 700);
    await sent.until("that it noticed", ({ stderr }) => stderr.includes("cannot reach"));
    say(700, 800);
    await world.worker.start();
    say(800, 900);
    sent.stdin.end();
    assert.equal(await sent.code(), 0, sent.stderr);
    const events = await untilEnded("steady", 1);
    assert.deepEqual(outputs(events), numbered(0, 900));
    assert.ok(sent.stderr.includes("takes events again"), sent.stderr);
  });

  it("sends at the next start what a killed one left, as a run of its own", async () => {
    await world.registerAgent(town, "killed");
    const first = send("killed");
    first.stdin.write(`${numbered(0, 50).join("\n")}\n`);
    await until("the first lines", async () => outputs(await eventsOf("killed")).length === 50, 20_000);
    await world.worker.kill();
    first.stdin.write(`${numbered(50, 1200).join("\n")}\n`);
    await first.until("that it has read all", ({ lines }) => lines.length === 1200);
    await first.until("that it noticed", ({ stderr }) => stderr.includes("cannot reach"));
    first.kill("SIGKILL");
    await first.code();
    await world.worker.start();
    const second = send("killed");
    second.stdin.end("one more\n");
    assert.equal(await second.code(), 0, second.stderr);
    assert.ok(second.stderr.includes("an earlier `send` left"), second.stderr);
    const events = await untilEnded("killed", 2);
    assert.deepEqual(outputs(events), [...numbered(0, 1200), "one more"]);
    assert.deepEqual(ends(events), ["lost", "completed"]);
    const third = send("killed");
    third.stdin.end("nothing is left\n");
    assert.deepEqual([await third.code(), third.stderr], [0, ""]);
  });

  it("does not slow the pipe where the server never answers, and says what is kept", async () => {
    const silent = net.createServer(() => {}).listen(0, "127.0.0.1").unref();
    await once(silent, "listening");
    const sent = send("kept", { env: { TOWNWATCH_URL: `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (silent.address()).port}` } });
    const input = Buffer.from(`${"x".repeat(199)}\n`.repeat(200_000)); // 40 MB
    const began = performance.now();
    sent.stdin.end(input);
    await sent.until("the input to be through", () => sent.bytes === input.length, 30_000);
    const took_ms = performance.now() - began;
    assert.ok(took_ms < 10_000, `40 MB took ${Math.round(took_ms)} ms`);
    console.log(`40 MB through the pipe, nobody answering: ${Math.round(took_ms)} ms`);
    assert.equal(await sent.code(30_000), 0);
    assert.match(sent.stderr, /200003 events are not sent; they are kept in .*kept/);
    assert.ok(performance.now() - began < 25_000, "the end waits only so long");
    silent.close();
  });

  it("says how to register an agent, keeps its events, and sends them once that is done", async () => {
    const early = send("stranger");
    early.stdin.end("too early\n");
    assert.equal(await early.code(), 2);
    assert.ok(early.stderr.includes(`curl ${world.url}/api/rigs/${town.rig_id}/agents`), early.stderr);
    assert.equal(early.stdout, "too early\n");
    await world.registerAgent(town, "stranger");
    const later = send("stranger");
    later.stdin.end("in time\n");
    assert.equal(await later.code(), 0, later.stderr);
    assert.deepEqual(outputs(await untilEnded("stranger", 2)), ["too early", "in time"]);
  });

  it("keeps and sends no secret, be it of its own environment or of a known format", async () => {
    const [password, token] = ["sword\"fish-4711", `${"ghp"}_q7Xc2LmZ9aTf4RkV0bNw8JyH3sPd6GuE1oQx`];
    const input = `with ${password}\nand ${token}\n`;
    const kept = send("discreet", { env: { DEPLOY_PASSWORD: password } });
    kept.stdin.end(input);
    assert.equal(await kept.code(), 2); // nobody has registered it yet
    assert.equal(kept.stdout, input);
    const folder = join(world.directory, "state-home");
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    const onDisk = files.map((one) => readFileSync(join(one.parentPath, one.name), "utf8")).join("\n");
    const outputsExpected = ["with ‹redacted:DEPLOY_PASSWORD›", "and ‹redacted:github_token›"];
    for (const text of outputsExpected) assert.ok(onDisk.includes(text), onDisk.slice(-2000));
    for (const secret of ["fish-4711", token]) assert.ok(!onDisk.includes(secret), onDisk.slice(-2000));
    await world.registerAgent(town, "discreet");
    const later = send("discreet");
    later.stdin.end("in time\n");
    assert.equal(await later.code(), 0, later.stderr);
    const events = await untilEnded("discreet", 2);
    assert.deepEqual(outputs(events), [...outputsExpected, "in time"]);
    const notices = events.filter(({ event }) => event === "parser_notice").map(({ data }) => [data.kind, data.sample, data.count]);
    assert.deepEqual(notices, [["redacted", "DEPLOY_PASSWORD", 1], ["redacted", "github_token", 1]]);
  });

  it("shows a bar that never ends its line while it moves, and joins what it printed to the byte", async () => {
    for (const args of [["--format", "process"], []]) {
      const agent = `bar-${args.length}`;
      await world.registerAgent(town, agent);
      const sent = send(agent, { args });
      const steps = Array.from({ length: 60 }, (_, step) => `\r\u001b[32m${"#".repeat(step % 20)}\u001b[0m ${step} % ✓`);
      let isMoving = true;
      const moving = (async () => {
        // Without a pause: less than a line waits for its end.
        for (let at = 0; isMoving; at = (at + 1) % steps.length) {
          sent.stdin.write(steps[at]);
          await sleep(20);
        }
      })();
      const parts = async () => (await eventsOf(agent)).filter(({ event }) => event === "agent_output");
      await until("some of its parts while it moves", async () => (await parts()).length >= 4, 15_000);
      isMoving = false;
      await moving;
      sent.stdin.end("\r\u001b[KDone.\n");
      assert.equal(await sent.code(), 0, sent.stderr);
      await untilEnded(agent, 1);
      const told = (await parts()).map(({ data }) => data);
      assert.equal(`${told.map(({ text }) => text).join("")}\n`, sent.stdout);
      assert.deepEqual([...new Set(told.slice(0, -1).map(({ partial }) => partial)), told.at(-1).partial], [true, undefined]);
    }
  });

  it("finds the format behind banners, a wrapper's lines and a bar, and does what `--format` says all the same", async () => {
    const banner = "\n> agent@1.0.0 start\n> node agent.mjs\n\n\u001b[2mUsing model\u001b[0m some-model\n(node:7) Warning: old\n\n";
    const bar = "\rloading 10 %\rloading 100 %\r\u001b[K";
    const isOf = (kind) => ({ event, data }) => event === kind && (kind !== "agent_output" || data.stream === "stdout");
    for (const name of ["basic", "codex/basic", "gemini/basic"]) {
      const agent = name.replace("/", "-");
      for (const id of [agent, `${agent}-plain`, `${agent}-text`]) await world.registerAgent(town, id);
      const recording = textOf(name.includes("/") ? name.split("/")[0] : "claude_code", name.split("/").at(-1));
      const through = async (id, input, args) => {
        const sent = send(id, { args });
        sent.stdin.end(input);
        assert.equal(await sent.code(), 0, sent.stderr);
        return untilEnded(id, 1);
      };
      const [behind, plain] = [await through(agent, `${banner}${bar}${recording}`), await through(`${agent}-plain`, recording)];
      const shown = behind.filter(isOf("agent_output")).map(({ data }) => data.text);
      assert.deepEqual(shown, banner.split("\n").slice(0, 6), "shown as they are, but for the blank line before the stream");
      const notices = behind.filter(isOf("parser_notice")).map(({ data }) => data);
      assert.deepEqual(notices, [{ kind: "malformed", count: 1, sample: bar }], "what stood in the line of its first object is told");
      const own = (events) => timeless(events).filter((one) => !isOf("agent_output")(one) && !isOf("parser_notice")(one));
      assert.deepEqual(own(behind), own(plain));
      assert.ok(plain.some(isOf("agent_tool_call")) && !plain.some(isOf("agent_output")), name);
      const text = await through(`${agent}-text`, `${banner}${recording}`, ["--format", "process"]);
      assert.deepEqual(outputs(await whole(text)), `${banner}${recording}`.split("\n").slice(0, -1), "as text");
    }
  });

  it("goes on sending when nobody reads behind it, and passes on what it may not send", async () => {
    await world.registerAgent(town, "unread");
    const unread = send("unread");
    unread.closeStdout();
    await sleep(50);
    for (const line of numbered(0, 30)) unread.stdin.write(`${line}\n`);
    unread.stdin.end();
    assert.equal(await unread.code(), 0, unread.stderr);
    assert.deepEqual(outputs(await untilEnded("unread", 1)), numbered(0, 30));
    const keyless = send("unread", { env: { TOWNWATCH_API_KEY: "" } });
    keyless.stdin.end("passes\n");
    assert.deepEqual([await keyless.code(), keyless.stdout], [2, "passes\n"]);
    assert.ok(keyless.stderr.includes("no key: set TOWNWATCH_TOKEN or TOWNWATCH_API_KEY"), keyless.stderr);
  });

  it("reads to the agent's own end after one Ctrl-C, and ends at once after a second one", async () => {
    await world.registerAgent(town, "interrupted");
    const sent = send("interrupted");
    sent.stdin.write("before\n");
    await sent.until("its first line", ({ lines }) => lines.length === 1);
    sent.kill("SIGINT");
    sent.stdin.end("last words\n");
    assert.equal(await sent.code(), 0, sent.stderr);
    assert.deepEqual(outputs(await untilEnded("interrupted", 1)), ["before", "last words"]);
    const twice = send("interrupted");
    twice.stdin.write("x\n");
    await twice.until("its first line", ({ lines }) => lines.length === 1);
    twice.kill("SIGINT");
    await sleep(100);
    twice.kill("SIGINT");
    assert.equal(await twice.code(), 130);
  });
});

/** What is said of an agent before it has said anything; a pipe stands in some directory, a recording in none. */
const introductionOf = (events) => {
  const { hostname, os, in_container, ...known } = events.find(({ event }) => event === "agent_session").data;
  assert.ok(hostname && os);
  return known;
};

/** Events without what differs from run to run: when, and where; and without the end, which a pipe does not see. */
function timeless(events) {
  const started = ({ event, data }) => event === "agent.status" && data.status === "starting";
  const introduced = events.find(({ event }) => event === "agent_session");
  const kept = events.filter((event) => event.event !== "agent.exited" && !started(event) && event !== introduced);
  return kept.map(({ event, data }) => {
    const { duration_ms, elapsed_seconds, hostname, os, in_container, branch, initial_commit, git_origin, ...rest } = data;
    return { event, data: rest };
  });
}
