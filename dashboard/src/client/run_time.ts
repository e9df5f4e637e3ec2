// A run as its rows know it: where its turns stand, and its time at work if its start was seen.

import { FailingCalls } from "./failing_calls.ts";
import { WorkClock } from "./work_clock.ts";

export class RunTime {
  readonly run_id: string;
  readonly failing = new FailingCalls();
  /** Null where the run's start was not seen. */
  readonly clock: WorkClock | null;
  isTurnOver = false;
  /** Whether a question was asked, and nothing else has happened since: a `waiting` then only waits for its answer. */
  hasAsked = false;

  constructor(run_id: string, started_ms: number | null) {
    this.run_id = run_id;
    this.clock = started_ms === null ? null : new WorkClock(started_ms);
  }
}
