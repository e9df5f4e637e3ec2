// A permission question of the real OpenCode, seen by a viewer and answered over the Worker's REST route.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, it } from "node:test";

import { must, mustRefuse, startWorld } from "../worker/harness.mjs";
import { until } from "../worker/until.mjs";
import { Model } from "./opencode_model.mjs";
import { agentFromNpm } from "./install.mjs";
import { testsOf } from "./tests_of.mjs";
import { repository } from "./opencode_repository.mjs";

const RUN_MS = 150_000;
const { bin, missing } = await agentFromNpm("opencode");

testsOf(missing, "a question of the real opencode", () => {
  let world;
  let model;

  before(async () => {
    process.env.PATH = `${bin}:${process.env.PATH}`;
    process.env.CONTROL_WAITING_SECONDS = "1";
    model = await new Model().start();
    world = await startWorld();
  });
  after(async () => {
    await world?.stop();
    model?.stop();
  });

  /** Starts an agent that asks, watched; gives what it asks. */
  async function asking(agent_id) {
    const town = await world.town(agent_id);
    const viewer = await world.watch(town.stream);
    const order = { agent_id, runtime: "opencode", prompt: "Ask.", ...repository(model.config("ask", { bash: "ask" })) };
    const { run_id } = await world.startAgent(town, order);
    const question = await viewer.until("the question", () => viewer.events.find(({ event }) => event === "agent_question"), RUN_MS);
    const answer = (body) => world.api("POST", `${town.path}/agents/${agent_id}/answer`, body);
    const state = async () => must(await world.api("GET", `${town.path}/agents/${agent_id}`));
    const asked = join(world.directory, "work", town.town_id, run_id, "asked.txt");
    return { town, viewer, run_id, question: question.data, answer, state, asked };
  }

  it("is answered by `once`: the call goes on, and who answered is told", async () => {
    const { viewer, run_id, question, answer, state, asked } = await asking("once");
    assert.deepEqual([question.kind, question.detail], ["permission", "May it run `echo asked > asked.txt`?"]);
    assert.deepEqual(question.options, ["once", "always", "reject"]);
    await until("the state that says so", async () => (await state()).activity.kind === "question");
    assert.deepEqual([(await state()).status, (await state()).question.request_id], ["waiting", question.request_id]);
    mustRefuse(await answer({ request_id: "per_gone", answer: "once" }), 409, "conflict", "per_gone");
    mustRefuse(await answer({ request_id: question.request_id, answer: "maybe" }), 400, "invalid_request", "answer");
    mustRefuse(await answer({ request_id: "", answer: "once" }), 400, "invalid_request", "request_id");
    assert.ok(!existsSync(asked), "nothing was done before the answer");
    assert.deepEqual(must(await answer({ request_id: question.request_id, answer: "once" })), { answered: true });
    await viewer.untilExit(run_id, RUN_MS);
    mustRefuse(await answer({ request_id: question.request_id, answer: "once" }), 409, "conflict");
    const of = (name) => viewer.events.filter(({ event }) => event === name).map(({ data }) => data);
    assert.deepEqual(of("agent_question_answered"), [{ request_id: question.request_id, answer: "once", by: "operator" }]);
    assert.deepEqual(of("agent_tool_result").map(({ success }) => success), [true]);
    assert.deepEqual(of("agent_output").map(({ text }) => text), ["May I?", "I could."]);
    assert.deepEqual([of("agent.exited"), (await state()).question], [[{ reason: "completed" }], null]);
    assert.ok(existsSync(asked), "it was done");
    viewer.cut();
  });

  it("is answered by `reject`: the call fails, and nothing was done", async () => {
    const { viewer, run_id, question, answer, asked } = await asking("reject");
    must(await answer({ request_id: question.request_id, answer: "reject", text: "Not here." }));
    await viewer.untilExit(run_id, RUN_MS);
    const of = (name) => viewer.events.filter(({ event }) => event === name).map(({ data }) => data);
    assert.deepEqual(of("agent_question_answered"), [{ request_id: question.request_id, answer: "reject", by: "operator" }]);
    const [result] = of("agent_tool_result");
    assert.equal(result.success, false);
    assert.match(result.content, /rejected/);
    assert.ok(result.content.includes("Not here."), result.content);
    assert.ok(!existsSync(asked));
    viewer.cut();
  });

  it("closes with its run where nobody answers", async () => {
    const { town, viewer, run_id, question, answer, state } = await asking("nobody");
    must(await world.api("POST", `${town.path}/container/agents/nobody/stop`, {}));
    await viewer.untilExit(run_id, RUN_MS);
    assert.equal((await state()).question, null);
    mustRefuse(await answer({ request_id: question.request_id, answer: "once" }), 409, "conflict");
    viewer.cut();
  });
});
