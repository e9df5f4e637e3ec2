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
  /** What Codex told its model of its commands, by the story. @type {Map<string, string>} */
  const told = new Map();
  // Its sandbox has a /tmp of its own, so what it needs itself must not lie there.
  const home = mkdtempSync(join(homedir(), ".townwatch-test-"));
  before(async () => {
    const answer = (request, reply) => {
      const outputs = (request.body.input ?? []).filter(({ type }) => type === "function_call_output");
      if (outputs.length > 0) told.set(request.story, JSON.stringify(outputs));
      return codexAnswer(request, reply);
    };
    const files = (url) => {
      const provider = `[model_providers.tests]\nname = "tests"\nbase_url = "${url}/v1"\nwire_api = "responses"\n`;
      writeFileSync(join(home, "config.toml"), `model = "m"\nmodel_provider = "tests"\n${provider}`);
      return {};
    };
    work = await startWork({ runtime: "codex", bin: codex.bin, answer, files, env_vars: { CODEX_HOME: home }, sandbox });
  });
  after(async () => {
    await work?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  // Codex's events now and then leave a command out that its sandbox refused. Its model is always told, so that is what
  // counts here; and every result that does come must say the same.
  const resultsOf = async (story) => {
    const { run_id } = await work.start(story);
    return { run_id, results: (await work.ended(run_id)).of("agent_tool_result") };
  };

  it("can write in its directory", async () => {
    const { run_id, results } = await resultsOf("may");
    assert.ok(existsSync(join(work.directory(run_id), "asked.txt")), told.get("may"));
    assert.deepEqual(results.filter(({ success }) => !success), []);
  });

  it("can write nowhere else", async () => {
    const { results } = await resultsOf("outside");
    assert.ok(!existsSync("/var/townwatch-outside"));
    assert.match(told.get("outside") ?? "nothing was told", /Read-only file system|Permission denied/);
    assert.deepEqual(results.filter(({ success }) => success), []);
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
