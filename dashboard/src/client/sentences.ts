// The plain sentences of the activity list, for a person who has never seen the protocol.

import type {
  AgentError,
  AgentExited,
  AgentNotice,
  AgentSession,
  AgentUsage,
  FileChanged,
  Gap,
  ParserNotice,
  ProgressUpdate,
  RunIteration,
  SourceGap,
  Status,
} from "../protocol/protocol.ts";
import type { Task, Tone } from "./row.ts";
import type { WorkTime } from "./work_clock.ts";

const number = new Intl.NumberFormat("en");

export function countWords(count: number, one: string, many: string): string {
  return `${number.format(count)} ${count === 1 ? one : many}`;
}

/** "340 ms", "12 s", "3 min 5 s", "2 h 4 min"; a second has a decimal below ten. */
export function durationWords(duration_ms: number): string {
  const clamped_ms = Math.max(0, duration_ms);
  if (clamped_ms < 1000) return `${Math.round(clamped_ms)} ms`;
  const tenths = Math.round(clamped_ms / 100) / 10;
  if (tenths < 10) return `${tenths} s`;
  const seconds = Math.round(clamped_ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function bytesWords(bytes: number): string {
  if (bytes < 1024) return countWords(bytes, "byte", "bytes");
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

const statusSentences: Readonly<Record<Status, string>> = {
  idle: "Idle",
  starting: "Starting",
  running: "At work",
  waiting: "Done for now, waiting for a message",
  stopping: "Asked to stop",
  exited: "The program ended",
  failed: "The program failed",
};

export function statusSentence(status: Status): string {
  return statusSentences[status];
}

export function sessionSentence(session: AgentSession): string {
  const model = session.model ? ` with ${session.model}` : "";
  const place = session.working_dir ? ` in ${session.working_dir}` : "";
  const branch = session.branch ? ` on branch ${session.branch}` : "";
  return `Session opened${model}${place}${branch}`;
}

const fileVerbs = { created: "Created", modified: "Changed", deleted: "Deleted", renamed: "Renamed" } as const;

export function fileSentence(file: FileChanged): string {
  const name = file.action === "renamed" && file.from ? `${file.from} to ${file.path}` : file.path;
  const lines = linesWords(file);
  return `${fileVerbs[file.action]} ${name}${lines === "" ? "" : ` (${lines})`}`;
}

/** "+3 −1", or nothing where it is not known. The minus is the typographic one. */
export function linesWords(file: FileChanged): string {
  const added = file.lines_added ? `+${number.format(file.lines_added)}` : "";
  const removed = file.lines_removed ? `−${number.format(file.lines_removed)}` : "";
  return [added, removed].filter((part) => part !== "").join(" ");
}

export function usageSentence(usage: AgentUsage): string {
  const read = usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
  const cost = typeof usage.cost_usd === "number" ? ` for $${usage.cost_usd.toFixed(4)}` : "";
  const who = usage.parent_tool_use_id ? "A sub-agent read" : "Read";
  return `${who} ${countWords(read, "token", "tokens")} and wrote ${number.format(usage.output_tokens)}${cost}`;
}

export function progressSentence(progress: ProgressUpdate): string {
  const share = typeof progress.percentage === "number" ? `${Math.round(progress.percentage)} %: ` : "";
  return `${share}${progress.current_phase}`;
}

const noticeSentences: Readonly<Record<Exclude<ParserNotice["kind"], "redacted">, string>> = {
  malformed: "could not be read",
  unknown: "not understood",
  oversized: "too long and cut off",
};

export function noticeSentence(notice: ParserNotice): string {
  if (notice.kind === "redacted") return `${countWords(notice.count, "secret", "secrets")} in the agent's output hidden`;
  return `${countWords(notice.count, "line", "lines")} of the agent's output ${noticeSentences[notice.kind]}`;
}

export function iterationSentence(iteration: RunIteration): string {
  const count = `Iteration ${iteration.iteration_number} of ${iteration.total_iterations}`;
  if (iteration.verification_passed === true) return `${count}: the check passed`;
  return iteration.verification_passed === false ? `${count}: the check failed` : count;
}

/** "14:30", with the day where it is another one: until when something lasts, seen from `at`. */
export function untilWords(until: string, at: string): string {
  const [until_ms, at_ms] = [Date.parse(until), Date.parse(at)];
  if (Number.isNaN(until_ms)) return "";
  const isSameDay = !Number.isNaN(at_ms) && new Date(until_ms).toDateString() === new Date(at_ms).toDateString();
  const day = isSameDay ? {} : ({ weekday: "short", day: "numeric", month: "short" } as const);
  return `until ${new Intl.DateTimeFormat("en-GB", { ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(until_ms)}`;
}

function inBrackets(words: readonly string[]): string {
  const said = words.filter((word) => word !== "");
  return said.length === 0 ? "" : ` (${said.join(", ")})`;
}

export function errorSentence({ message, retryable, until }: AgentError, at: string): string {
  return `${message}${inBrackets([retryable ? "trying again" : "", until ? untilWords(until, at) : ""])}`;
}

/** What the program did or warned of by itself: "The conversation was compacted (from 155,000 to 12,000 tokens)". */
export function agentNoticeSentence({ message, until, tokens_before, tokens_after }: AgentNotice, at: string): string {
  return `${message}${inBrackets([sizesWords(tokens_before, tokens_after), until ? untilWords(until, at) : ""])}`;
}

function sizesWords(before: number | undefined, after: number | undefined): string {
  const from = typeof before === "number" ? number.format(before) : null;
  const to = typeof after === "number" ? countWords(after, "token", "tokens") : null;
  if (from !== null && to !== null) return `from ${from} to ${to}`;
  if (to !== null) return `now ${to}`;
  return from === null ? "" : `at ${from} tokens`;
}

/** How work in the background stands: "runs in the background", "failed in the background, returned 2: no such host". */
export function taskWords({ end }: Task): string {
  if (end === null) return "runs in the background";
  if (end.outcome === "abandoned") return "ran in the background when the run ended";
  const how = { completed: "finished in the background", failed: "failed in the background", stopped: "was stopped in the background" }[end.outcome];
  const code = typeof end.exit_code === "number" && end.outcome !== "stopped" ? `, returned ${end.exit_code}` : "";
  return `${how}${code}${end.summary ? `: ${end.summary}` : ""}`;
}

/** How a run ended, and its time at work, which is null where its start was not seen. */
export function endSentence(exit: AgentExited, time: WorkTime | null): { text: string; tone: Tone } {
  const after = time === null ? "" : ` after ${workTimeWords(time)}`;
  const message = exit.message ? `: ${exit.message}` : "";
  switch (exit.reason) {
    case "completed":
      return { text: `Finished${after}${message}`, tone: "good" };
    case "stopped":
      return { text: `Stopped${after}${message}`, tone: "plain" };
    case "timeout":
      return { text: `Ran out of time${after}${message}`, tone: "bad" };
    case "budget_exceeded":
      return { text: `Stopped by a budget${after}${message}`, tone: "bad" };
    case "lost":
      return { text: `Lost${after}${message === "" ? ": the container went away" : message}`, tone: "bad" };
    case "failed":
      return { text: `Failed${after}${message === "" ? exitCause(exit) : message}`, tone: "bad" };
  }
}

/** "4 min", or where it waited as well "4 min of work, and 12 min of waiting for a person". */
function workTimeWords({ worked_ms, waited_ms }: WorkTime): string {
  const worked = durationWords(worked_ms);
  return waited_ms < WAIT_WORTH_SAYING_MS ? worked : `${worked} of work, and ${durationWords(waited_ms)} of waiting for a person`;
}

/** Less is the time that an answer takes to come, and no waiting. */
const WAIT_WORTH_SAYING_MS = 1_000;

function exitCause(exit: AgentExited): string {
  if (exit.signal) return `: ended by ${exit.signal}`;
  return typeof exit.exit_code === "number" ? `: the program returned ${exit.exit_code}` : "";
}

export function gapSentence(gap: Gap): string {
  const events = typeof gap.count === "number" ? countWords(gap.count, "event", "events") : `Events up to number ${number.format(gap.to)}`;
  const is = gap.count === 1 ? "is" : "are";
  const was = gap.count === 1 ? "was" : "were";
  return gap.reason === "pruned"
    ? `${events} from before this ${is} gone: the town keeps only an agent's newest events`
    : `${events} ${was} left out here: this connection was too slow to show everything`;
}

export function sourceGapSentence(gap: SourceGap): string {
  const events = typeof gap.count === "number" ? countWords(gap.count, "event", "events") : "Some events";
  return `${events} ${gap.count === 1 ? "was" : "were"} lost before reaching the town (${gap.source})`;
}
