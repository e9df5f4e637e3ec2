// Looks for a text in what the stream cut short: fetches the events whole, a few at a time, and puts those that have it
// into the log. Of the others only their ids are remembered.

import type { TownEvent } from "../protocol/protocol.ts";
import type { Api } from "./api.ts";
import type { EventLog } from "./event_log.ts";
import { eventCharacters } from "./event_size.ts";
import { wholeEvent } from "./history.ts";
import type { Search } from "./search.ts";

/** Events that are fetched at the same time; one has at most a megabyte. */
const FETCHES_MAX = 4;
/** Found events are shown so many at a time: each time all rows are made anew. */
const SHOWN_TOGETHER = 16;
/** With so much found the look ends: a text that is everywhere would bring the whole log into the tab. */
const FOUND_CHARACTERS_MAX = 32 * 1024 * 1024;

export interface WholeSearch {
  readonly api: Api;
  readonly town_id: string;
  readonly log: EventLog;
  readonly search: Search;
  /** Told of each event that was looked at; `has` says whether it has the text, null where the log has it no more. */
  readonly looked: (event_id: number, has: boolean | null) => void;
  readonly isOver: () => boolean;
}

/** False where it ended before all events were looked at. What can not be fetched is thrown once all others are shown. */
export async function searchWhole(events: readonly TownEvent[], { api, town_id, log, search, looked, isOver }: WholeSearch): Promise<boolean> {
  let next = 0;
  let found: TownEvent[] = [];
  let found_characters = 0;
  let failure: unknown = null;
  const hasEnough = (): boolean => found_characters >= FOUND_CHARACTERS_MAX;

  function show(): void {
    if (found.length > 0) log.insert(found, null);
    found = [];
  }

  async function look(): Promise<void> {
    while (failure === null && !isOver() && !hasEnough()) {
      const event = events[next];
      next += 1;
      if (event === undefined) return;
      const whole = await wholeEvent(api, town_id, event.id);
      if (isOver()) return;
      const has = whole === null ? null : search.hasEvent(whole);
      looked(event.id, has);
      if (whole === null || has !== true) continue;
      found.push(whole);
      found_characters += eventCharacters(whole);
      if (found.length >= SHOWN_TOGETHER) show();
    }
  }

  const looks = Array.from({ length: FETCHES_MAX }, () =>
    look().catch((thrown: unknown) => {
      failure ??= thrown;
    }),
  );
  await Promise.all(looks);
  show();
  if (failure !== null) throw failure;
  return next >= events.length && !isOver() && !hasEnough();
}
