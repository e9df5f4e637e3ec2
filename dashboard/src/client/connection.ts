// Where a town's stream stands, and how to say so.

import type { Transport } from "./line.ts";
import { durationWords } from "./sentences.ts";

export type ConnectionState =
  | { readonly kind: "connecting" }
  /** History is coming in: how much of the log between where it began and the head is there. */
  | { readonly kind: "catching_up"; readonly done: number; readonly total: number }
  | { readonly kind: "live"; readonly transport: Transport }
  /** Open by all appearance, but nothing was heard since then: it may be dead. */
  | { readonly kind: "stale"; readonly since_ms: number }
  /** Waits for attempt number `attempt`, which begins at `retry_at_ms`. */
  | { readonly kind: "reconnecting"; readonly attempt: number; readonly retry_at_ms: number; readonly reason: string }
  | { readonly kind: "offline" }
  /** The town ended the stream on purpose. */
  | { readonly kind: "ended" }
  /** Trying again would not help: the HTTP status and what it said. */
  | { readonly kind: "denied"; readonly status: number; readonly code: string; readonly message: string };

const number = new Intl.NumberFormat("en");

/** A few words for the page's head. */
export function connectionWords(state: ConnectionState, now_ms: number): string {
  switch (state.kind) {
    case "connecting":
      return "Connecting";
    case "catching_up":
      return `Catching up (${number.format(state.done)} / ${number.format(state.total)})`;
    case "live":
      return "Live";
    case "stale":
      return `Stale (silent for ${durationWords(now_ms - state.since_ms)})`;
    case "reconnecting": {
      const seconds = Math.ceil((state.retry_at_ms - now_ms) / 1000);
      const when = seconds > 0 ? `in ${seconds} s` : "now";
      return `Reconnecting (attempt ${state.attempt}, ${when})`;
    }
    case "offline":
      return "Offline";
    case "ended":
      return "Ended";
    case "denied":
      if (state.status === 401) return "Signed out";
      return state.status === 404 ? "No such town" : "Not allowed";
  }
}

const transportWords: Readonly<Record<Transport, string>> = {
  web_socket: "over a WebSocket",
  event_stream: "over an event stream, because no WebSocket gets through",
  long_poll: "by asking again and again, because no WebSocket and no event stream gets through",
};

/** More than the few words, for who wants to know. */
export function connectionDetail(state: ConnectionState): string | null {
  switch (state.kind) {
    case "live":
      return `Everything up to now is here, and more comes ${transportWords[state.transport]}.`;
    case "catching_up":
      return "What happened before is coming in.";
    case "stale":
      return "The connection looks open, but the town has not answered.";
    case "reconnecting":
      return state.reason;
    case "offline":
      return "The browser has no network.";
    case "denied":
      return state.message;
    default:
      return null;
  }
}
