// The real Codex, with a model on loopback: its events reach a viewer of the town.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { answer } from "../models/responses.mjs";
import { agentFromNpm } from "./install.mjs";
import { checkWork, RUN_MS, startWork } from "./work.mjs";

const { bin, missing } = await agentFromNpm("codex");

const config = (url) => `model = "model-of-the-tests"
model_provider = "tests"
[model_providers.tests]
name = "tests"
base_url = "${url}/v1"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1
`;

describe("the real Codex", () => {
  let work;
  // Each of its own, so that each one counts.
  const options = { skip: missing ?? false };
  before(async () => {
    if (missing) return;
    work = await startWork({ runtime: "codex", bin, answer, files: (url) => ({ ".codex/config.toml": config(url) }) });
  });
  after(() => work?.stop());

  it("is found with its version", options, async () => {
    const found = (await work.health()).runtimes.find(({ name }) => name === "codex");
    assert.deepEqual([found.found, found.version], [true, "codex-cli 0.169.0"]);
  });

  it("does its work before a viewer's eyes", options, async () => {
    const { agent_id, run_id } = await work.start("work", "-- Fix it: naïve 🚀");
    const run = await work.ended(run_id);
    checkWork(run, await work.state(agent_id));
    const thoughts = run.of("agent_output").filter(({ stream }) => stream === "thinking");
    assert.deepEqual(thoughts.map(({ text }) => text), ["Let me plan."]);
    const changed = run.of("file_changed").map(({ path, action }) => ({ path, action }));
    assert.deepEqual(changed, [{ path: "hello.txt", action: "created" }]);
  });

  it("says what to do when nobody is signed in", options, async () => {
    const { of, exit } = await work.ended((await work.start("unauthorized")).run_id);
    assert.equal(exit.reason, "failed");
    assert.match(exit.message, /401 Unauthorized/);
    const errors = of("agent_error");
    assert.ok(errors.some(({ code, retryable }) => code === "api_retry" && retryable), JSON.stringify(errors));
    assert.match(errors.find(({ code }) => code === "not_signed_in").message, /codex login/);
  });

  it("is stopped in the middle of a tool", options, async () => {
    const { agent_id, run_id } = await work.start("long");
    const calling = ({ event, ...rest }) => event === "agent_tool_call" && rest.run_id === run_id;
    await work.viewer.until("the call", () => work.viewer.events.some(calling), RUN_MS);
    const asked = Date.now();
    await work.stopRun(agent_id);
    const { exit } = await work.ended(run_id);
    assert.equal(exit.reason, "stopped", JSON.stringify(exit));
    assert.ok(Date.now() - asked < 15_000);
  });
});
