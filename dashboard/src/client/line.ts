// A line: one connection to a town's stream by one of three transports. What comes over it are the protocol's frames,
// whichever it is, so that nothing above knows the difference.

import type { AgentState, EventsPage, ServerFrame, TicketView, TownEvent } from "../protocol/protocol.ts";
import type { ApiFailure } from "./api.ts";
import type { Clock, OpenSocket, ReadText } from "./edges.ts";
import { keepSources } from "./event_source.ts";

export type Transport = "web_socket" | "event_stream" | "long_poll";

/** Where a viewer is: after this event of this life of the log. */
export interface Cursor {
  readonly epoch: string;
  readonly after_id: number;
}

export interface LineHandlers {
  /** A frame, and how many characters it had. */
  frame(frame: ServerFrame, characters: number): void;
  /** Once, unless it was closed from here. */
  end(end: LineEnd): void;
}

export type LineEnd =
  /** The server refused: by the answer to a request. */
  | { readonly kind: "refused"; readonly failure: ApiFailure }
  /** It was there, or was to be: a WebSocket's code, 1006 where it only broke off. */
  | { readonly kind: "closed"; readonly code: number; readonly reason: string };

export interface Line {
  /** A sign of life comes at least this often, by itself or as an answer to `ping`. */
  readonly beat_ms: number;
  /** Asks for a sign of life; false where nobody can be asked. */
  ping(): boolean;
  /** Says that everything up to here has come; only a WebSocket needs to hear it. */
  acknowledge(id: number): void;
  close(): void;
}

/** What lines are made of. */
export interface LineEdges {
  /** A fresh ticket; tickets are single-use, so each line asks for its own. */
  ticket(): Promise<TicketView>;
  openSocket: OpenSocket;
  readText: ReadText;
  /** The events behind a cursor; without one none, and where the log ends. */
  eventsAfter(cursor: Cursor | null, wait_ms: number): Promise<EventsPage>;
  agents(): Promise<AgentState[]>;
  clock: Clock;
  /** `http://host` or `https://host`, as the page has it. */
  origin: string;
}

/** Who has no cursor yet begins at the live end. */
export type OpenLine = (edges: LineEdges, cursor: Cursor | null, handlers: LineHandlers) => Line;

/** A cursor as the query of a stream or a page has it. */
export function cursorQuery(cursor: Cursor | null): string {
  return cursor === null ? "tail=0" : `after_id=${cursor.after_id}&epoch=${encodeURIComponent(cursor.epoch)}`;
}

/** A ticket's path with the cursor in its query. */
export function streamPath(ticket: TicketView, cursor: Cursor | null, query = ""): string {
  return `${ticket.url}${ticket.url.includes("?") ? "&" : "?"}${query}${cursorQuery(cursor)}`;
}

/** A text as a frame, or as an event where the line has events apart; null where it is neither. */
export function parseFrame(text: string): ServerFrame | TownEvent | null {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null) return null;
    if ("event" in parsed) keepSources(text, parsed, []);
    else if ("events" in parsed) keepSources(text, parsed, ["events"]);
    return parsed as ServerFrame | TownEvent;
  } catch {
    return null;
  }
}
