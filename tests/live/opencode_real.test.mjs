// The real OpenCode and Kilo from npm under the real control server, with a model on loopback.

import assert from "node:assert/strict";
import { after, before, it } from "node:test";

import { unpaired } from "../oracle/events.mjs";
import { seenOf } from "../oracle/opencode.mjs";
import { ControlServer } from "./control.mjs";
import { agentFromNpm, versionOf } from "./install.mjs";
import { Model } from "./opencode_model.mjs";
import { repository } from "./opencode_repository.mjs";
import { testsOf } from "./tests_of.mjs";

/** Two cores, shared with others, and the program's very first start. */
const RUN_MS = 150_000;
/** Kilo would ask before each command. */
const ALLOWED = { bash: "allow", edit: "allow" };

for (const program of ["opencode", "kilo"]) {
  const { bin, missing } = await agentFromNpm(program);
  testsOf(missing, `the real ${program}`, () => {
    let control;
    let model;

    before(async () => {
      model = await new Model().start();
      control = await new ControlServer().start({ env: { PATH: `${bin}:${process.env.PATH}`, CONTROL_WAITING_SECONDS: "3", CONTROL_SANDBOX: "1" } });
    });
    after(async () => {
      await control?.stop();
      model?.stop();
    });

    it("works, waits, is told more, and completes when nobody says anything", async () => {
      const words = { prompt: "First things.", system_prompt: "Be brief.", model: "stub/stub-model" };
      await control.run("builder", { runtime: program, ...words, ...repository(model.config("work", ALLOWED)) });
      await control.eventsUntil("builder", "the end of a turn", ({ event, data }) => event === "agent.status" && data.status === "waiting", RUN_MS);
      const told = await control.call("POST", "/agents/builder/message", { prompt: "And now?" });
      assert.deepEqual([told.status, told.json], [200, { sent: true }]);
      const events = await control.ended("builder", RUN_MS);
      const statuses = events.filter(({ event }) => event === "agent.status").map(({ data }) => data.status);
      assert.deepEqual(statuses, ["running", "waiting", "running", "waiting"]);
      assert.deepEqual(events.exit, { reason: "completed" });
      assert.deepEqual(model.prompts.map((prompt) => prompt.split("\n")[0]), ["First things.", "And now?"]);
      assert.ok(model.systems.every((text) => text.includes("Be brief.")), "the system prompt reached the model, each time");
      const seen = seenOf(events);
      const said = ["I look first. naïve 日本語 🚀 \u2028", "Two at once.", "Done."];
      assert.deepEqual(seen.texts.map(({ text }) => text), [...said, ...said]);
      assert.deepEqual(seen.calls.map(({ tool }) => tool).sort(), ["bash", "bash", "read", "read", "write", "write"]);
      assert.deepEqual(unpaired(events), []);
      const success = Object.fromEntries(seen.calls.map(({ tool, tool_use_id }) => [tool, seen.results.find((one) => one.tool_use_id === tool_use_id).success]));
      assert.deepEqual(success, { read: true, write: true, bash: false });
      const session = events.find(({ event }) => event === "agent_session").data;
      assert.deepEqual([session.model, session.agent_version, session.branch], ["stub/stub-model", versionOf(program), "main"]);
      const paths = events.filter(({ event }) => event === "agent_tool_call").map(({ data }) => data.path);
      assert.ok(paths.includes("README.md") && paths.includes("hello.txt"), String(paths));
      assert.ok(events.some(({ event, data }) => event === "file_changed" && data.path === "hello.txt"));
      assert.ok(seen.usage.input_tokens > 6_000 && seen.usage.output_tokens === 120, JSON.stringify(seen.usage));
      assert.deepEqual(events.filter(({ event }) => event === "parser_notice"), []);
      const late = await control.call("POST", "/agents/builder/message", { prompt: "Still there?" });
      assert.deepEqual([late.status, late.json.error.code], [409, "conflict"]);
    });

    it("is stopped in the middle of a call, with all that it started", async () => {
      await control.run("hang", { runtime: program, prompt: "Hang.", ...repository(model.config("hang", ALLOWED)) });
      await control.eventsUntil("hang", "the call", ({ event }) => event === "agent_tool_call", RUN_MS);
      const begun = Date.now();
      assert.equal((await control.call("POST", "/agents/hang/stop")).status, 200);
      const events = await control.ended("hang", 30_000);
      assert.deepEqual([events.exit.reason, Date.now() - begun < 15_000], ["stopped", true], `${Date.now() - begun} ms`);
      assert.deepEqual(unpaired(events), [], "the interrupted call has its result");
      assert.ok(events.some(({ event, data }) => event === "agent_error" && data.message === "The turn was interrupted"));
    });

    it("fails at once where its key is not accepted, and says what to do", async () => {
      await control.run("key", { runtime: program, prompt: "Hello.", ...repository(model.config("status401")) });
      const { exit } = await control.ended("key", RUN_MS);
      assert.equal(exit.reason, "failed");
      assert.match(exit.message, new RegExp(`the stub says 401; sign in with \`${program} auth login\``));
    });

    it("is in time or over", async () => {
      const order = { runtime: program, prompt: "Hang.", timeout_seconds: 1, ...repository(model.config("hang")) };
      await control.run("late", order);
      assert.equal((await control.ended("late", RUN_MS)).exit.reason, "timeout");
    });
  });
}
