// What a recording of Codex says happened, read straight from its raw lines. It shares no code with the parser in
// container/. Shape as in claude_code.mjs, and:
// - `notices`: what it warns of; `said`: what it was told, which it does not repeat
// - `exit_codes`: what each command returned
// - `retries`: the errors that another try followed; `files`: what became of which file
// - `end`: "completed" or "failed" by the last turn's own word, null where it has none
//
// By hand: node tests/oracle/codex.mjs volume320

import { fileURLToPath } from "node:url";

import { linesOf } from "./recordings.mjs";

const ACTIONS = { add: "created", update: "modified", delete: "deleted" };

export function expectedOf(name) {
  const lines = linesOf("codex", name);
  const steps = [];
  const files = [];
  const notices = [];
  for (const { type, item, message } of lines) {
    if (type === "error") steps.push({ kind: "error", text: message });
    else if (type === "item.started") steps.push(callOf(item));
    else if (type === "item.completed") {
      const started = lines.some((line) => line.type === "item.started" && line.item.id === item.id);
      if (item.type === "agent_message") steps.push({ kind: "text", text: item.text });
      else if (item.type === "reasoning") steps.push({ kind: "thinking", text: item.text });
      else if (item.type === "error") notices.push(item.message);
      else steps.push(...(started ? [] : [callOf(item)]), resultOf(item));
      for (const { path, kind } of (item.status === "completed" && item.changes) || []) {
        files.push({ path: path.replace("/workspace/codex/", ""), action: ACTIONS[kind] });
      }
    }
  }
  const turn = lines.filter(({ type }) => /^turn\.(completed|failed)$/.test(type)).at(-1);
  return {
    steps,
    files,
    notices,
    said: [],
    exit_codes: lines
      .filter(({ type, item }) => type === "item.completed" && Number.isInteger(item.exit_code))
      .map(({ item }) => [item.id, item.exit_code]),
    retries: lines.filter((line) => line.type === "error" && line.message.includes("Reconnecting")).length,
    session_id: lines.find((line) => line.type === "thread.started").thread_id,
    model: null,
    usage: turn?.usage === undefined ? null : totalsOf(turn.usage),
    turns: turn === undefined ? 0 : 1,
    end: turn === undefined ? null : turn.type.replace("turn.", ""),
  };
}

function callOf({ id, type, command, changes }) {
  const input = type === "command_execution" ? { command } : { changes };
  return { kind: "call", tool_use_id: id, tool: type, input };
}

function resultOf({ id, aggregated_output: text = "", status }) {
  // The recordings have no command that is `completed` and has another exit code than 0.
  const success = status === "completed";
  return { kind: "result", tool_use_id: id, success, text, content_length: Buffer.byteLength(text) };
}

/** All tokens that were read, apart from those of the cache. */
function totalsOf({ input_tokens, cached_input_tokens, cache_write_input_tokens, output_tokens }) {
  return {
    input_tokens: input_tokens - cached_input_tokens - cache_write_input_tokens,
    output_tokens,
    cache_read_input_tokens: cached_input_tokens,
    cache_creation_input_tokens: cache_write_input_tokens,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { steps, exit_codes: _, ...rest } = expectedOf(process.argv[2] ?? "basic");
  const of = (kind) => steps.filter((step) => step.kind === kind).length;
  const counts = { texts: of("text"), thoughts: of("thinking"), calls: of("call"), results: of("result"), errors: of("error") };
  console.log(JSON.stringify({ ...counts, ...rest, files: rest.files.length }, null, 2));
}
