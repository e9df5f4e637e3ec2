// Tells views that something changed, at most once per frame: a burst of a thousand events is one rendering.

/** Calls later, once, soon: `requestAnimationFrame` in the browser. */
export type Schedule = (call: () => void) => void;

export class Changes {
  readonly #schedule: Schedule;
  readonly #listeners = new Set<() => void>();
  #scheduled = false;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  touch(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  /** The returned function ends it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
