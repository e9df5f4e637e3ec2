// The past of one log: what lies before the event behind which the stream began. It is fetched backwards, so that the newest
// is there first: the first page is short, for somebody waits for it, and the rest comes while nothing else is under way, up
// to what a tab keeps. Beyond that it comes when it is asked for.
//
// Each time events are put in, all rows are made anew. So pages wait until they are as many as what is there: then a log
// of any length costs each of its rows about twice.

import type { EventsPage, Gap, TownEvent } from "../protocol/protocol.ts";
import type { Errand, PageWish } from "./errands.ts";
import type { EventLog } from "./event_log.ts";
import { eventCharacters } from "./event_size.ts";

const FIRST_EVENTS = 100;
const PAGE_EVENTS = 500;

interface PastWish extends PageWish {
  readonly life: number;
  readonly limit: number;
  /** The page ends before this event; null where it is the log's beginning. */
  readonly before_id: number | null;
}

/**
 * - `whole`: nothing is missing that the town still has;
 * - `coming`: it is being fetched, or will be;
 * - `partial`: more is there, and comes when it is asked for.
 */
export type PastStanding = "whole" | "coming" | "partial";

export class LogPast implements Errand<PastWish> {
  readonly log: EventLog;
  readonly #agent_id: string | null;
  #lookers = 0;
  /** Somebody asked for this event, and so for all that is behind it. */
  #asked_id: number | null = null;
  #life: number;
  /** Fetched and not in the log yet, oldest first. */
  #pending: TownEvent[] = [];
  #pending_characters = 0;
  /** Whether some of them are being put in, and whether they are the last. */
  #puttingIn: "none" | "some" | "last" = "none";
  readonly #shown: () => void;
  #hasFirst = false;
  /** A page was not full: the log's beginning tells whether there is more, and what was before that. */
  #nears: "unknown" | "beginning" | "nothing" = "unknown";

  /** `shown` is called each time something was put in. */
  constructor(agent_id: string | null, log: EventLog, shown: () => void) {
    [this.#agent_id, this.log, this.#life, this.#shown] = [agent_id, log, log.life, shown];
  }

  /** Somebody looks. The returned function ends it. */
  look(): () => void {
    this.#lookers += 1;
    return () => {
      this.#lookers -= 1;
      this.#show();
    };
  }

  /** Somebody waits for this event. */
  ask(id: number): void {
    this.#asked_id = Math.min(this.#asked_id ?? Infinity, id);
  }

  askNoMore(): void {
    this.#show();
    this.#asked_id = null;
  }

  /** Whether the log has all from this event on that the town has. */
  has(id: number): boolean {
    return this.log.begins_behind < id || !this.log.lacksEarlier;
  }

  /** How far back all is here: behind this event. */
  get begins_behind(): number {
    if (this.#life !== this.log.life) {
      this.#life = this.log.life;
      [this.#puttingIn, this.#hasFirst, this.#nears] = ["none", false, "unknown"];
      this.#wait([]);
    }
    const [oldest] = this.#pending;
    return oldest === undefined ? this.log.begins_behind : oldest.id - 1;
  }

  get standing(): PastStanding {
    const behind = this.begins_behind;
    if (behind === 0) return "whole";
    return behind === Infinity || this.#pending.length > 0 || this.#puttingIn !== "none" || this.#room() > 0 ? "coming" : "partial";
  }

  wish(): PastWish | null {
    const behind = this.begins_behind;
    if (behind === 0 || behind === Infinity || this.#puttingIn === "last") return null;
    const isAsked = this.#isAsked();
    const room = this.#room();
    if (room <= 0 || (!isAsked && this.#lookers === 0)) return null;
    const urgency = isAsked ? "asked" : this.#hasFirst ? "idle" : "first";
    const wish = { agent_id: this.#agent_id, urgency, life: this.#life } as const;
    if (this.#nears !== "unknown") return { ...wish, limit: 1, before_id: null, query: "after_id=0&limit=1" };
    const limit = Math.min(room, urgency === "first" ? FIRST_EVENTS : PAGE_EVENTS);
    return { ...wish, limit, before_id: behind + 1, query: `before_id=${behind + 1}&limit=${limit}` };
  }

  #isAsked(): boolean {
    return this.#asked_id !== null && this.begins_behind >= this.#asked_id;
  }

  /** Events that there is room for. What a tab had to let go of does not come back by itself. */
  #room(): number {
    if (this.#isAsked()) return PAGE_EVENTS;
    if (this.log.hasDropped) return 0;
    return this.log.roomBeside({ events: this.#pending.length, characters: this.#pending_characters });
  }

  take(wish: PastWish, page: EventsPage): void {
    const behind = this.begins_behind;
    // Something was taken out of the log meanwhile: the page may have it, or may not go on where the log begins now.
    if (wish.life !== this.#life) return;
    const earlier = page.events.filter(({ id }) => id <= behind);
    if (wish.before_id === null) {
      const isMore = earlier.length > 0 && this.#nears === "beginning";
      this.#nears = "unknown";
      return isMore ? undefined : this.#end(page.gaps);
    }
    this.#hasFirst = true;
    this.#wait([...earlier, ...this.#pending]);
    if (earlier.length < wish.limit) this.#nears = earlier.length > 0 ? "beginning" : "nothing";
    this.#showEnough();
  }

  #wait(pending: TownEvent[]): void {
    this.#pending = pending;
    this.#pending_characters = pending.reduce((sum, event) => sum + eventCharacters(event), 0);
  }

  #showEnough(): void {
    const isEnough = this.#pending.length >= this.log.event_count && this.#nears === "unknown";
    const isAwaited = this.#asked_id !== null && !this.#isAsked();
    if (isEnough || isAwaited || this.wish() === null) this.#show();
  }

  gone(wish: PastWish): void {
    if (wish.life === this.log.life) this.#end([]);
  }

  /** Puts in what was fetched. */
  #show(): void {
    const behind = this.begins_behind;
    if (this.#pending.length > 0 && this.#puttingIn === "none") this.#putIn(behind, []);
  }

  /** The town has nothing before what is here; of each agent that it lost something of, that is said. */
  #end(gaps: readonly Gap[]): void {
    const first_ids = new Map<string, number>();
    for (const { agent_id, id } of [...this.#pending, ...this.log.events()]) {
      if (id < (first_ids.get(agent_id) ?? Infinity)) first_ids.set(agent_id, id);
    }
    // What the town lost since it was fetched is here.
    const before = gaps.map((gap) => clipped(gap, first_ids.get(gap.agent_id) ?? Infinity));
    this.log.finishInserting();
    this.#putIn(0, before.filter(({ from, to }) => from <= to));
  }

  #putIn(begins_behind: number, gaps: readonly Gap[]): void {
    const pending = this.#pending;
    this.#puttingIn = begins_behind === 0 ? "last" : "some";
    if (this.#asked_id !== null) this.log.makeRoomFor(pending);
    this.log.insertEarlier(pending, begins_behind, gaps, () => {
      // What was fetched meanwhile stands before it.
      this.#wait(this.#pending.slice(0, this.#pending.length - pending.length));
      this.#puttingIn = "none";
      this.#showEnough();
      this.#shown();
    });
  }
}

function clipped(gap: Gap, first_id: number): Gap {
  if (gap.to < first_id) return gap;
  const { count: _, ...rest } = gap;
  return { ...rest, to: first_id - 1 };
}
