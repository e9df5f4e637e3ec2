// What a digest counts from before the stream began: only the kinds of events that it counts, the newest first, and not more
// than a person would go through.

import type { EventsPage, TownEvent } from "../protocol/protocol.ts";
import type { Digest } from "./digest.ts";
import { DIGEST_EVENTS } from "./digest.ts";
import type { Errand, PageWish } from "./errands.ts";

/** Mostly little happened: what lies before the moment is not read in vain. */
const FIRST_EVENTS = 50;
const PAGE_EVENTS = 500;
/** With so many events the digest says that there were more. */
const EVENTS_MAX = 2_000;

interface DigestWish extends PageWish {
  readonly of: Digest;
}

export interface DigestSource {
  readonly digest: Digest;
  /** The stream tells what comes behind this event; Infinity until that is known. */
  readonly begins_behind: number;
}

export class DigestPast implements Errand<DigestWish> {
  readonly #source: DigestSource;
  #of: Digest | null = null;
  /** Oldest first. */
  #found: TownEvent[] = [];

  constructor(source: DigestSource) {
    this.#source = source;
  }

  wish(): DigestWish | null {
    const { digest, begins_behind } = this.#source;
    if (digest !== this.#of) [this.#of, this.#found] = [digest, []];
    if (!digest.lacksPast || begins_behind === Infinity) return null;
    const before_id = this.#found[0]?.id ?? begins_behind + 1;
    const kinds = DIGEST_EVENTS.map((name) => `&event=${name}`).join("");
    const limit = this.#found.length === 0 ? FIRST_EVENTS : PAGE_EVENTS;
    return { agent_id: null, urgency: "soon", of: digest, query: `before_id=${before_id}&limit=${limit}${kinds}` };
  }

  take({ of }: DigestWish, page: EventsPage): void {
    // The reader has left and come back meanwhile: another digest counts.
    if (of !== this.#source.digest) return;
    const since = page.events.filter(({ id }) => id > of.after_id);
    this.#found = [...since, ...this.#found];
    const isAll = page.events.length === 0 || since.length < page.events.length;
    if (isAll || this.#found.length >= EVENTS_MAX) of.takePast(this.#found, isAll);
  }

  gone(): void {}
}
