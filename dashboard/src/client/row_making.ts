// All rows of a log made anew, some at a time, so that a hundred thousand of them hold up no frame. What is shown meanwhile
// stays as it is.

import type { Gap, TownEvent } from "../protocol/protocol.ts";
import type { Bounds } from "./rows.ts";
import { Rows } from "./rows.ts";

/** Made in one go: a few milliseconds. */
const SLICE_EVENTS = 2_000;

export class RowMaking {
  readonly rows: Rows;
  readonly #steps: readonly (TownEvent | Gap)[];
  #next = 0;
  /** What the stream brought since it began. */
  readonly #late: TownEvent[] = [];

  constructor(bounds: Bounds, events: readonly TownEvent[], gaps: readonly Gap[]) {
    this.rows = new Rows(bounds);
    const place = (step: TownEvent | Gap): number => ("from" in step ? step.from - 0.5 : step.id);
    this.#steps = [...gaps, ...events].sort((one, other) => place(one) - place(other));
  }

  append(event: TownEvent): void {
    this.#late.push(event);
  }

  /** Makes some; whether all are made. */
  makeSome(): boolean {
    const end = Math.min(this.#next + SLICE_EVENTS, this.#steps.length);
    for (; this.#next < end; this.#next += 1) {
      const step = this.#steps[this.#next];
      if (step === undefined) break;
      if ("from" in step) this.rows.appendGap(step);
      else this.rows.append(step);
    }
    if (this.#next < this.#steps.length) return false;
    for (const event of this.#late.splice(0)) this.rows.append(event);
    return true;
  }

  makeAll(): void {
    while (!this.makeSome());
  }
}
