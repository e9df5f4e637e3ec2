// The real Claude Code, with a model on loopback: its events reach a viewer of the town, and what people say reaches it.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, it } from "node:test";

import { present } from "../present.mjs";
import { must, mustRefuse } from "../worker/harness.mjs";
import { startClaudeCode } from "./claude_work.mjs";
import { agentFromNpm, versionOf } from "./install.mjs";
import { LONG_ANSWER, STORIES } from "./stories.mjs";
import { testsOf } from "./tests_of.mjs";
import { checkWork } from "./work.mjs";

const { bin, missing } = await agentFromNpm("claude");

testsOf(missing, "the real Claude Code", () => {
  let work;
  before(async () => {
    work = await startClaudeCode(bin);
  });
  after(() => work?.stop());

  const said = ({ of }) => of("agent_output").filter(({ stream }) => stream === "assistant").map(({ text }) => text);
  const statuses = ({ of }) => of("agent.status").map(({ status }) => status);

  it("is found with its version", async () => {
    const found = (await work.health()).runtimes.find(({ name }) => name === "claude_code");
    assert.deepEqual([found.found, found.version], [true, `${versionOf("claude")} (Claude Code)`]);
  });

  it("does its work before a viewer's eyes, and completes when nobody says more", async () => {
    const { agent_id, run_id } = await work.start("work", "-- Fix it: naïve 🚀");
    const run = await work.ended(run_id);
    checkWork(run, await work.state(agent_id));
    const thoughts = run.of("agent_output").filter(({ stream }) => stream === "thinking");
    assert.deepEqual(thoughts.map(({ text }) => text), ["Let me plan."]);
    const [session] = run.of("agent_session");
    assert.deepEqual([session.agent_version, session.permission_mode], [versionOf("claude"), "bypassPermissions"]);
    const { result } = await work.status(agent_id);
    assert.deepEqual([result.text, result.session_id], [present(STORIES.work.at(-1)).text, session.session_id]);
    assert.deepEqual(result.usage, (await work.state(agent_id)).usage);
    assert.deepEqual(statuses(run), ["starting", "running", "waiting"]);
    mustRefuse(await work.say(agent_id, "Still there?"), 409, "conflict");
  });

  it("asks for a permission: `once` lets the call go on, and who answered is told", async () => {
    const { agent_id, run_id } = await work.start("may");
    const question = await work.first(run_id, "agent_question");
    const { request_id, tool_use_id, ...asked } = question;
    const options = ["once", "reject"]; // because a rule says so, it would ask again all the same
    const subject = { kind: "command", text: "touch asked.txt" };
    assert.deepEqual(asked, { kind: "permission", detail: "May it run `touch asked.txt`?", options, subject });
    assert.equal((await work.first(run_id, "agent_tool_call")).tool_use_id, tool_use_id);
    const made = join(work.directory(run_id), "asked.txt");
    assert.ok(!existsSync(made), "nothing was done before the answer");
    mustRefuse(await work.answer(agent_id, { request_id: "gone", answer: "once" }), 409, "conflict", "gone");
    assert.deepEqual(must(await work.answer(agent_id, { request_id, answer: "once" })), { answered: true });
    const run = await work.ended(run_id);
    assert.deepEqual(run.of("agent_question_answered"), [{ request_id, answer: "once", by: "operator" }]);
    assert.deepEqual(run.of("agent_tool_result").map(({ success }) => success), [true]);
    assert.deepEqual([run.exit, (await work.state(agent_id)).questions], [{ reason: "completed", exit_code: 0 }, []]);
    assert.ok(existsSync(made), "it was done");
    mustRefuse(await work.answer(agent_id, { request_id, answer: "once" }), 409, "conflict");
  });

  it("asks for a permission: `reject` tells it why not, and nothing was done", async () => {
    const { agent_id, run_id } = await work.start("may");
    const { request_id } = await work.first(run_id, "agent_question");
    must(await work.answer(agent_id, { request_id, answer: "reject", text: "Not here." }));
    const run = await work.ended(run_id);
    assert.deepEqual(run.of("agent_question_answered"), [{ request_id, answer: "reject", by: "operator", text: "Not here." }]);
    const results = run.of("agent_tool_result").map(({ success, content }) => [success, content]);
    assert.deepEqual(results, [[false, "Not here."]]);
    assert.deepEqual([said(run), run.exit.reason], [["May I?", "I know now."], "completed"]);
    assert.ok(!existsSync(join(work.directory(run_id), "asked.txt")));
  });

  it("asks what it wants to know, and hears the answer", async () => {
    const { agent_id, run_id } = await work.start("ask");
    const { request_id, tool_use_id, parts, ...asked } = await work.first(run_id, "agent_question");
    assert.deepEqual(asked, { kind: "input", detail: "Which color?", options: ["red", LONG_ANSWER] });
    const options = ["red", LONG_ANSWER].map((label) => ({ label, description: `It is ${label}` }));
    assert.deepEqual(parts, [{ header: "Question", text: "Which color?", options, multiple: false, free_text: true }]);
    mustRefuse(await work.answer(agent_id, { request_id, answer: "once" }), 400, "invalid_request", "text");
    must(await work.answer(agent_id, { request_id, answer: "once", text: "green" }));
    const run = await work.ended(run_id);
    assert.match(run.of("agent_tool_result")[0].content, /"Which color\?"="green"/);
    assert.deepEqual(said(run), ["I wonder.", "I see."]);
  });

  it("hears the whole of a long answer, of which the agent's state has the beginning", async () => {
    const { agent_id, run_id } = await work.start("ask");
    const { request_id } = await work.first(run_id, "agent_question");
    const [, stated] = (await work.state(agent_id)).questions[0].options;
    assert.ok(stated.length < LONG_ANSWER.length && LONG_ANSWER.startsWith(stated), stated);
    must(await work.answer(agent_id, { request_id, answer: "once", text: stated }));
    const { content } = (await work.ended(run_id)).of("agent_tool_result")[0];
    assert.ok(content.includes(`"Which color?"="${LONG_ANSWER}"`), content);
  });

  it("is told more after its turn", async () => {
    const { agent_id, run_id } = await work.start("may");
    const { request_id } = await work.first(run_id, "agent_question");
    must(await work.answer(agent_id, { request_id, answer: "reject" }));
    await work.viewer.until("the end of the turn", async () => (await work.state(agent_id)).activity.kind === "waiting");
    assert.deepEqual(must(await work.say(agent_id, "And now?")), { sent: true });
    const again = () => work.viewer.events.filter((event) => event.run_id === run_id && event.event === "agent_question")[1];
    must(await work.answer(agent_id, { request_id: (await work.viewer.until("the next question", again)).data.request_id, answer: "once" }));
    const run = await work.ended(run_id);
    assert.deepEqual(said(run), ["May I?", "I know now.", "May I?", "I know now."]);
    const turn = ["running", "waiting", "running", "waiting"];
    assert.deepEqual(statuses(run), ["starting", ...turn, ...turn]);
    assert.deepEqual(run.of("agent_session").length, 1);
  });

  it("is stopped in the middle of a tool, with all that it started", async () => {
    const { agent_id, run_id } = await work.start("long");
    await work.first(run_id, "agent_tool_call");
    const asked = Date.now();
    must(await work.stopRun(agent_id));
    const { of, exit } = await work.ended(run_id);
    assert.deepEqual([exit.reason, Date.now() - asked < 15_000], ["stopped", true], JSON.stringify(exit));
    assert.deepEqual(of("agent_tool_result").map(({ success }) => success), [false], "the call that was broken off has its result");
  });

  it("closes its question with its run", async () => {
    const { agent_id, run_id } = await work.start("may");
    const { request_id } = await work.first(run_id, "agent_question");
    must(await work.stopRun(agent_id));
    assert.equal((await work.ended(run_id)).exit.reason, "stopped");
    assert.deepEqual((await work.state(agent_id)).questions, []);
    mustRefuse(await work.answer(agent_id, { request_id, answer: "once" }), 409, "conflict");
  });

  it("says what to do when nobody is signed in", async () => {
    const { of, exit } = await work.ended((await work.start("unauthorized")).run_id);
    assert.deepEqual([exit.reason, exit.message], ["failed", "Invalid API key · Fix external API key"]);
    assert.match(of("agent_error").find(({ code }) => code === "not_signed_in").message, /ANTHROPIC_API_KEY/);
  });
});
