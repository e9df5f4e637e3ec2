// Tells views that something changed, at most once per frame: a burst of a thousand events is one rendering.

import type { Schedule } from "./listeners.ts";
import { Listeners } from "./listeners.ts";

export class Changes {
  readonly #schedule: Schedule;
  readonly #listeners: Listeners<undefined>;
  #scheduled = false;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.#listeners = new Listeners(schedule);
  }

  touch(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      this.#listeners.tell(undefined);
    });
  }

  /** The returned function ends it. */
  listen(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }
}
