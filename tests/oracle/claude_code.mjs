// What a recording of Claude Code says happened, read straight from its raw lines. It shares no code with the parser
// in container/: where both agree on 322 calls and every text, neither is likely to have made it up.
//
// By hand: node tests/oracle/claude_code.mjs volume320

import { fileURLToPath } from "node:url";

import { linesOf } from "./recordings.mjs";

const FIGURES = ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];

/**
 * The truth about a recording:
 * - `steps`: what a viewer must see, in the order of stdout: `{kind: "text" | "thinking" | "call" | "result" | "error"}`
 * - `calls`, `results`, `texts`, `thoughts`: the same, each kind by itself
 * - `usage`: the run's totals and `cost_usd`, by the last `result` line; null where there is none
 * - `messages`: what all messages took by their last figures, those of `message_delta` where there are any
 * - `turns`: how many `result` lines, that is ends of a turn
 * - `retries`: how often the program said that it tries again; how it says so is for the parser to put into words
 * - `end`: "completed" or "failed" by the last `result`, null where there is none
 */
export function expectedOf(name) {
  const steps = [];
  let session_id = null;
  let model = null;
  /** @type {ReturnType<typeof totalsOf> | null} */
  let usage = null;
  let turns = 0;
  let retries = 0;
  /** @type {"completed" | "failed" | null} */
  let end = null;
  const spent = new Map();
  const typed = new Map();
  const spend = (id, figures) => {
    const known = spent.get(id) ?? {};
    for (const field of FIGURES) if ((figures?.[field] ?? 0) > (known[field] ?? 0)) known[field] = figures[field];
    spent.set(id, known);
  };
  for (const message of linesOf("claude_code", name)) {
    if (message.subtype === "api_retry") retries += 1;
    if (message.event?.type === "message_start") {
      typed.set(message.parent_tool_use_id, message.event.message.id);
      spend(message.event.message.id, message.event.message.usage);
    }
    if (message.event?.type === "message_delta") spend(typed.get(message.parent_tool_use_id), message.event.usage);
    if (message.type === "assistant" && !message.is_api_error_message) spend(message.message.id, message.message.usage);
    if (message.type === "system" && message.subtype === "init") {
      session_id ??= message.session_id;
      model ??= message.model;
    } else if (message.type === "assistant" && (message.is_api_error_message || message.error !== undefined)) {
      steps.push({ kind: "error", text: textOf(message.message.content) });
    } else if (message.type === "assistant" || message.type === "user") {
      steps.push(...stepsOf(message));
    } else if (message.type === "result") {
      turns += 1;
      usage = totalsOf(message);
      end = message.is_error ? "failed" : "completed";
    }
  }
  const messages = Object.fromEntries(FIGURES.map((field) => [field, [...spent.values()].reduce((sum, one) => sum + (one[field] ?? 0), 0)]));
  const only = (kind) => steps.filter((step) => step.kind === kind);
  return {
    steps,
    calls: only("call"),
    results: only("result"),
    texts: only("text").map((step) => step.text),
    thoughts: only("thinking").map((step) => step.text),
    session_id,
    model,
    usage,
    messages,
    turns,
    retries,
    end,
    files: [],
  };
}

/** @returns {any[]} */
function stepsOf(line) {
  const blocks = line.message.content;
  if (!Array.isArray(blocks)) return [];
  return blocks.flatMap(/** @returns {any[]} */ (block) => {
    switch (block.type) {
      case "text":
        // What the person or the program says to the agent is not the agent's own output.
        return line.type === "assistant" && block.text !== "" ? [{ kind: "text", text: block.text }] : [];
      case "thinking":
        return block.thinking === "" ? [] : [{ kind: "thinking", text: block.thinking }];
      case "tool_use":
        return [{ kind: "call", tool_use_id: block.id, tool: block.name, input: block.input }];
      case "tool_result": {
        const text = textOf(block.content);
        const content_length = Buffer.byteLength(text);
        return [{ kind: "result", tool_use_id: block.tool_use_id, success: block.is_error !== true, text, content_length }];
      }
      default:
        return [];
    }
  });
}

/** Content is a text, or blocks of which only the texts are text; what is none is attached. */
function textOf(content) {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.filter((block) => block.type === "text").map((block) => block.text).join("\n");
}

function totalsOf(result) {
  const models = Object.values(result.modelUsage ?? {});
  const sum = (field) => models.reduce((total, model) => total + model[field], 0);
  return {
    input_tokens: sum("inputTokens"),
    output_tokens: sum("outputTokens"),
    cache_read_input_tokens: sum("cacheReadInputTokens"),
    cache_creation_input_tokens: sum("cacheCreationInputTokens"),
    cost_usd: result.total_cost_usd,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { steps, calls, results, texts, thoughts, usage, turns } = expectedOf(process.argv[2] ?? "basic");
  const failed = results.filter((result) => !result.success).length;
  const counts = { steps: steps.length, calls: calls.length, results: results.length, failed };
  console.log(JSON.stringify({ ...counts, texts: texts.length, thoughts: thoughts.length, turns, usage }, null, 2));
}
