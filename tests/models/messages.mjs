// Anthropic's messages API, as far as Claude Code uses it: `POST <story>/v1/messages`, answered by a stream of events.

import { TOKENS, stepAfter } from "../agents/stories.mjs";

export function answer({ method, story, rest, body }, reply) {
  if (method !== "POST" || rest !== "v1/messages") return reply.json({ type: "error", error: { type: "not_found_error", message: `no ${rest} here` } }, 404);
  if (story === "unauthorized") {
    return reply.json({ type: "error", error: { type: "authentication_error", message: "invalid x-api-key" } }, 401);
  }
  // What it asks beside its work, for a title say, it asks without tools.
  const step = (body.tools ?? []).length === 0 ? { number: 0, text: "A title", calls: [] } : stepAfter(story, callsOf(body.messages));
  const usage = {
    input_tokens: TOKENS.read - TOKENS.cached,
    cache_read_input_tokens: TOKENS.cached,
    cache_creation_input_tokens: 0,
    output_tokens: 1,
  };
  const message = { id: `msg_${story}_${body.messages.length}`, type: "message", role: "assistant", model: body.model, content: [] };
  const events = [{ type: "message_start", message: { ...message, stop_reason: null, stop_sequence: null, usage } }];
  blocksOf(step, body.messages.length).forEach(({ block, deltas }, index) => {
    events.push({ type: "content_block_start", index, content_block: block });
    for (const delta of deltas) events.push({ type: "content_block_delta", index, delta });
    events.push({ type: "content_block_stop", index });
  });
  const stop_reason = step.calls.length > 0 ? "tool_use" : "end_turn";
  events.push({ type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage: { ...usage, output_tokens: TOKENS.written } });
  events.push({ type: "message_stop" });
  reply.events(events.map((event) => [event, event.type]));
}

/** The calls of the present turn, which began when a person said something. */
function callsOf(messages) {
  const blocks = (message) => (typeof message.content === "string" ? [{ type: "text" }] : message.content);
  const said = messages.findLastIndex((message) => message.role === "user" && !blocks(message).some(({ type }) => type === "tool_result"));
  return messages.slice(said + 1).flatMap(blocks).filter(({ type }) => type === "tool_use").length;
}

function blocksOf({ text, thought, calls }, number) {
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
    const { name, input } = callOf(call);
    const deltas = [{ type: "input_json_delta", partial_json: JSON.stringify(input) }];
    blocks.push({ block: { type: "tool_use", id: `toolu_${number}_${index}`, name, input: {} }, deltas });
  });
  return blocks;
}

function callOf([what, ...words]) {
  const name = { read: "Read", write: "Write", run: "Bash", ask: "AskUserQuestion" }[what];
  const [first, second] = words;
  const choices = words.slice(1).map((label) => ({ label, description: `It is ${label}` }));
  const input = {
    read: { file_path: first },
    write: { file_path: first, content: second },
    run: { command: first, description: "runs it" },
    ask: { questions: [{ question: first, header: "Question", options: choices, multiSelect: false }] },
  };
  return { name, input: input[what] };
}
