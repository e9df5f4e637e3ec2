// The same call, failing again and again: an agent that does not get on. The town counts the same way.

/** From so many failures on it is a loop that a person should see. */
export const LOOP_MIN = 3;
/** So many other calls in a row are other work: what failed before them is forgotten. */
const OTHER_CALLS_MAX = 10;
/** Calls of an agent that are told apart; the oldest go. */
const CALLS_MAX = 4;

interface Failing {
  readonly call: string;
  count: number;
  /** Other calls since it was last made. */
  others: number;
}

export class FailingCalls {
  #failing: Failing[] = [];

  /** Whether any call has failed of late: if none has, nobody has to name the next one. */
  get any(): boolean {
    return this.#failing.length > 0;
  }

  /** A call begins; to all others it is other work. */
  begin(call: string): void {
    for (const one of this.#failing) one.others = one.call === call ? 0 : one.others + 1;
    this.#failing = this.#failing.filter(({ others }) => others < OTHER_CALLS_MAX);
  }

  /** How often it has failed in a row now, 0 after a success. */
  end(call: string, success: boolean): number {
    const count = success ? 0 : (this.#failing.find((one) => one.call === call)?.count ?? 0) + 1;
    this.#failing = this.#failing.filter((one) => one.call !== call);
    if (count > 0) this.#failing = [...this.#failing, { call, count, others: 0 }].slice(-CALLS_MAX);
    return count;
  }
}
