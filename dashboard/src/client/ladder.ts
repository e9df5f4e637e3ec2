// Which transport to try next. A WebSocket that fails to open again and again, while the town answers, is taken as one
// that something on the way does not let through: then an event stream, then long poll; and later a WebSocket again.

import type { Transport } from "./line.ts";

const RUNGS: readonly Transport[] = ["web_socket", "event_stream", "long_poll"];
/** Failures in a row before the next transport: one alone may be a restart of the town. */
const FAILURES_MAX = 2;
/** So long a lower rung is kept; then a WebSocket is tried, once. */
export const RETURN_MS = 5 * 60_000;

export class Ladder {
  #rung = 0;
  #failures = 0;
  #left_at_ms = 0;

  /** What to try now. */
  transport(now_ms: number): Transport {
    if (this.#rung > 0 && now_ms >= this.#left_at_ms + RETURN_MS) {
      this.#rung = 0;
      // One failure, and it is where it was.
      this.#failures = FAILURES_MAX - 1;
    }
    return RUNGS[this.#rung] ?? "web_socket";
  }

  /** It opened. */
  opened(): void {
    this.#failures = 0;
  }

  /** It did not open, though the town is there. */
  failed(now_ms: number): void {
    this.#failures += 1;
    if (this.#failures < FAILURES_MAX) return;
    this.#failures = 0;
    this.#left_at_ms = now_ms;
    // Where even long poll does not work, nothing does: from the top.
    this.#rung = (this.#rung + 1) % RUNGS.length;
  }
}
