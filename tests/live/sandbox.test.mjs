// Real agents in sandboxes of their own: their programs, with all that they need, work there as they do outside.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, it } from "node:test";

import { answer } from "../models/messages.mjs";
import { ControlServer } from "./control.mjs";
import { agentFromNpm } from "./install.mjs";
import { startModel } from "./model_server.mjs";
import { Model } from "./opencode_model.mjs";
import { repository } from "./opencode_repository.mjs";
import { testsOf } from "./tests_of.mjs";

const RUN_MS = 150_000;

/** Why there can be no sandbox here, if that is so. */
function missingSandbox() {
  try {
    execFileSync("bwrap", ["--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "true"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "bubblewrap is not installed here, or may not make a sandbox";
  }
}

/** For each program: its runtime, a model for it, and the variables and repository that bring it to that. */
const programs = {
  claude: async () => {
    const model = await startModel(answer);
    const env_vars = { ANTHROPIC_BASE_URL: model.url("work"), ANTHROPIC_API_KEY: "key", CLAUDE_CODE_MAX_RETRIES: "0" };
    return { runtime: "claude_code", order: { git_url: repository({}).git_url, env_vars }, stop: () => model.stop() };
  },
  opencode: async () => {
    const model = await new Model().start();
    return { runtime: "opencode", order: { git_url: repository(model.config("work")).git_url }, stop: () => model.stop() };
  },
};

for (const [name, start] of Object.entries(programs)) {
  const { bin, missing } = await agentFromNpm(name);
  testsOf(missing ?? missingSandbox(), `the real ${name} in a sandbox`, () => {
    let control;
    let program;
    before(async () => {
      program = await start();
      const env = { PATH: `${bin}:${process.env.PATH}`, CONTROL_WAITING_SECONDS: "1", CONTROL_SANDBOX: "bubblewrap" };
      control = await new ControlServer().start({ env });
    });
    after(async () => {
      await control?.stop();
      await program?.stop();
    });

    it("reads, writes and runs commands without asking", async () => {
      const { runtime, order } = program;
      await control.run("works", { runtime, prompt: "Do your work.", ...order });
      const events = await control.ended("works", RUN_MS);
      assert.equal(events.exit.reason, "completed", JSON.stringify(events.exit));
      assert.deepEqual(events.filter(({ event }) => event === "agent_question"), []);
      const calls = events.filter(({ event }) => event === "agent_tool_call").map(({ data }) => data.category);
      assert.ok(["Read", "Write", "Bash"].every((category) => calls.includes(category)), calls.join());
      assert.ok(existsSync(join(control.directory, "work/town/run-of-works/hello.txt")));
      assert.ok(events.some(({ event, data }) => event === "file_changed" && data.path === "hello.txt"));
    });
  });
}
