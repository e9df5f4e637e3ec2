// What an agent asks and what a person answers, in words and in the protocol's own form.

import type {
  AgentQuestion,
  AgentQuestionAnswered,
  AgentState,
  Answer,
  AnswerAgent,
  PartAnswer,
  QuestionPart,
} from "../protocol/protocol.ts";
import { countWords } from "./sentences.ts";

/** What a person has chosen and written for one part, so far. */
export interface Draft {
  readonly choices: readonly string[];
  /** Whether the words count, where they stand instead of a choice. */
  readonly isOther: boolean;
  readonly text: string;
}

export const NO_DRAFT: Draft = { choices: [], isOther: false, text: "" };

/** The parts to answer; a program that names none asks one thing, in the question's own words. */
export function partsOf(question: AgentQuestion): readonly QuestionPart[] {
  if (question.parts !== undefined && question.parts !== null && question.parts.length > 0) return question.parts;
  const options = question.options.map((label) => ({ label }));
  return [{ text: question.detail, options, multiple: false, free_text: true }];
}

/** The words count where there is nothing to choose, where several may be chosen, and where they are what is chosen. */
function wordsOf(part: QuestionPart, draft: Draft): string {
  const counts = part.options.length === 0 || part.multiple || draft.isOther;
  return part.free_text && counts ? draft.text.trim() : "";
}

function choicesOf(part: QuestionPart, draft: Draft): readonly string[] {
  return !part.multiple && draft.isOther ? [] : draft.choices;
}

export function isAnswered(part: QuestionPart, draft: Draft): boolean {
  return choicesOf(part, draft).length > 0 || wordsOf(part, draft) !== "";
}

function answerOf(part: QuestionPart, draft: Draft): PartAnswer {
  const words = wordsOf(part, draft);
  const choices = choicesOf(part, draft);
  return { ...(choices.length > 0 ? { choices: [...choices] } : {}), ...(words === "" ? {} : { text: words }) };
}

/** The body of an answer to a question with parts. A question that named none is answered by words alone. */
export function answerBody(question: AgentQuestion, drafts: readonly Draft[]): AnswerAgent {
  const answers = partsOf(question).map((part, index) => answerOf(part, drafts[index] ?? NO_DRAFT));
  const { request_id } = question;
  if (question.parts !== undefined && question.parts !== null && question.parts.length > 0) return { request_id, answer: "once", answers };
  const text = answers[0]?.choices?.[0] ?? answers[0]?.text ?? "";
  return { request_id, answer: "once", text };
}

/** Characters of a command in the sentence that asks for it. */
const ASKED_CHARACTERS = 120;

/** The sentence that asks, where all that it is about stands by itself below: of a long command only its beginning. */
export function askedWords({ detail, subject }: AgentQuestion): string {
  const text = subject?.text.trim() ?? "";
  const [line = ""] = text.split("\n", 1);
  if (line === text && line.length <= ASKED_CHARACTERS) return detail;
  const at = detail.indexOf(text);
  if (at < 0) return detail;
  const [before, behind] = [detail.slice(0, at), detail.slice(at + text.length)];
  // "May it do as it plans?", and the plan on lines of its own.
  if (before.endsWith("\n")) return `${before.trimEnd()}${behind}`;
  return `${before}${line.slice(0, ASKED_CHARACTERS).replace(/[\ud800-\udbff]$/, "")}…${behind}`;
}

/** Whether the question's own words are those of its parts, one after the other. */
export function isSaidByParts(question: AgentQuestion): boolean {
  const parts = partsOf(question);
  return parts.length > 1 && question.detail.trim() === parts.map(({ text }) => text.trim()).join("\n");
}

/** Whose question it is; null where it is the agent's own. */
export function askerOf(agent: AgentState, parent_tool_use_id: string | null | undefined): string | null {
  if (!parent_tool_use_id) return null;
  const asker = agent.sub_agents.find(({ tool_use_id }) => tool_use_id === parent_tool_use_id);
  return asker === undefined || asker.description === "" ? "a sub-agent" : asker.description;
}

/** The first one's words, and how many more there are. */
export function questionsSentence(questions: readonly AgentQuestion[]): string {
  const [first, ...others] = questions;
  if (first === undefined) return "";
  return others.length === 0 ? first.detail : `${first.detail} (and ${countWords(others.length, "more question", "more questions")})`;
}

/** Characters and lines of a long text that are shown at once. */
const SHOWN_CHARACTERS = 600;
const SHOWN_LINES = 12;

/** The beginning of a text, and in words how much is not in it; null where it is the whole. */
export function beginningOf(text: string): { beginning: string; hidden: string | null } {
  const lines = text.slice(0, SHOWN_CHARACTERS).split("\n").slice(0, SHOWN_LINES).join("\n");
  // Half a character is none.
  const beginning = lines.replace(/[\ud800-\udbff]$/, "");
  const rest = text.slice(beginning.length);
  if (rest === "") return { beginning, hidden: null };
  const characters = countWords(characterCount(rest), "character", "characters");
  const breaks = rest.split("\n").length - 1;
  return { beginning, hidden: breaks === 0 ? characters : `${characters}, ${countWords(breaks, "line", "lines")}` };
}

function characterCount(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

const permissionWords: Readonly<Record<Answer, string>> = { once: "allowed once", always: "always allowed", reject: "rejected" };

/** "allowed once": what an answer means, whatever was asked. */
export function answerWords(kind: string, answer: Answer): string {
  if (kind === "permission") return permissionWords[answer];
  return answer === "reject" ? "rejected" : "answered";
}

/** What a refused answer says of the one that was first; null where it says nothing. */
export function firstAnswerSentence(kind: string, details: Readonly<Record<string, unknown>> | null): string | null {
  const { answer, by } = details ?? {};
  if (answer !== "once" && answer !== "always" && answer !== "reject") return null;
  const words = answerWords(kind, answer);
  return by === "operator" || typeof by !== "string" ? `Somebody else answered first: ${words}.` : `It was answered by ${by} first: ${words}.`;
}

/** One line for each part that was answered: what it asked, and what was chosen or said. */
export function answeredParts(question: AgentQuestion, answered: AgentQuestionAnswered): { asked: string; answer: string }[] {
  const parts = question.parts ?? [];
  const answers = answered.answers ?? [];
  return answers.map(({ choices, text }, index) => {
    const part = parts[index];
    const answer = [...(choices ?? []), ...(text ? [`“${text}”`] : [])].join(", ");
    return { asked: part?.header ?? part?.text ?? "", answer: answer === "" ? "nothing" : answer };
  });
}

/** All that a question and its answer say, for who searches. */
export function textsOfQuestion(question: AgentQuestion, answered: AgentQuestionAnswered | null): string[] {
  const parts = (question.parts ?? []).flatMap(({ header, text, options }) => [
    header ?? "",
    text,
    ...options.flatMap(({ label, description, preview }) => [label, description ?? "", preview ?? ""]),
  ]);
  const answers = (answered?.answers ?? []).flatMap(({ choices, text }) => [...(choices ?? []), text ?? ""]);
  return [question.detail, ...question.options, ...parts, question.subject?.text ?? "", question.always ?? "", answered?.text ?? "", ...answers];
}
