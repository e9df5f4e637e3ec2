// Where a town's stream stands, and how to say so.

export type ConnectionState =
  | { readonly kind: "connecting" }
  /** History is coming in: the newest id seen, and where it ends. */
  | { readonly kind: "catching_up"; readonly id: number; readonly head: number }
  | { readonly kind: "live" }
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
      return `Catching up ${number.format(state.id)} / ${number.format(state.head)}`;
    case "live":
      return "Live";
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
