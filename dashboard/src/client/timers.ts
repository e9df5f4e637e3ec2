// Timers that are cancelled together.

import type { Clock } from "./edges.ts";

export class Timers {
  readonly #clock: Clock;
  #cancels: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one has still to fire. */
  get arePending(): boolean {
    return this.#cancels.length > 0;
  }

  after(delay_ms: number, call: () => void): void {
    const cancel = this.#clock.after(delay_ms, () => {
      this.#cancels = this.#cancels.filter((other) => other !== cancel);
      call();
    });
    this.#cancels.push(cancel);
  }

  cancelAll(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
  }
}
