// How long a run was at work, and how long it waited for a person.

/** Both in milliseconds. */
export interface WorkTime {
  readonly worked_ms: number;
  readonly waited_ms: number;
}

export class WorkClock {
  #since_ms: number;
  #isWorking = true;
  #worked_ms = 0;
  #waited_ms = 0;

  constructor(at_ms: number) {
    this.#since_ms = at_ms;
  }

  /** From now on it works, or it does not. */
  set(isWorking: boolean, at_ms: number): void {
    this.until(at_ms);
    this.#isWorking = isWorking;
  }

  until(at_ms: number): WorkTime {
    // Clocks of several machines may differ, and dates may be none.
    const passed_ms = Math.max(0, at_ms - this.#since_ms) || 0;
    if (this.#isWorking) this.#worked_ms += passed_ms;
    else this.#waited_ms += passed_ms;
    if (at_ms > this.#since_ms) this.#since_ms = at_ms;
    return { worked_ms: this.#worked_ms, waited_ms: this.#waited_ms };
  }
}
