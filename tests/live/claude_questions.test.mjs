// What the real Claude Code asks, and what it hears of the answers: several at once, several parts, a plan.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, it } from "node:test";

import { must, mustRefuse } from "../worker/harness.mjs";
import { startClaudeCode } from "./claude_work.mjs";
import { agentFromNpm } from "./install.mjs";
import { LONG_COMMAND, PARTS, PLAN } from "./stories.mjs";
import { testsOf } from "./tests_of.mjs";
import { RUN_MS } from "./work.mjs";

const { bin, missing } = await agentFromNpm("claude");

testsOf(missing, "questions of the real Claude Code", () => {
  let work;
  before(async () => {
    work = await startClaudeCode(bin);
  });
  after(() => work?.stop());

  it("two of its sub-agents ask at once, and are answered in the other order", async () => {
    const { agent_id, run_id } = await work.start("two");
    const both = () => work.seen(run_id, "agent_question").length === 2 && work.seen(run_id, "agent_question");
    const asked = await work.viewer.until("both questions", both, RUN_MS);
    const tasks = work.seen(run_id, "agent_tool_call").filter(({ category }) => category === "Task");
    const of = (name) => asked.find(({ subject }) => subject.text === `touch ${name}.txt`);
    for (const { input, tool_use_id } of tasks) {
      assert.equal(of(input.description.split(" ").at(-1)).parent_tool_use_id, tool_use_id, "whose it is");
    }
    const later = asked[1] === of("web") ? "web" : "api";
    const earlier = later === "web" ? "api" : "web";
    must(await work.answer(agent_id, { request_id: of(later).request_id, answer: "once" }));
    await work.viewer.until("the call goes on", () => existsSync(join(work.directory(run_id), `${later}.txt`)), RUN_MS);
    assert.equal(work.seen(run_id, "agent_question_answered").length, 1, "the other one is still open");
    must(await work.answer(agent_id, { request_id: of(earlier).request_id, answer: "reject", text: "Not this one." }));
    const run = await work.ended(run_id);
    const results = run.of("agent_tool_result");
    const resultOf = (name) => results.find(({ tool_use_id }) => tool_use_id === of(name).tool_use_id);
    assert.deepEqual([resultOf(later).success, resultOf(earlier).success], [true, false]);
    assert.match(resultOf(earlier).content, /Not this one\./);
    assert.ok(!existsSync(join(work.directory(run_id), `${earlier}.txt`)));
    assert.equal(run.exit.reason, "completed");
  });

  it("each part of what it asks gets its own answer, several choices and other words among them", async () => {
    const { agent_id, run_id } = await work.start("parts");
    const { request_id, parts } = await work.first(run_id, "agent_question");
    const expected = PARTS.map(({ question: text, header, options, multiSelect: multiple }) => ({ header, text, options, multiple, free_text: true }));
    assert.deepEqual(parts, expected);
    const answers = [{ choices: ["SQLite"] }, { choices: ["Login", "Export"], text: "and a search" }];
    mustRefuse(await work.answer(agent_id, { request_id, answer: "once", answers: answers.slice(1) }), 400, "invalid_request", "answers");
    must(await work.answer(agent_id, { request_id, answer: "once", answers }));
    const late = await work.answer(agent_id, { request_id, answer: "reject" });
    mustRefuse(late, 409, "conflict", "operator");
    assert.deepEqual(late.json.error.details, { answer: "once", by: "operator" });
    const run = await work.ended(run_id);
    const [{ content, success }] = run.of("agent_tool_result");
    assert.ok(success && content.includes('"Which database?"="SQLite"'), content);
    assert.ok(content.includes('"Which features?"="Login, Export, and a search"'), content);
    assert.deepEqual(run.of("agent_question_answered"), [{ request_id, answer: "once", by: "operator", answers }]);
  });

  it("a long command is in its question whole", async () => {
    const { agent_id, run_id } = await work.start("whole");
    const { request_id, subject, detail } = await work.first(run_id, "agent_question");
    assert.ok(LONG_COMMAND.length > 2_000);
    assert.deepEqual([subject, detail], [{ kind: "command", text: LONG_COMMAND }, `May it run \`${LONG_COMMAND}\`?`]);
    must(await work.answer(agent_id, { request_id, answer: "once" }));
    const run = await work.ended(run_id);
    assert.equal(run.of("agent_tool_result")[0].success, true);
  });

  it("a plan is in its question whole, and a refusal with its words reaches it", async (t) => {
    const { agent_id, run_id } = await work.start("plan");
    const isPlan = () => work.seen(run_id, "agent_question").find(({ subject }) => subject?.kind === "plan");
    const ended = () => work.seen(run_id, "agent.exited").length > 0;
    await work.viewer.until("the plan, or an end without", () => isPlan() ?? ended(), RUN_MS);
    t.diagnostic(`asked: ${JSON.stringify(work.seen(run_id, "agent_question"))}`);
    t.diagnostic(`results: ${JSON.stringify(work.seen(run_id, "agent_tool_result"))}`);
    const { request_id, subject } = isPlan();
    assert.deepEqual(subject, { kind: "plan", text: PLAN });
    must(await work.answer(agent_id, { request_id, answer: "reject", text: "Smaller steps." }));
    const run = await work.ended(run_id);
    assert.match(run.of("agent_tool_result").at(-1).content, /Smaller steps\./);
  });

  it("a conversation of twelve turns is read from the log by somebody who was not there", async () => {
    const words = Array.from({ length: 12 }, (_, turn) => `Turn ${turn + 1}: naïve \u{1f680} "${"x".repeat(turn)}"`);
    const { agent_id, run_id } = await work.start("chat", words[0]);
    for (const [index, text] of words.slice(1).entries()) {
      const over = () => work.seen(run_id, "agent.status").filter(({ status }) => status === "waiting").length > index;
      await work.viewer.until(`the end of turn ${index + 1}`, over, RUN_MS);
      must(await work.say(agent_id, text));
    }
    await work.ended(run_id);
    const said = (await work.log(agent_id)).flatMap(({ event, data }) => {
      if (event === "user_message") return [[data.by, data.source, data.text]];
      return event === "agent_output" && data.stream === "assistant" ? [["agent", data.text]] : [];
    });
    const expected = words.flatMap((text, turn) => [["operator", turn === 0 ? "prompt" : "message", text], ["agent", `You said: ${text}`]]);
    assert.deepEqual(said, expected);
  });
});
