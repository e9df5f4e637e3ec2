// OpenAI's responses API, as far as Codex uses it: `POST <story>/v1/responses`, answered by a stream of events.

import { stepAfter, TOKENS } from "../live/stories.mjs";

export function answer({ method, story, rest, body }, reply) {
  if (method === "GET") return reply.json({ object: "list", data: [], models: [] });
  if (story === "unauthorized") return reply.json({ error: { message: "the key is wrong", code: "invalid_api_key" } }, 401);
  if (rest !== "v1/responses") return reply.json({ error: { message: `no ${rest} here` } }, 404);
  const calls = body.input.filter(({ type }) => type === "function_call").length;
  const step = stepAfter(story, calls);
  const response = { id: `resp_${step.number}`, object: "response", status: "in_progress", model: body.model, output: [], usage: null };
  /** @type {any[]} */
  const events = [{ type: "response.created", response }];
  const items = itemsOf(step, body.tools);
  items.forEach((item, output_index) => {
    events.push({ type: "response.output_item.added", output_index, item: { ...item, status: "in_progress", content: [], summary: [] } });
    if (item.type === "message") {
      const [{ text }] = item.content;
      for (const delta of text.match(/.{1,12}/gsu)) {
        events.push({ type: "response.output_text.delta", item_id: item.id, output_index, content_index: 0, delta });
      }
    }
    events.push({ type: "response.output_item.done", output_index, item });
  });
  const usage = {
    input_tokens: TOKENS.read,
    input_tokens_details: { cached_tokens: TOKENS.cached },
    output_tokens: TOKENS.written,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: TOKENS.read + TOKENS.written,
  };
  events.push({ type: "response.completed", response: { ...response, status: "completed", output: items, usage } });
  reply.events(events.map((event, sequence_number) => [{ sequence_number, ...event }, event.type]));
}

function itemsOf({ number, text, thought, calls }, tools) {
  const items = [];
  if (thought !== undefined) items.push({ type: "reasoning", id: `rs_${number}`, summary: [{ type: "summary_text", text: thought }] });
  if (text !== "") {
    const content = [{ type: "output_text", text, annotations: [] }];
    items.push({ type: "message", id: `msg_${number}`, status: "completed", role: "assistant", content });
  }
  return [...items, ...calls.map((call, index) => callOf(call, `${number}_${index}`, tools))];
}

function callOf([what, ...words], id, tools) {
  const command = { read: (path) => `cat ${path}`, run: (words) => words, write: patchOf }[what](...words);
  const name = ["exec_command", "shell_command"].find((one) => tools.some((tool) => tool.name === one));
  const input = name === "exec_command" ? { cmd: command } : { command };
  return { type: "function_call", id: `fc_${id}`, call_id: `call_${id}`, status: "completed", name, arguments: JSON.stringify(input) };
}

/** Codex takes this command for what it is, and makes a change of files out of it. */
function patchOf(path, text) {
  const lines = text.trimEnd().split("\n").map((line) => `+${line}\n`);
  return `apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: ${path}\n${lines.join("")}*** End Patch\nEOF\n`;
}
