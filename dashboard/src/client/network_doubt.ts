// Whether a connection is believed after the browser said something of its network. A socket that looks open may be dead,
// and one that looks dead may work: localhost needs no network. So what the browser says holds until something is heard.

import type { ConnectionState } from "./connection.ts";

/** What comes so soon after the browser said that the network is gone was under way before. */
export const UNDER_WAY_MS = 1_000;

export class NetworkDoubt {
  #shown: ConnectionState | null = null;
  /** A sign of life counts from this moment on. */
  #counts_from_ms = 0;

  get isThere(): boolean {
    return this.#shown !== null;
  }

  /** The network has just gone. */
  gone(now_ms: number): void {
    [this.#shown, this.#counts_from_ms] = [{ kind: "offline" }, now_ms + UNDER_WAY_MS];
  }

  /** A connection was lost where there is no network. */
  lost(now_ms: number): void {
    [this.#shown, this.#counts_from_ms] = [{ kind: "offline" }, now_ms];
  }

  /** The network is back, and who seems to be there was asked. */
  asked(now_ms: number): void {
    [this.#shown, this.#counts_from_ms] = [{ kind: "connecting" }, now_ms];
  }

  end(): void {
    this.#shown = null;
  }

  /** A sign of life came; true where it ended the doubt. */
  heard(now_ms: number): boolean {
    if (this.#shown === null || now_ms < this.#counts_from_ms) return false;
    this.#shown = null;
    return true;
  }

  /** What to say instead of where the connection seems to stand. */
  instead(state: ConnectionState): ConnectionState {
    return this.#shown ?? state;
  }
}
