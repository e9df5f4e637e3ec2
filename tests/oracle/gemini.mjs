// What a recording of Gemini CLI says happened, read straight from its raw lines. It shares no code with the parser in
// container/. Shape as in codex.mjs.
//
// By hand: node tests/oracle/gemini.mjs basic

import { fileURLToPath } from "node:url";

import { linesOf } from "./recordings.mjs";

export function expectedOf(name) {
  const lines = linesOf("gemini", name);
  const steps = [];
  let typed = "";
  for (const line of [...lines, { type: "the end" }]) {
    if (line.type === "message" && line.role === "assistant") {
      typed += line.content;
      continue;
    }
    if (typed !== "") steps.push({ kind: "text", text: typed });
    typed = "";
    if (line.type === "tool_use") {
      steps.push({ kind: "call", tool_use_id: line.tool_id, tool: line.tool_name, input: line.parameters });
    } else if (line.type === "tool_result") {
      // An error stands beside what it shows.
      const text = [line.output, line.error?.message].filter((part) => part !== undefined).join("\n");
      const content_length = Buffer.byteLength(text);
      steps.push({ kind: "result", tool_use_id: line.tool_id, success: line.status === "success", text, content_length });
    } else if ((line.type === "error" && line.severity === "error") || (line.type !== "error" && line.error !== undefined)) {
      steps.push({ kind: "error", text: line.message ?? line.error.message });
    }
  }
  const init = lines.find((line) => line.type === "init");
  const results = lines.filter((line) => line.type === "result");
  const last = results.at(-1);
  return {
    steps,
    files: [],
    notices: lines.filter(({ type, severity }) => type === "error" && severity !== "error").map(({ message }) => message),
    said: lines.filter(({ type, role }) => type === "message" && role === "user").map(({ content }) => ["operator", content]),
    exit_codes: [],
    retries: 0,
    session_id: init.session_id,
    model: init.model,
    usage: last === undefined ? null : totalsOf(last.stats),
    turns: results.length,
    end: last === undefined ? null : { success: "completed", error: "failed" }[last.status],
  };
}

/** All tokens that were read, apart from those of the cache. */
function totalsOf({ input_tokens, output_tokens, cached }) {
  return { input_tokens: input_tokens - cached, output_tokens, cache_read_input_tokens: cached };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { steps, ...rest } = expectedOf(process.argv[2] ?? "basic");
  const of = (kind) => steps.filter((step) => step.kind === kind).length;
  const counts = { texts: of("text"), calls: of("call"), results: of("result"), errors: of("error") };
  console.log(JSON.stringify({ ...counts, ...rest }, null, 2));
}
