// The first choice: a WebSocket. It alone is acknowledged, so that a slow reader is waited for and never skipped.

import { ApiFailure, failureWords } from "./api.ts";
import type { Socket } from "./edges.ts";
import type { OpenLine } from "./line.ts";
import { parseFrame, streamPath } from "./line.ts";

const PING_INTERVAL_MS = 30_000;
/** Exactly these bytes: the town answers them without waking up. */
const PING = '{"type":"ping"}';

export const openSocketLine: OpenLine = (edges, cursor, handlers) => {
  let socket: Socket | null = null;
  let closed = false;

  async function open(): Promise<void> {
    const ticket = await edges.ticket();
    if (closed) return;
    const url = edges.origin.replace(/^http/, "ws") + streamPath(ticket, cursor, "flow=ack&");
    socket = edges.openSocket(url, {
      // A socket on which nothing was ever said lingers when the town closes it.
      open: () => socket?.send(PING),
      message: (text) => {
        const frame = parseFrame(text);
        if (!closed && frame !== null && "type" in frame) handlers.frame(frame, text.length);
      },
      close: (code, reason) => {
        if (!closed) handlers.end({ kind: "closed", code, reason });
      },
    });
  }

  open().catch((thrown: unknown) => {
    if (closed) return;
    handlers.end(thrown instanceof ApiFailure ? { kind: "refused", failure: thrown } : { kind: "closed", code: 1006, reason: failureWords(thrown) });
  });
  return {
    beat_ms: PING_INTERVAL_MS,
    ping: () => {
      socket?.send(PING);
      return socket !== null;
    },
    acknowledge: (id) => socket?.send(JSON.stringify({ type: "ack", id })),
    close: () => {
      closed = true;
      socket?.close();
    },
  };
};
