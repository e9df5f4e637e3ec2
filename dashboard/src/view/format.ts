// Numbers and times as people read them.

import { atWork } from "../client/attention.ts";
import { durationWords } from "../client/sentences.ts";
import type { AgentState, Budget, DayBudget, UsageTotals } from "../protocol/protocol.ts";
import { RUNTIMES, type RuntimeFacts } from "../protocol/runtimes.ts";

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

/** "$1.25 of $1.50, 820 of 1,000 tokens": what is spent of what may be. */
function spentText({ max_cost_usd, max_tokens }: Budget, cost_usd: number, tokens: number): string {
  const cost = max_cost_usd === undefined ? [] : [`${dollars(cost_usd)} of ${dollars(max_cost_usd)}`];
  const count = max_tokens === undefined ? [] : [`${countText(tokens)} of ${countText(max_tokens)} tokens`];
  return [...cost, ...count].join(", ");
}

/** What a run has spent of its budget. */
export function runBudgetText(budget: Budget, usage: UsageTotals): string {
  const { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens, cost_usd } = usage;
  return spentText(budget, cost_usd ?? 0, input_tokens + output_tokens + cache_read_input_tokens + cache_creation_input_tokens);
}

/** What was spent today (UTC) of a day's budget. */
export function dayBudgetText(budget: DayBudget, now_ms: number): string {
  const isToday = new Date(now_ms).toISOString().startsWith(budget.day);
  return spentText(budget, isToday ? budget.cost_usd : 0, isToday ? budget.tokens : 0);
}

export function dollars(cost_usd: number): string {
  return cost_usd > 0 && cost_usd < 0.01 ? `$${cost_usd.toFixed(4)}` : `$${cost_usd.toFixed(2)}`;
}

/** From a moment until now or until `until`; clocks of two machines may differ, so never below zero. */
export function sinceText(since: string, until_ms: number): string {
  return spanText(sinceMs(since, until_ms));
}

/** "12 min": for what has lasted so long that seconds say nothing. */
export function minutesText(since: string, until_ms: number): string {
  return spanText(Math.floor(sinceMs(since, until_ms) / 60_000) * 60_000);
}

function sinceMs(since: string, until_ms: number): number {
  return Math.max(0, until_ms - Date.parse(since)) || 0;
}

/** In whole seconds: "0 s", "3 min 5 s". */
function spanText(span_ms: number): string {
  const seconds = Math.floor(span_ms / 1000);
  return seconds === 0 ? "0 s" : durationWords(seconds * 1000).replace(".0", "");
}

/** How long the agent's run was at work; empty before its first. */
export function workedText(agent: AgentState, now_ms: number): string {
  if (agent.started_at === null) return "";
  const { worked_ms, working_since } = agent;
  return spanText(worked_ms + (working_since === null ? 0 : sinceMs(working_since, now_ms)));
}

/** "waited 12 min for a person", or nothing where that is not worth a word. */
export function waitedText(agent: AgentState, now_ms: number): string {
  const { waited_ms, working_since, activity } = agent;
  const waits = atWork(agent) && working_since === null && (activity?.kind === "waiting" || activity?.kind === "question");
  const all_ms = waited_ms + (waits && activity !== null ? sinceMs(activity.since, now_ms) : 0);
  return all_ms < 1000 ? "" : `waited ${spanText(all_ms)} for a person`;
}

/** All of a run's time, for titles. */
export function timeTitle(agent: AgentState, now_ms: number): string {
  if (agent.started_at === null) return "";
  const waited = waitedText(agent, now_ms);
  return `Worked ${workedText(agent, now_ms)}${waited === "" ? "" : `, ${waited}`}; started ${momentWords(agent.started_at)}`;
}

/** "about 4 min left", where the agent's progress lets one tell. */
export function remainingText({ progress }: AgentState): string {
  const seconds = progress?.estimated_remaining_seconds;
  return typeof seconds === "number" ? `about ${durationWords(seconds < 60 ? Math.ceil(seconds) * 1000 : Math.round(seconds / 60) * 60_000)} left` : "";
}

const runtimes: Readonly<Record<string, RuntimeFacts>> = RUNTIMES;

export function runtimeName(runtime: string | null): string {
  return runtime === null ? "elsewhere" : (runtimes[runtime]?.title ?? runtime);
}

/** "1,204", or "1,204+" where there may be more. */
export function countOfAll(count: number, isMore: boolean): string {
  return `${count.toLocaleString("en")}${isMore ? "+" : ""}`;
}
