// What is fetched beside the stream, and in which order: what somebody waits for, then the newest of what is looked at, then
// the rest while nothing else is under way.

import type { EventsPage } from "../protocol/protocol.ts";

/** In this order. */
export const URGENCIES = ["asked", "first", "soon", "idle"] as const;
export type Urgency = (typeof URGENCIES)[number];

/** Pages that are under way at once. */
export const PAGES_MAX = 2;

/** A page that is wanted. */
export interface PageWish {
  /** Whose; null for the whole town. */
  readonly agent_id: string | null;
  /** As PROTOCOL.md has it. */
  readonly query: string;
  readonly urgency: Urgency;
}

/** Something that is fetched page by page, one after the other. */
export interface Errand<Wish extends PageWish = PageWish> {
  /** The next page that it wants; null while it wants none. */
  wish(): Wish | null;
  /** A page that it wished for, of the life of the log that the stream follows. */
  take(wish: Wish, page: EventsPage): void;
  /** There is nobody of whom it wished a page. */
  gone(wish: Wish): void;
}

interface Waiting {
  readonly wish: PageWish;
  /** Not before: it failed, or a frame is drawn first. */
  readonly due_ms: number;
}

/** Which of those that wait is next, where there is room beside those that are under way; null where none is. */
export function nextErrand<One extends Waiting>(waiting: readonly One[], under_way: readonly Urgency[], now_ms: number): One | null {
  if (under_way.length >= PAGES_MAX) return null;
  const isBusy = under_way.length > 0;
  // What nobody waits for takes nothing away from what somebody does.
  const may = waiting.filter(({ wish, due_ms }) => due_ms <= now_ms && !(isBusy && (wish.urgency === "idle" || wish.urgency === "soon")));
  const rank = ({ wish }: One): number => URGENCIES.indexOf(wish.urgency);
  return may.reduce<One | null>((best, one) => (best === null || rank(one) < rank(best) ? one : best), null);
}
