// How fast the control server reads what agents print: 100,000 lines at full speed of Claude Code, Codex, Gemini CLI and a
// plain process, with the events fetched and acknowledged meanwhile as a town does.
//
//   npm run bench -- parse     (or, after a release build of the control server: node bench/parse.bench.mjs)
//
// The lines are those of the recordings, again and again. Prints lines a second, from the first to the run's end, and how
// much the server's memory grew; fails where a result of a tool (a line of the process) is missing, where fewer than
// 50,000 lines a second were read, or where memory grew by 50 MB.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ControlServer } from "../tests/live/control.mjs";
import { textOf } from "../tests/oracle/recordings.mjs";

const LINES = 100_000;
const LINES_A_SECOND_MIN = 50_000;
const GROWTH_BYTES_MAX = 50e6;
const MIXES = { claude_code: ["basic", "parallel", "volume320", "subagent"], codex: ["basic", "parallel", "volume320"], gemini: ["basic", "parallel"] };
/** How many results of tools a line of an agent tells. */
const RESULTS = {
  claude_code: ({ type, message }) => (type === "user" && Array.isArray(message.content) ? message.content : []).filter((block) => block.type === "tool_result").length,
  codex: ({ type, item }) => Number(type === "item.completed" && ["command_execution", "file_change"].includes(item.type)),
  gemini: ({ type }) => Number(type === "tool_result"),
};

const print = 'cat "$FILE"';
const control = await new ControlServer().start({ programs: { claude: print, codex: print, gemini: print } });
let failures = 0;
try {
  for (const [runtime, names] of Object.entries(MIXES)) {
    const mix = names.flatMap((name) => textOf(runtime, name).split("\n").filter((line) => line !== ""));
    const results = mix.map((line) => RESULTS[runtime](JSON.parse(line)));
    const at = (index) => index % mix.length;
    // A line whose `uuid` was there before is the same line, so each repetition has its own.
    const own = (line, index) => line.replace(/("uuid":"[^"]*)[0-9a-f]{8}"/g, (_, head) => `${head}${index.toString(16).padStart(8, "0")}"`);
    const lines = Array.from({ length: LINES }, (_, index) => own(mix[at(index)], index));
    const count = lines.reduce((sum, _, index) => sum + results[at(index)], 0);
    failures += Number(!(await measured(lines, { event: "agent_tool_result", count }, { runtime, prompt: "x" })));
  }
  const words = "some words of a build that goes on ";
  const lines = Array.from({ length: LINES }, (_, index) => `line ${index}: ${words.repeat(1 + (index % 3))}`);
  failures += Number(!(await measured(lines, { event: "agent_output", count: LINES }, { runtime: "process", command: ["sh", "-c", print] })));
} finally {
  await control.stop();
}
process.exit(failures > 0 ? 1 : 0);

/** Runs a program that prints the lines, and takes its events as fast as they come. */
async function measured(lines, { event, count }, order) {
  const file = join(control.directory, "lines");
  const text = `${lines.join("\n")}\n`;
  writeFileSync(file, text);
  const { epoch, head } = (await control.call("GET", "/events?limit=1")).json;
  const before = control.memory();
  let [after, seen, bytes, most] = [head, 0, 0, before];
  const began = performance.now();
  await control.run(order.runtime, { ...order, env_vars: { FILE: file } });
  for (let ended = false; !ended; ) {
    const page = await control.call("GET", `/events?epoch=${epoch}&after=${after}&ack=1&wait_ms=10000&limit=500`);
    const { events } = page.json;
    if (events.length === 0) throw new Error(`nothing came after event ${after}`);
    after = events.at(-1).id;
    seen += events.filter((one) => one.event === event).length;
    bytes += page.text.length;
    most = Math.max(most, control.memory());
    ended = events.at(-1).event === "agent.exited";
  }
  const seconds = (performance.now() - began) / 1000;
  const [speed, growth] = [Math.round(LINES / seconds), most - before];
  const mega = (number) => `${(number / 1e6).toFixed(1)} MB`;
  console.log(
    `${order.runtime}: ${speed} lines a second (${mega(text.length / seconds)}/s in, ${mega(bytes / seconds)}/s of events out), ` +
      `${seen} of ${count} ${event}, memory grew by ${mega(growth)}`,
  );
  return seen === count && speed >= LINES_A_SECOND_MIN && growth < GROWTH_BYTES_MAX;
}
