// What a recording of OpenCode or Kilo says happened, read straight from its raw bytes and, once more, from the session
// that was read back by REST after it. It shares no code with the decoder or the parser in container/.
//
// By hand: node tests/oracle/opencode.mjs opencode volume320

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const FOLDER = fileURLToPath(new URL("../recordings/", import.meta.url));

export const RECORDINGS = [
  ...["basic", "parallel", "subagent", "permission-ask", "abort-api", "err400", "volume320"].map((name) => ["opencode", name]),
  ...["basic", "abort-api", "err400"].map((name) => ["kilo", name]),
];

function readGolden(program, file) {
  const plain = `${FOLDER}${program}/${file}`;
  return (existsSync(plain) ? readFileSync(plain) : gunzipSync(readFileSync(`${plain}.gz`))).toString("utf8");
}

/** The frames of a recorded stream, and the text of each. */
export function recordedFrames(program, name) {
  const messages = readGolden(program, `${name}.sse`).split("\n\n").filter((message) => message !== "");
  return messages.map((message) => {
    if (!message.startsWith("data: ") || message.includes("\n")) throw new Error(`not what was recorded: ${message.slice(0, 80)}`);
    return { text: message.slice(6), ...JSON.parse(message.slice(6)) };
  });
}

/** The messages of the main session as REST gave them after the recording. */
export const recordedMessages = (program, name) => JSON.parse(readGolden(program, `${name}.messages.json`));

/**
 * The truth about a recording:
 * - `calls`, `results`, `texts`, `thoughts`, `questions`, `answers`: what a viewer must see, each kind in its order
 * - `usage`: the sum over all messages of all sessions, of each its last figures, and the price
 * - `usage_by`: how many messages took something, by the call that they work for ("" is the agent itself)
 * - `said`: what was told to the agent and to its sub-agents, and by whom
 * - `error`: how the last turn failed, or null
 */
export function expectedOf(program, name) {
  const frames = recordedFrames(program, name).filter((frame) => frame.properties !== undefined);
  const created = frames.filter(({ type }) => type === "session.created").map(({ properties }) => properties.info);
  const main = created.find((session) => session.parentID === undefined).id;
  const said = new Set(
    frames.filter(({ type, properties }) => type === "message.updated" && properties.info.role === "user").map(({ properties }) => properties.info.id),
  );
  const last = new Map(); // of each part, its last form, in the order in which that came
  const sub = new Map(); // of each sub-agent's session, the call that it works for
  for (const { type, properties } of frames) {
    if (type !== "message.part.updated" || said.has(properties.part.messageID)) continue;
    last.delete(properties.part.id);
    last.set(properties.part.id, properties.part);
    const child = properties.part.state?.metadata?.sessionId;
    if (child !== undefined) sub.set(child, properties.part.callID);
  }
  const parts = [...last.values()];
  const parent = (part) => (part.sessionID === main ? undefined : sub.get(part.sessionID));
  const tools = parts.filter((part) => part.type === "tool");
  const texts = (type) => parts.filter((part) => part.type === type && part.text !== "").map((part) => ({ text: part.text, parent: parent(part) }));
  const counted = new Map(); // of each message, its last figures
  for (const { type, properties } of frames) {
    if (type !== "message.updated" || properties.info.role !== "assistant") continue;
    const { input, output, reasoning, cache } = properties.info.tokens;
    if (input + output + reasoning + cache.read + cache.write > 0) counted.set(properties.info.id, properties.info);
  }
  const sum = (pick) => [...counted.values()].reduce((total, message) => total + pick(message), 0);
  const heard = new Map(); // of each part of what was said to it, who said it
  for (const { type, properties } of frames) {
    const part = properties.part;
    if (type !== "message.part.updated" || part.type !== "text" || !said.has(part.messageID)) continue;
    const by = part.sessionID === main && part.synthetic !== true ? "operator" : program;
    heard.set(part.id, { text: part.text, by, parent: parent(part) });
  }
  const failure = frames.filter(({ type, properties }) => type === "session.error" && properties.sessionID === main).at(-1);
  return {
    session_id: main,
    calls: tools.map((part) => ({ tool_use_id: part.callID, tool: part.tool, input: part.state.input, parent: parent(part) })),
    results: tools.map(({ callID, state }) => {
      const text = state.status === "completed" ? state.output : state.error;
      const success = state.status === "completed" && !state.metadata?.exit;
      return { tool_use_id: callID, success, text, content_length: Buffer.byteLength(text), duration_ms: state.time.end - state.time.start };
    }),
    texts: texts("text"),
    thoughts: texts("reasoning"),
    questions: frames.filter(({ type }) => type === "permission.asked").map(({ properties }) => properties.id),
    answers: frames.filter(({ type }) => type === "permission.replied").map(({ properties }) => [properties.requestID, properties.reply]),
    usage: {
      input_tokens: sum(({ tokens }) => tokens.input),
      output_tokens: sum(({ tokens }) => tokens.output + tokens.reasoning),
      cache_read_input_tokens: sum(({ tokens }) => tokens.cache.read),
      cache_creation_input_tokens: sum(({ tokens }) => tokens.cache.write),
      cost_usd: sum(({ cost }) => cost),
    },
    usage_by: countBy([...counted.values()].map((message) => parent(message) ?? "")),
    said: [...heard.values()],
    error: failure?.properties.error.name === "MessageAbortedError" ? "The turn was interrupted" : (failure?.properties.error.data.message ?? null),
  };
}

function countBy(names) {
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** The same from the session that was read back: of its own messages only, for REST gives each session by itself. */
export function expectedOfMessages(program, name) {
  const parts = recordedMessages(program, name).flatMap(({ info, parts }) => (info.role === "assistant" ? parts : []));
  const texts = (type) => parts.filter((part) => part.type === type && part.text !== "").map(({ text }) => text);
  const tools = parts.filter((part) => part.type === "tool");
  return {
    texts: texts("text"),
    thoughts: texts("reasoning"),
    calls: tools.map(({ callID, tool, state }) => ({ tool_use_id: callID, tool, input: state.input })),
    results: tools.map(({ callID, state }) => ({ tool_use_id: callID, text: state.status === "completed" ? state.output : state.error })),
  };
}

/** What a viewer saw, from the events of one run, in the same words. */
export function seenOf(events) {
  const of = (name) => events.filter(({ event }) => event === name).map(({ data }) => data);
  const texts = (stream) =>
    of("agent_output").filter((data) => data.stream === stream).map(({ text, parent_tool_use_id }) => ({ text, parent: parent_tool_use_id }));
  const usages = [...new Map(of("agent_usage").map((data) => [data.message_id, data])).values()]; // of a message the last counts
  const sum = (field) => usages.reduce((total, data) => total + (data[field] ?? 0), 0);
  const fields = ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cost_usd"];
  return {
    session_id: of("agent_session").find(({ session_id }) => session_id !== undefined)?.session_id,
    calls: of("agent_tool_call").map(({ tool_use_id, tool, input, parent_tool_use_id }) => ({ tool_use_id, tool, input, parent: parent_tool_use_id })),
    results: of("agent_tool_result").map(({ tool_use_id, success, content, content_length, duration_ms }) => {
      return { tool_use_id, success, text: content, content_length, duration_ms };
    }),
    texts: texts("assistant"),
    thoughts: texts("thinking"),
    questions: of("agent_question").map(({ request_id }) => request_id),
    answers: of("agent_question_answered").map(({ request_id, answer }) => [request_id, answer]),
    usage: Object.fromEntries(fields.map((field) => [field, sum(field)])),
    usage_by: countBy(usages.map((data) => data.parent_tool_use_id ?? "")),
    said: of("user_message").map(({ text, by, parent_tool_use_id }) => ({ text, by, parent: parent_tool_use_id })),
    error: of("agent_error").at(-1)?.message ?? null,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const truth = expectedOf(process.argv[2] ?? "opencode", process.argv[3] ?? "basic");
  const counts = Object.fromEntries(Object.entries(truth).filter(([, value]) => Array.isArray(value)).map(([name, list]) => [name, list.length]));
  console.log(JSON.stringify({ ...counts, usage: truth.usage, error: truth.error }, null, 2));
}
