// What a digest counts from before the stream began: only the kinds of events that it counts. Mostly they are few, and one
// page behind the last look has them all; the town looks through no more of its log for that. Of more the newest count, and
// not more of them than a person would go through.

import type { EventsPage, TownEvent } from "../protocol/protocol.ts";
import type { Digest } from "./digest.ts";
import { DIGEST_EVENTS } from "./digest.ts";
import type { Errand, PageWish } from "./errands.ts";

const PAGE_EVENTS = 500;
/** With so many events the digest says that there were more. */
const EVENTS_MAX = 2_000;
const KINDS = DIGEST_EVENTS.map((name) => `&event=${name}`).join("");

interface DigestWish extends PageWish {
  readonly of: Digest;
  readonly isFirst: boolean;
}

export interface DigestSource {
  readonly digest: Digest;
  /** The stream tells what comes behind this event; Infinity until that is known. */
  readonly begins_behind: number;
}

export class DigestPast implements Errand<DigestWish> {
  readonly #source: DigestSource;
  #of: Digest | null = null;
  /** The first page, behind the last look; null until it is here. */
  #oldest: readonly TownEvent[] | null = null;
  /** Where that did not have all: from the newest backwards, oldest first. */
  #newest: readonly TownEvent[] = [];

  constructor(source: DigestSource) {
    this.#source = source;
  }

  wish(): DigestWish | null {
    const { digest, begins_behind } = this.#source;
    if (digest !== this.#of) [this.#of, this.#oldest, this.#newest] = [digest, null, []];
    if (!digest.lacksPast || begins_behind === Infinity) return null;
    const isFirst = this.#oldest === null;
    const at = isFirst ? `after_id=${digest.after_id}` : `before_id=${this.#newest[0]?.id ?? begins_behind + 1}`;
    return { agent_id: null, urgency: "soon", of: digest, isFirst, query: `${at}&limit=${PAGE_EVENTS}${KINDS}` };
  }

  take({ of, isFirst }: DigestWish, page: EventsPage): void {
    // The reader has left and come back meanwhile: another digest counts.
    if (of !== this.#source.digest) return;
    // The stream tells the others.
    const past = page.events.filter(({ id }) => id <= this.#source.begins_behind);
    if (isFirst) {
      this.#oldest = past;
      // That a page is not full proves nothing, for large events fill one early.
      if (page.next_after_id >= this.#source.begins_behind) of.takePast(past, true);
      return;
    }
    const joint = this.#oldest?.at(-1)?.id ?? 0;
    this.#newest = [...past.filter(({ id }) => id > joint), ...this.#newest];
    if ((past[0]?.id ?? 0) <= joint) of.takePast([...(this.#oldest ?? []), ...this.#newest], true);
    else if (this.#newest.length >= EVENTS_MAX) of.takePast(this.#newest, false);
  }

  gone(): void {}
}
