// Numbers and times as people read them.

import type { AgentState, UsageTotals } from "../protocol/protocol.ts";
import { durationWords } from "../client/sentences.ts";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const exact = new Intl.NumberFormat("en");

function formatted(format: Intl.DateTimeFormat, at: string): string {
  const time_ms = Date.parse(at);
  return Number.isNaN(time_ms) ? "" : format.format(time_ms);
}

/** "14:02:31" in the reader's own zone. */
export function clockTime(at: string): string {
  return formatted(clock, at);
}

/** With the date, for titles. */
export function momentWords(at: string): string {
  return formatted(moment, at);
}

export function dayWords(at: string): string {
  return formatted(day, at);
}

/** "1,234", from a hundred thousand on "123.5K". */
export function countText(count: number): string {
  return count < 100_000 ? exact.format(count) : compact.format(count);
}

export function tokensText(usage: UsageTotals): string {
  const read = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
  return `${compact.format(read)} in · ${compact.format(usage.output_tokens)} out`;
}

/** All four numbers, for titles. */
export function tokensTitle(usage: UsageTotals): string {
  return [
    `${exact.format(usage.input_tokens)} tokens read`,
    `${exact.format(usage.cache_read_input_tokens)} read from the cache`,
    `${exact.format(usage.cache_creation_input_tokens)} written to the cache`,
    `${exact.format(usage.output_tokens)} written`,
  ].join(", ");
}

/** A cost that no one named is not zero. */
export function costText(usage: UsageTotals): string {
  const cost = usage.cost_usd;
  return cost === null ? "no price" : cost === 0 ? "no cost" : dollars(cost);
}

export function dollars(cost_usd: number): string {
  return cost_usd > 0 && cost_usd < 0.01 ? `$${cost_usd.toFixed(4)}` : `$${cost_usd.toFixed(2)}`;
}

/** From a moment until now or until `until`; clocks of two machines may differ, so never below zero. */
export function sinceText(since: string, until_ms: number): string {
  const seconds = Math.max(0, Math.floor((until_ms - Date.parse(since)) / 1000));
  return seconds === 0 ? "0 s" : durationWords(seconds * 1000).replace(".0", "");
}

/** How long the agent's run has taken; empty before its first. */
export function elapsedText(agent: AgentState, now_ms: number): string {
  if (agent.started_at === null) return "";
  return sinceText(agent.started_at, agent.ended_at === null ? now_ms : Date.parse(agent.ended_at));
}

const runtimeNames: Readonly<Record<string, string>> = {
  claude_code: "Claude Code",
  codex: "Codex",
  gemini: "Gemini CLI",
  opencode: "OpenCode",
  kilo: "Kilo",
  process: "Command",
  replay: "Recording",
};

export function runtimeName(runtime: string | null): string {
  return runtime === null ? "elsewhere" : (runtimeNames[runtime] ?? runtime);
}
