// What the real agents do where no sandbox is around them: those that can ask do, whatever a repository allows them; those
// that cannot are refused.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";

import { answer as geminiAnswer } from "../models/gemini.mjs";
import { answer as codexAnswer } from "../models/responses.mjs";
import { must } from "../worker/harness.mjs";
import { startClaudeCode } from "./claude_work.mjs";
import { ControlServer } from "./control.mjs";
import { agentFromNpm } from "./install.mjs";
import { Model } from "./opencode_model.mjs";
import { repository } from "./opencode_repository.mjs";
import { testsOf } from "./tests_of.mjs";
import { startWork } from "./work.mjs";

const RUN_MS = 150_000;
/** No sandbox. */
const sandbox = "";

const claude = await agentFromNpm("claude");
testsOf(claude.missing, "the real Claude Code without a sandbox", () => {
  let work;
  before(async () => {
    work = await startClaudeCode(claude.bin, { sandbox });
  });
  after(() => work?.stop());

  it("asks before it writes a file, though nothing tells it to", async () => {
    const { agent_id, run_id } = await work.start("work");
    const { request_id, subject } = await work.first(run_id, "agent_question");
    const made = join(work.directory(run_id), "hello.txt");
    assert.ok(!existsSync(made), "nothing was done before the answer");
    assert.match(JSON.stringify(subject), /hello/);
    must(await work.answer(agent_id, { request_id, answer: "once" }));
    const run = await work.ended(run_id);
    assert.equal(run.of("agent_session")[0].permission_mode, "default");
    assert.ok(existsSync(made), "it was done then");
  });
});

const codex = await agentFromNpm("codex");
testsOf(codex.missing, "the real Codex without a sandbox", () => {
  let work;
  // Its sandbox has a /tmp of its own, so what it needs itself must not lie there.
  const home = mkdtempSync(join(homedir(), ".townwatch-test-"));
  before(async () => {
    const config = (url) => `model = "m"\nmodel_provider = "tests"\n[model_providers.tests]\nname = "tests"\nbase_url = "${url}/v1"\nwire_api = "responses"\n`;
    const files = (url) => {
      writeFileSync(join(home, "config.toml"), config(url));
      return {};
    };
    work = await startWork({ runtime: "codex", bin: codex.bin, answer: codexAnswer, files, env_vars: { CODEX_HOME: home }, sandbox });
  });
  after(async () => {
    await work?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it("works in its own sandbox: it can write in its directory, and nowhere else", async () => {
    const resultOf = async (story) => {
      const { run_id } = await work.start(story);
      return (await work.ended(run_id)).of("agent_tool_result")[0];
    };
    const inside = await resultOf("may");
    assert.equal(inside.success, true, JSON.stringify(inside));
    // Codex prints nothing, now and then, of a command that its sandbox has refused; its model is told always.
    let outside;
    for (let tries = 0; outside === undefined && tries < 8; tries += 1) {
      outside = await resultOf("outside");
      assert.ok(!existsSync("/var/townwatch-outside"));
    }
    assert.equal(outside?.success, false);
    assert.match(outside.content, /Read-only file system|Permission denied/);
  });
});

const gemini = await agentFromNpm("gemini");
testsOf(gemini.missing, "the real Gemini CLI without a sandbox", () => {
  let work;
  before(async () => {
    const env_vars = { GOOGLE_GEMINI_BASE_URL: "$MODEL", GEMINI_API_KEY: "key" };
    const files = () => ({ ".gemini/settings.json": JSON.stringify({ security: { auth: { selectedType: "gemini-api-key" } } }) });
    work = await startWork({ runtime: "gemini", bin: gemini.bin, answer: geminiAnswer, files, env_vars, model_name: "gemini-2.5-flash", sandbox });
  });
  after(() => work?.stop());

  it("edits files and is refused commands", async () => {
    const { run_id } = await work.start("work");
    const run = await work.ended(run_id);
    const results = new Map(run.of("agent_tool_result").map((result) => [result.tool_use_id, result]));
    const of = (category) => results.get(run.of("agent_tool_call").find((call) => call.category === category)?.tool_use_id);
    assert.deepEqual([of("Write")?.success, of("Bash")?.success], [true, false]);
    assert.ok(existsSync(join(work.directory(run_id), "hello.txt")));
  });
});

for (const program of ["opencode", "kilo"]) {
  const { bin, missing } = await agentFromNpm(program);
  testsOf(missing, `the real ${program} without a sandbox`, () => {
    let control;
    let model;
    before(async () => {
      model = await new Model().start();
      control = await new ControlServer().start({ env: { PATH: `${bin}:${process.env.PATH}`, CONTROL_WAITING_SECONDS: "1", CONTROL_SANDBOX: sandbox } });
    });
    after(async () => {
      await control?.stop();
      model?.stop();
    });

    it("asks before it runs a command, also where the repository's settings allow all", async () => {
      const order = { runtime: program, prompt: "Ask.", ...repository(model.config("ask", { bash: "allow", edit: "allow" })) };
      await control.run("asks", order);
      const { found } = await control.eventsUntil("asks", "its question", ({ event }) => event === "agent_question", RUN_MS);
      const made = join(control.directory, "work/town/run-of-asks/asked.txt");
      assert.ok(!existsSync(made), "nothing was done before the answer");
      const answered = await control.call("POST", "/agents/asks/answer", { request_id: found.data.request_id, answer: "reject", by: "operator" });
      assert.equal(answered.status, 200, answered.text);
      await control.ended("asks", RUN_MS);
      assert.ok(!existsSync(made), "nor after it");
    });
  });
}
