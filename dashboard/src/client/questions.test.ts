import assert from "node:assert/strict";
import { test } from "node:test";
import type { AgentQuestion, QuestionPart } from "../protocol/protocol.ts";
import { agentState } from "../testing/agent_state.ts";
import { event } from "../testing/fake_town.ts";
import { knownEvent } from "./event_shape.ts";
import * as questions from "./questions.ts";
import { Rows } from "./rows.ts";
import { notHeard } from "./sent_messages.ts";

const part = (more: Partial<QuestionPart> = {}): QuestionPart => ({
  text: "Which?",
  options: [{ label: "A" }, { label: "B" }],
  multiple: false,
  free_text: false,
  ...more,
});
const asks = (more: Partial<AgentQuestion> = {}): AgentQuestion => ({ request_id: "q", kind: "input", detail: "Two things", options: [], ...more });

test("an answer has an entry for each part, with choices, words or both", () => {
  const question = asks({ parts: [part({ free_text: true }), part({ multiple: true, free_text: true }), part({ options: [], free_text: true })] });
  const drafts = [
    { choices: ["A"], isOther: false, text: "left over" },
    { choices: ["A", "B"], isOther: false, text: " and C " },
    { choices: [], isOther: false, text: "why not" },
  ];
  assert.deepEqual(questions.answerBody(question, drafts), {
    request_id: "q",
    answer: "once",
    answers: [{ choices: ["A"] }, { choices: ["A", "B"], text: "and C" }, { text: "why not" }],
  });
});

test("a part is answered by a choice, or by words where they are taken and are what is chosen", () => {
  const draft = (more: object) => ({ ...questions.NO_DRAFT, ...more });
  assert.equal(questions.isAnswered(part(), questions.NO_DRAFT), false);
  assert.equal(questions.isAnswered(part(), draft({ choices: ["B"] })), true);
  assert.equal(questions.isAnswered(part(), draft({ text: "words", isOther: true })), false, "it takes no words");
  assert.equal(questions.isAnswered(part({ free_text: true }), draft({ text: "  ", isOther: true })), false);
  assert.equal(questions.isAnswered(part({ free_text: true }), draft({ text: "words", isOther: true })), true);
  assert.equal(questions.isAnswered(part({ free_text: true }), draft({ choices: ["A"], text: "", isOther: true })), false);
});

test("a question without parts is answered by words or by the option's own", () => {
  const question = asks({ options: ["Yes", "No"] });
  assert.deepEqual(questions.partsOf(question).map(({ text, options }) => [text, options.length]), [["Two things", 2]]);
  assert.deepEqual(questions.answerBody(question, [{ choices: ["No"], isOther: false, text: "" }]), { request_id: "q", answer: "once", text: "No" });
  assert.deepEqual(questions.answerBody(question, [{ choices: [], isOther: true, text: "Maybe" }]), { request_id: "q", answer: "once", text: "Maybe" });
});

test("the beginning of a long text, and what is hidden is counted", () => {
  assert.deepEqual(questions.beginningOf("short"), { beginning: "short", hidden: null });
  assert.equal(questions.beginningOf(`${"x".repeat(600)}😀y`).hidden, "2 characters");
  const { beginning, hidden } = questions.beginningOf(`${"line\n".repeat(40)}rm -rf /`);
  assert.equal(beginning.split("\n").length, 12);
  assert.equal(hidden, "149 characters, 29 lines");
  // A character of two halves is not cut into them.
  assert.equal(questions.beginningOf(`${"x".repeat(599)}😀`).hidden, "1 character");
});

test("whose a question is, how many there are, and who was first", () => {
  const usage = { input_tokens: 0, output_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, cost_usd: null };
  const helper = { tool_use_id: "sub", description: "Look after the cache", usage, todos: [], current_phase: null, since: "", ended_at: null };
  const agent = agentState({ sub_agents: [helper] });
  assert.deepEqual([undefined, "sub", "gone"].map((id) => questions.askerOf(agent, id)), [null, "Look after the cache", "a sub-agent"]);
  assert.equal(questions.questionsSentence([asks(), asks(), asks()]), "Two things (and 2 more questions)");
  assert.equal(questions.firstAnswerSentence("permission", { answer: "once", by: "operator" }), "Somebody else answered first: allowed once.");
  assert.equal(questions.firstAnswerSentence("permission", { answer: "reject", by: "opencode" }), "It was answered by opencode first: rejected.");
  assert.equal(questions.firstAnswerSentence("input", { answer: "once", by: "operator" }), "Somebody else answered first: answered.");
  for (const details of [null, {}, { field: "request_id" }]) assert.equal(questions.firstAnswerSentence("permission", details), null);
});

test("what was answered to each part, in words", () => {
  const question = asks({ parts: [part({ header: "Storage" }), part()] });
  const answered = { request_id: "q", answer: "once" as const, by: "operator", answers: [{ choices: ["A", "B"], text: "both" }, {}] };
  assert.deepEqual(questions.answeredParts(question, answered), [
    { asked: "Storage", answer: "A, B, “both”" },
    { asked: "Which?", answer: "nothing" },
  ]);
});

test("a question of another shape is not taken for one, and `null` stands for what was cut", () => {
  const data = asks({ parts: [part()] });
  assert.ok(knownEvent(event(1, "agent_question", data)));
  assert.ok(knownEvent(event(1, "agent_question", { ...data, parts: null, subject: null })));
  for (const wrong of [{ parts: "x" }, { parts: [{ text: "x" }] }, { parts: [null] }, { subject: "rm" }, { always: 7 }]) {
    assert.equal(knownEvent(event(1, "agent_question", { ...data, ...wrong })), null, JSON.stringify(wrong));
  }
});

test("a message is being sent until the log has it; another run hears nothing of it", () => {
  const rows = new Rows();
  const said = (id: number, text: string, more: object = {}) => rows.append(event(id, "user_message", { text, by: "operator", source: "message", ...more }));
  said(1, "before");
  const sent = ["one", "two"].map((text) => ({ text, run_id: "run", after_id: 1 }));
  const waiting = (run_id = "run") => notHeard(sent, rows.all, run_id).map(({ text }) => text);
  assert.deepEqual(waiting(), ["one", "two"]);
  said(2, "a summary", { by: "claude_code" });
  assert.deepEqual(waiting(), ["one", "two"]);
  said(3, "one");
  assert.deepEqual(waiting(), ["two"]);
  assert.deepEqual(waiting("another"), []);
});

test("the sentence that asks repeats nothing long that stands by itself below it", () => {
  const permission = (detail: string, kind: "command" | "plan", text: string) =>
    questions.askedWords(asks({ kind: "permission", detail, subject: { kind, text } }));
  assert.equal(permission("May it run `make`?", "command", "make"), "May it run `make`?");
  const long = `${"test -f a && ".repeat(20)}rm -rf /`;
  assert.equal(permission(`May it run \`${long}\`?`, "command", long), `May it run \`${long.slice(0, 120)}…\`?`);
  assert.equal(permission("May it run `one\ntwo`?", "command", "one\ntwo"), "May it run `one…`?");
  assert.equal(permission("May it do as it plans?\n# Plan\n- rest", "plan", "# Plan\n- rest\n"), "May it do as it plans?");
  assert.equal(permission("Run 20 commands?", "command", long), "Run 20 commands?", "words of its own stay");
  assert.equal(questions.askedWords(asks()), "Two things");
});

test("words that only put those of the parts together are known for that", () => {
  const parts = [part({ text: "Which table?" }), part({ text: "Which day?" })];
  assert.equal(questions.isSaidByParts(asks({ detail: "Which table?\nWhich day?", parts })), true);
  assert.equal(questions.isSaidByParts(asks({ detail: "Two things", parts })), false);
  assert.equal(questions.isSaidByParts(asks({ detail: "Which table?", parts: parts.slice(0, 1) })), false, "a single part has it said by the question");
});
