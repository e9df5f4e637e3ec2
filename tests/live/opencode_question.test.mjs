// A permission question of the real OpenCode, seen by a viewer and answered over the Worker's REST route.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, it } from "node:test";

import { must, mustRefuse, startWorld } from "../worker/harness.mjs";
import { until } from "../worker/until.mjs";
import { agentFromNpm } from "./install.mjs";
import { Model, PARTS } from "./opencode_model.mjs";
import { repository } from "./opencode_repository.mjs";
import { LONG_COMMAND } from "./stories.mjs";
import { testsOf } from "./tests_of.mjs";

const RUN_MS = 150_000;
const { bin, missing } = await agentFromNpm("opencode");

testsOf(missing, "a question of the real opencode", () => {
  let world;
  let model;

  before(async () => {
    process.env.PATH = `${bin}:${process.env.PATH}`;
    process.env.CONTROL_WAITING_SECONDS = "1";
    model = await new Model().start();
    world = await startWorld({ controlVars: { CONTROL_SANDBOX: "1" } });
  });
  after(async () => {
    await world?.stop();
    model?.stop();
  });

  /** Starts an agent that asks, watched; gives what it asks. */
  async function asking(agent_id, { story = "ask", count = 1 } = {}) {
    const town = await world.town(agent_id);
    const viewer = await world.watch(town.stream);
    const order = { agent_id, runtime: "opencode", prompt: "Ask.", ...repository(model.config(story, { bash: "ask" })) };
    const { run_id } = await world.startAgent(town, order);
    const asked_for = () => viewer.events.filter(({ event }) => event === "agent_question").map(({ data }) => data);
    const questions = await viewer.until("the questions", () => asked_for().length >= count && asked_for(), RUN_MS);
    const answer = (body) => world.api("POST", `${town.path}/agents/${agent_id}/answer`, body);
    const state = async () => must(await world.api("GET", `${town.path}/agents/${agent_id}`));
    const asked = join(world.directory, "work", town.town_id, run_id, "asked.txt");
    return { town, viewer, run_id, question: questions[0], questions, answer, state, asked };
  }

  it("is answered by `once`: the call goes on, and who answered is told", async () => {
    const { viewer, run_id, question, answer, state, asked } = await asking("once");
    assert.deepEqual([question.kind, question.detail], ["permission", "May it run `echo asked > asked.txt`?"]);
    assert.deepEqual(question.options, ["once", "always", "reject"]);
    assert.deepEqual(question.subject, { kind: "command", text: "echo asked > asked.txt" });
    assert.match(question.always, /echo \*.* with bash, until this run ends/);
    await until("the state that says so", async () => (await state()).activity.kind === "question");
    assert.deepEqual([(await state()).status, (await state()).questions[0].request_id], ["waiting", question.request_id]);
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
    assert.deepEqual([of("agent.exited"), (await state()).questions], [[{ reason: "completed" }], []]);
    assert.ok(existsSync(asked), "it was done");
    viewer.cut();
  });

  it("is answered by `reject`: the call fails, and nothing was done", async () => {
    const { viewer, run_id, question, answer, asked } = await asking("reject");
    must(await answer({ request_id: question.request_id, answer: "reject", text: "Not here." }));
    await viewer.untilExit(run_id, RUN_MS);
    const of = (name) => viewer.events.filter(({ event }) => event === name).map(({ data }) => data);
    assert.deepEqual(of("agent_question_answered"), [{ request_id: question.request_id, answer: "reject", by: "operator", text: "Not here." }]);
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
    assert.deepEqual((await state()).questions, []);
    mustRefuse(await answer({ request_id: question.request_id, answer: "once" }), 409, "conflict");
    viewer.cut();
  });

  it("asks twice at once, and is answered in the other order", async () => {
    const { viewer, run_id, questions, answer, state } = await asking("twice", { story: "two", count: 2 });
    const [first, second] = questions;
    assert.deepEqual(questions.map(({ subject }) => subject.text).sort(), ["echo one > one.txt", "echo two > two.txt"]);
    await until("the state that names both", async () => (await state()).questions.length === 2);
    must(await answer({ request_id: second.request_id, answer: "once" }));
    await viewer.until("its result", () => viewer.events.some(({ event, data }) => event === "agent_tool_result" && data.tool_use_id === second.tool_use_id), RUN_MS);
    assert.deepEqual((await state()).questions.map(({ request_id }) => request_id), [first.request_id]);
    must(await answer({ request_id: first.request_id, answer: "once" }));
    await viewer.untilExit(run_id, RUN_MS);
    const results = viewer.events.filter(({ event }) => event === "agent_tool_result").map(({ data }) => data.success);
    assert.deepEqual(results, [true, true]);
    viewer.cut();
  });

  it("asks for a long command whole, which is what it runs", async () => {
    const { viewer, run_id, question, answer, asked } = await asking("whole", { story: "whole" });
    assert.ok(LONG_COMMAND.length > 2_000);
    assert.deepEqual([question.subject, question.detail], [{ kind: "command", text: LONG_COMMAND }, `May it run \`${LONG_COMMAND}\`?`]);
    must(await answer({ request_id: question.request_id, answer: "once" }));
    await viewer.untilExit(run_id, RUN_MS);
    assert.equal(viewer.events.find(({ event }) => event === "agent_tool_result").data.success, true);
    assert.ok(existsSync(asked), "it was done");
    viewer.cut();
  });

  it("asks several things at once, and each gets its own answer", async () => {
    const { viewer, run_id, question, answer } = await asking("parts", { story: "parts" });
    const expected = PARTS.map(({ question: text, header, options, multiple = false }) => ({ header, text, options, multiple, free_text: true }));
    assert.deepEqual([question.kind, question.parts], ["input", expected]);
    const { request_id } = question;
    mustRefuse(await answer({ request_id, answer: "once", text: "SQLite" }), 400, "invalid_request", "answers");
    const answers = [{ choices: ["SQLite"] }, { choices: ["Login", "Export"], text: "and a search" }];
    must(await answer({ request_id, answer: "once", answers }));
    const late = await answer({ request_id, answer: "reject" });
    mustRefuse(late, 409, "conflict", "operator said yes");
    assert.deepEqual(late.json.error.details, { answer: "once", by: "operator" });
    await viewer.untilExit(run_id, RUN_MS);
    const of = (name) => viewer.events.filter(({ event }) => event === name).map(({ data }) => data);
    assert.deepEqual(of("agent_question_answered"), [{ request_id, answer: "once", by: "operator", answers }]);
    const [{ content, success }] = of("agent_tool_result");
    assert.ok(success && content.includes('"Which database?"="SQLite"'), content);
    assert.ok(content.includes('"Which features?"="Login, Export, and a search"'), content);
    assert.deepEqual(of("user_message").map(({ text, by, source }) => [text, by, source]), [["Ask.", "operator", "prompt"]]);
    viewer.cut();
  });
});
