// Anthropic's messages API, as far as Claude Code uses it: `POST <story>/v1/messages`, answered by a stream of events.

import { stepAfter, TOKENS } from "../live/stories.mjs";

export function answer({ method, story, rest, body }, reply) {
  if (method !== "POST" || rest !== "v1/messages") return reply.json({ type: "error", error: { type: "not_found_error", message: `no ${rest} here` } }, 404);
  if (story === "unauthorized") {
    return reply.json({ type: "error", error: { type: "authentication_error", message: "invalid x-api-key" } }, 401);
  }
  // What it asks beside its work, for a title say, it asks without tools.
  const titled = (body.tools ?? []).length === 0;
  const own = storyOf(story, body.messages);
  const step = titled ? { number: 0, text: "A title", calls: [] } : stepAfter(own, callsOf(body.messages));
  step.text = step.text.replace("$SAID", () => saidIn(body.messages));
  const usage = {
    input_tokens: TOKENS.read - TOKENS.cached,
    cache_read_input_tokens: TOKENS.cached,
    cache_creation_input_tokens: 0,
    output_tokens: 1,
  };
  const message = { id: `msg_${own}_${body.messages.length}`, type: "message", role: "assistant", model: body.model, content: [] };
  /** @type {any[]} */
  const events = [{ type: "message_start", message: { ...message, stop_reason: null, stop_sequence: null, usage } }];
  blocksOf(step, `${own}_${body.messages.length}`, body.messages).forEach(({ block, deltas }, index) => {
    events.push({ type: "content_block_start", index, content_block: block });
    for (const delta of deltas) events.push({ type: "content_block_delta", index, delta });
    events.push({ type: "content_block_stop", index });
  });
  const stop_reason = step.calls.length > 0 ? "tool_use" : "end_turn";
  events.push({ type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage: { ...usage, output_tokens: TOKENS.written } });
  events.push({ type: "message_stop" });
  reply.events(events.map((event) => [event, event.type]));
}

const blocksIn = ({ content }) => (typeof content === "string" ? [{ type: "text", text: content }] : content);

/** Where a person said something last. */
const lastSaid = (messages) => messages.findLastIndex((message) => message.role === "user" && !blocksIn(message).some(({ type }) => type === "tool_result"));

/** The calls of the present turn, which began when a person said something. */
const callsOf = (messages) => messages.slice(lastSaid(messages) + 1).flatMap(blocksIn).filter(({ type }) => type === "tool_use").length;

/** What a person said last, without what the program adds to it. */
const saidIn = (messages) => blocksIn(messages[lastSaid(messages)]).map(({ text }) => text ?? "").filter((text) => !text.startsWith("<")).join("\n");

/** Where the program wants a plan to be written. */
const planFileIn = (messages) => /[^\s"`]+\.claude\/plans\/[^\s"`\\]+\.md/.exec(JSON.stringify(messages))?.[0] ?? "no-plan-file";

/** A sub-agent's task names the story that is its own: `story:may_api`. Of one that worked in the background the program
 * tells the end as if a person did. */
function storyOf(story, messages) {
  if (blocksIn(messages[lastSaid(messages)]).some(({ text }) => text?.includes("<task-notification>"))) return "noted";
  return /story:(\w+)/.exec(saidIn(messages))?.[1] ?? story;
}

function blocksOf({ text, thought, calls }, name, messages) {
  const blocks = [];
  if (thought !== undefined) {
    const deltas = [{ type: "thinking_delta", thinking: thought }, { type: "signature_delta", signature: "c2lnbmVk" }];
    blocks.push({ block: { type: "thinking", thinking: "", signature: "" }, deltas });
  }
  if (text !== "") {
    const deltas = text.match(/.{1,12}/gsu).map((part) => ({ type: "text_delta", text: part }));
    blocks.push({ block: { type: "text", text: "" }, deltas });
  }
  calls.forEach((call, index) => {
    const { name: tool, input } = callOf(call);
    const partial_json = JSON.stringify(input).replace("$PLAN_FILE", () => planFileIn(messages));
    const deltas = [{ type: "input_json_delta", partial_json }];
    blocks.push({ block: { type: "tool_use", id: `toolu_${name}_${index}`, name: tool, input: {} }, deltas });
  });
  return blocks;
}

function callOf([what, ...words]) {
  if (what === "tool") return { name: words[0], input: words[1] };
  const name = { read: "Read", write: "Write", run: "Bash", ask: "AskUserQuestion", hand: "Agent" }[what];
  const [first, second] = words;
  const choices = words.slice(1).map((label) => ({ label, description: `It is ${label}` }));
  const input = {
    read: { file_path: first },
    write: { file_path: first, content: second },
    run: { command: first, description: "runs it" },
    hand: { description: first, prompt: second, subagent_type: "general-purpose" },
    ask: { questions: [{ question: first, header: "Question", options: choices, multiSelect: false }] },
  };
  return { name, input: input[what] };
}
