// `townwatch tail` as people use it: the real binary against the real Worker.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { survivors } from "./any_json.mjs";
import { Command } from "./command_line.mjs";
import { must, startWorld } from "./harness.mjs";
import { at, elements } from "./raw_json.mjs";

/** A process that prints a numbered line every 20 ms, for a minute at most. */
const COUNTING = ["sh", "-c", "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); sleep 0.02; done"];
const outputs = (events) => events.filter(({ event }) => event === "agent_output").map(({ data }) => data.text);
const numbered = (from, to) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`);

describe("townwatch tail", () => {
  let world;
  let town;
  const tail = (args, env) => new Command(world, ["tail", "--town", town.town_id, ...args], env);

  before(async () => {
    world = await startWorld();
    town = await world.town();
  });
  after(() => world?.stop());

  it("ends with the agent's run and its exit code, also where it watched before the agent was there", async () => {
    /** @type {any[][]} */
    const cases = [
      ["well", { runtime: "replay", transcript: "basic", speed: 0 }, 0, ""],
      ["refused", { runtime: "replay", transcript: "err400", speed: 0 }, 1, "failed: "],
      ["seven", { runtime: "process", command: ["sh", "-c", "exit 7"] }, 7, "failed: it ended with exit code 7"],
      ["shot", { runtime: "process", command: ["sh", "-c", "kill -9 $$"] }, 137, "failed: it was ended by SIGKILL"],
    ];
    for (const [agent_id, order, code, words] of cases) {
      const early = tail(["--agent", agent_id]);
      await early.until("that it waits", ({ stderr }) => stderr.includes(`waiting for ${agent_id} to start`));
      await world.startAgent(town, { agent_id, ...order });
      const late = tail(["--agent", agent_id, "--from", "1000000"]);
      for (const one of [early, late]) {
        assert.equal(await one.code(), code, one.stderr);
        assert.ok(one.stderr.includes(words), one.stderr);
      }
    }
  });

  it("says what happened in sentences, which are harmless to a terminal", async () => {
    const evil = "\u001b]0;title\u0007\u009b31mred\u202eabc";
    await world.registerAgent(town, "evil");
    const exited = { event_type: "agent.exited", data: { reason: "completed" } };
    const said = { event_type: "agent_output", data: { text: evil, stream: "assistant" } };
    must(await world.post(town, "evil", [said, { event_type: "note", data: evil }, exited]), 201);
    const shown = tail(["--agent", "evil"]);
    assert.equal(await shown.code(), 0);
    assert.equal(shown.lines.length, 3);
    assert.match(shown.lines[0], /^\d\d:\d\d:\d\d {2}evil {2}␛\]0;title␇\ufffd31mred\ufffdabc$/);
    assert.doesNotMatch(shown.stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    const plain = tail(["--agent", "well"]);
    assert.equal(await plain.code(), 0);
    assert.ok(plain.lines.some((line) => line.endsWith("  finished")), plain.stdout);
  });

  it("prints with --json each event's own text, byte for byte, from where it is asked to", async () => {
    await world.registerAgent(town, "any");
    const events = survivors.map((text, index) => `{"event_type":"any:${index}","data":${text}}`);
    const body = `{"agent_id":"any","events":[${events.join(",")},{"event_type":"agent.exited","data":{"reason":"completed"}}]}`;
    must(await world.api("POST", `/api/rigs/${town.rig_id}/agent-events`, body), 201);
    const whole = tail(["--agent", "any", "--json"]);
    assert.equal(await whole.code(), 0);
    const page = await world.api("GET", `${town.path}/agents/any/events?after_id=0&limit=1000`);
    const texts = elements(at(page.text, "data", "events"));
    assert.equal(texts.length, survivors.length + 1);
    assert.deepEqual(whole.lines, texts.map((text) => text.replace(/[\r\n]/g, " ")));
    const newest = tail(["--agent", "any", "--json", "--tail", "3"]);
    const behind = tail(["--agent", "any", "--json", "--from", String(JSON.parse(whole.lines[4]).id)]);
    await Promise.all([newest.code(), behind.code()]);
    assert.deepEqual(newest.lines, whole.lines.slice(-3));
    assert.deepEqual(behind.lines, whole.lines.slice(5));
  });

  it("goes on where it was when the Worker is killed, twice, without a hole or a repeat", async () => {
    const one = tail(["--agent", "counting", "--json"]);
    const all = tail(["--json"]);
    await one.until("that it waits", ({ stderr }) => stderr.includes("waiting"));
    await world.startAgent(town, { agent_id: "counting", runtime: "process", command: COUNTING });
    for (let kill = 1; kill <= 2; kill += 1) {
      const seen = one.lines.length;
      await one.until("lines", () => one.lines.length >= seen + 30, 30_000);
      await world.worker.kill();
      await one.until("that it noticed", ({ stderr }) => stderr.split("trying again").length > kill);
      await world.worker.start();
      await one.until("that it is back", ({ stderr }) => stderr.split("connected again").length > kill, 30_000);
    }
    must(await world.api("POST", `${town.path}/container/agents/counting/stop`, { signal: "SIGKILL" }));
    assert.equal(await one.code(), 137, one.stderr);
    const events = one.lines.map((line) => JSON.parse(line));
    assert.deepEqual(outputs(events).map((text) => text.trimEnd()), numbered(0, outputs(events).length));
    assert.deepEqual(events, await world.pages(`${town.path}/agents/counting/events`));
    const pages = await world.pages(`${town.path}/events`);
    await all.until("all of the town", () => all.lines.length >= pages.length);
    assert.deepEqual(all.lines.map((line) => JSON.parse(line)), pages);
    all.kill("SIGINT");
    assert.equal(await all.code(), 130);
  });

  it("follows the next run, and ends quietly when nobody reads it", async () => {
    const follow = tail(["--agent", "well", "--follow", "--json"]);
    await follow.until("the first run's end", ({ stdout }) => stdout.includes("agent.exited"));
    await world.startAgent(town, { agent_id: "well", runtime: "replay", transcript: "basic", speed: 0 });
    await follow.until("the second run's end", ({ stdout }) => stdout.split('"agent.exited"').length === 3);
    follow.closeStdout();
    await world.startAgent(town, { agent_id: "well", runtime: "replay", transcript: "basic", speed: 0 });
    assert.deepEqual([await follow.code(), follow.stderr], [0, ""]);
  });

  it("gives up at once where a person has to do something, and says what", async () => {
    /** @type {any[][]} */
    const cases = [
      [tail([], { TOWNWATCH_API_KEY: "wrong" }), "Set TOWNWATCH_API_KEY"],
      [tail([], { TOWNWATCH_API_KEY: "" }), "no key: set TOWNWATCH_API_KEY"],
      [new Command(world, ["tail", "--town", "nowhere"]), "no such town"],
      [new Command(world, ["tail", "--town", "no where"]), "1 to 64 of"],
      [tail(["--from", "1", "--tail", "1"]), "cannot be used with"],
    ];
    for (const [command, words] of cases) {
      assert.equal(await command.code(10_000), 2, words);
      assert.ok(command.stderr.includes(words), command.stderr);
      assert.equal(command.stdout, "");
    }
  });
});
