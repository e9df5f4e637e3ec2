// The second choice, for where WebSockets do not get through: an event stream, read with `fetch` and not with
// `EventSource`, which hides the status of a refusal and comes back by its own clock.

import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { TownEvent } from "../protocol/protocol.ts";
import { ApiFailure, failureOf, failureWords, retryAfter_ms } from "./api.ts";
import type { Reading } from "./edges.ts";
import type { OpenLine } from "./line.ts";
import { parseFrame, streamPath } from "./line.ts";

/** The server says `heartbeat` so often. */
const HEARTBEAT_MS = 10_000;

export const openEventLine: OpenLine = (edges, cursor, handlers) => {
  let reading: Reading | null = null;
  let closed = false;
  /** What the answer says where it is a refusal. */
  let refusal: { status: number; retry_after_ms: number; text: string } | null = null;
  let arrived: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => arrived.push(message) });

  function piece(text: string): void {
    if (refusal !== null) refusal.text += text;
    else take(text);
  }

  /** Events of one piece are handed on together. */
  function take(text: string): void {
    let events: TownEvent[] = [];
    let characters = 0;
    const handOn = (): void => {
      if (events.length > 0 && !closed) handlers.frame({ type: "events", events, backfill: false }, characters);
      [events, characters] = [[], 0];
    };
    parser.feed(text);
    const messages = arrived;
    arrived = [];
    for (const { event: name, data } of messages) {
      const parsed = parseFrame(data);
      if (parsed === null) continue;
      if ("event" in parsed && parsed.event === name && typeof parsed.id === "number") {
        events.push(parsed);
        characters += data.length;
      } else if ("type" in parsed) {
        handOn();
        if (!closed) handlers.frame(parsed, data.length);
      }
    }
    handOn();
  }

  function end(): void {
    if (refusal === null) return handlers.end({ kind: "closed", code: 1006, reason: "" });
    handlers.end({ kind: "refused", failure: failureOf(refusal.status, refusal.text, refusal.retry_after_ms) });
  }

  async function open(): Promise<void> {
    const ticket = await edges.ticket();
    if (closed) return;
    reading = edges.readText(streamPath(ticket, cursor), { accept: "text/event-stream" }, {
      answered: (status, headers) => {
        const retry_after_ms = retryAfter_ms(headers.get("retry-after"), edges.clock.now_ms());
        if (status !== 200) refusal = { status, retry_after_ms, text: "" };
      },
      piece: (text) => {
        if (!closed) piece(text);
      },
      end: () => {
        if (!closed) end();
      },
    });
  }

  open().catch((thrown: unknown) => {
    if (closed) return;
    handlers.end(thrown instanceof ApiFailure ? { kind: "refused", failure: thrown } : { kind: "closed", code: 1006, reason: failureWords(thrown) });
  });
  return {
    beat_ms: HEARTBEAT_MS,
    ping: () => false,
    acknowledge: () => {},
    close: () => {
      closed = true;
      reading?.close();
    },
  };
};
