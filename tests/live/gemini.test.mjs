// The real Gemini CLI, with a model on loopback: its events reach a viewer of the town.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { answer } from "../models/gemini.mjs";
import { agentFromNpm } from "./install.mjs";
import { checkWork, RUN_MS, startWork } from "./work.mjs";

const { bin, missing } = await agentFromNpm("gemini");
/** With none named it would first ask a model which model to ask. */
const model_name = "gemini-2.5-flash";
const SETTINGS = JSON.stringify({ security: { auth: { selectedType: "gemini-api-key" } } });

describe("the real Gemini CLI", () => {
  let work;
  // Each of its own, so that each one counts.
  const options = { skip: missing ?? false };
  before(async () => {
    if (missing) return;
    const env_vars = { GOOGLE_GEMINI_BASE_URL: "$MODEL", GEMINI_API_KEY: "key" };
    const files = () => ({ ".gemini/settings.json": SETTINGS });
    work = await startWork({ runtime: "gemini", bin, answer, files, env_vars, model_name });
  });
  after(() => work?.stop());

  it("does its work before a viewer's eyes", options, async () => {
    const { agent_id, run_id } = await work.start("work", "-- Fix it: naïve 🚀");
    checkWork(await work.ended(run_id), await work.state(agent_id));
  });

  it("says what to do when nobody is signed in", options, async () => {
    const { of, exit } = await work.ended((await work.start("unauthorized")).run_id);
    assert.equal(exit.reason, "failed");
    assert.match(exit.message, /API key not valid/);
    assert.match(of("agent_error").find(({ code }) => code === "not_signed_in").message, /GEMINI_API_KEY/);
  });

  it("is stopped in the middle of a tool, though it says that it ended well", options, async () => {
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
