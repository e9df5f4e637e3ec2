// Who wants to be told of something. One that fails harms nobody: the others are told all the same, and what it threw the
// first time is thrown again in a turn of its own, which whoever runs the turns reports.

/** Calls later, once, soon: `requestAnimationFrame` in the browser. */
export type Schedule = (call: () => void) => void;

type Listener<Told> = (told: Told) => void;

export class Listeners<Told> {
  readonly #schedule: Schedule;
  readonly #all = new Set<Listener<Told>>();
  readonly #failed = new WeakSet<Listener<Told>>();

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  /** The returned function ends it. */
  add(listener: Listener<Told>): () => void {
    this.#all.add(listener);
    return () => {
      this.#all.delete(listener);
    };
  }

  tell(told: Told): void {
    const thrown: unknown[] = [];
    // A copy: who is told may begin or end to listen.
    for (const listener of [...this.#all]) {
      try {
        listener(told);
      } catch (failure) {
        if (!this.#failed.has(listener)) thrown.push(failure);
        this.#failed.add(listener);
      }
    }
    for (const failure of thrown) {
      this.#schedule(() => {
        throw failure;
      });
    }
  }
}
