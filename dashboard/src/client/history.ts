// Fetches what a tab has only in part: what a gap left out, and events whole.

import type { EventsPage, Gap, TownEvent } from "../protocol/protocol.ts";
import type { Api } from "./api.ts";
import { ApiFailure } from "./api.ts";
import type { EventLog } from "./event_log.ts";

const PAGE_EVENTS = 500;

export interface Whose {
  readonly api: Api;
  readonly town_id: string;
  readonly agent_id: string;
  readonly log: EventLog;
}

/** Fetches what a gap left out and puts it in its place; what the log has pruned meanwhile stays a gap that says so. */
export async function fillGap({ api, town_id, agent_id, log }: Whose, gap: Gap): Promise<void> {
  const found: TownEvent[] = [];
  for (let after_id = gap.from - 1; after_id < gap.to; ) {
    const page: EventsPage = await api.agentEvents(town_id, agent_id, `after_id=${after_id}&limit=${PAGE_EVENTS}`);
    found.push(...page.events.filter((event) => event.id <= gap.to));
    if (page.events.length === 0 || page.next_after_id <= after_id) break;
    after_id = page.next_after_id;
  }
  // The agent is gone meanwhile, or the log has begun anew.
  if (!log.gaps.includes(gap)) return;
  if (found.length > 0) log.insert(found, gap);
  else log.lose(gap);
}

/** The event whole, as the log has it; null where the log has it no more. */
export async function wholeEvent(api: Api, town_id: string, id: number): Promise<TownEvent | null> {
  try {
    return await api.event(town_id, id);
  } catch (failure) {
    if (failure instanceof ApiFailure && failure.status === 404) return null;
    throw failure;
  }
}
