// When a browser last looked at a town, and what each run had cost by then; kept between its visits.

import type { AgentState, RunView } from "../protocol/protocol.ts";

export interface LastLook {
  /** The newest event that was there. */
  readonly id: number;
  /** RFC 3339. */
  readonly at: string;
  /** By run, in dollars; runs without a price are left out. */
  readonly costs: ReadonlyMap<string, number>;
}

export function lookNow(id: number, at: string, agents: readonly AgentState[]): LastLook {
  const priced = agents.filter(({ run_id, usage }) => run_id !== null && usage.cost_usd !== null);
  return { id, at, costs: new Map(priced.map(({ run_id, usage }) => [run_id ?? "", usage.cost_usd ?? 0])) };
}

export function writtenLook({ id, at, costs }: LastLook): string {
  return JSON.stringify({ id, at, costs: [...costs] });
}

/** What was written, or null where it is something else: storage is anyone's who can open the browser's tools. */
export function readLook(text: string | null): LastLook | null {
  try {
    const { id, at, costs } = JSON.parse(text ?? "") as Record<string, unknown>;
    if (typeof id !== "number" || typeof at !== "string" || Number.isNaN(Date.parse(at)) || !Array.isArray(costs)) return null;
    const pairs = costs.filter((pair): pair is [string, number] => Array.isArray(pair) && typeof pair[0] === "string" && typeof pair[1] === "number");
    return { id, at, costs: new Map(pairs) };
  } catch {
    return null;
  }
}

/** What runs have cost since: the sum of those with a price, and whether there were any without. */
export function costSince(look: LastLook, runs: readonly RunView[]): { cost_usd: number; isPartial: boolean } {
  const since = runs.filter((run) => run.last_event_id > look.id);
  const priced = since.filter(({ usage }) => usage.cost_usd !== null);
  const cost_usd = priced.reduce((sum, { run_id, usage }) => sum + Math.max(0, (usage.cost_usd ?? 0) - (look.costs.get(run_id) ?? 0)), 0);
  return { cost_usd, isPartial: priced.length < since.length };
}
