// The browser's own fetch, WebSocket and clock, in the shapes that the client asks for.

import type { Clock, Fetch, OpenSocket, ReadText, TextHandlers } from "./client/edges.ts";

export const browserFetch: Fetch = (path, init) => fetch(path, { ...init, credentials: "same-origin" });

export const browserSocket: OpenSocket = (url, handlers) => {
  const socket = new WebSocket(url);
  socket.addEventListener("open", () => handlers.open());
  socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (typeof data === "string") handlers.message(data);
  });
  let ended = false;
  const end = (code: number, reason: string): void => {
    if (!ended) handlers.close(code, reason);
    ended = true;
  };
  socket.addEventListener("close", ({ code, reason }) => end(code, reason));
  // A `close` follows it in a browser, always with 1006; in Node none does where the connection never opened.
  socket.addEventListener("error", () => end(1006, ""));
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.close(),
  };
};

export const browserReadText: ReadText = (path, headers, handlers) => {
  const leaving = new AbortController();
  void read(path, headers, handlers, leaving.signal);
  return { close: () => leaving.abort() };
};

async function read(path: string, headers: Record<string, string>, handlers: TextHandlers, signal: AbortSignal): Promise<void> {
  try {
    const answer = await fetch(path, { headers, signal, credentials: "same-origin", cache: "no-store" });
    if (!signal.aborted) handlers.answered(answer.status, answer.headers);
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader?.read(); part?.done === false && !signal.aborted; part = await reader?.read()) {
      handlers.piece(part.value);
    }
  } catch {
    // Broken off, or never begun: the end says so.
  }
  if (!signal.aborted) handlers.end();
}

export const browserClock: Clock = {
  now_ms: () => Date.now(),
  after: (delay_ms, call) => {
    const timer = setTimeout(call, delay_ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** A frame that took longer than this to draw leaves the next one to what comes in: a burst that nobody can read as it passes. */
const LONG_FRAME_MS = 10;
const nextFrame: (() => void)[] = [];
let frame_ms = 0;

/** All that waits for the next frame is called in one turn, so that what it changes is drawn once. */
export const eachFrame = (call: () => void): void => {
  if (nextFrame.length === 0) requestAnimationFrame(drawFrame);
  nextFrame.push(call);
};

function drawFrame(): void {
  if (frame_ms > LONG_FRAME_MS) {
    frame_ms = 0;
    requestAnimationFrame(drawFrame);
    return;
  }
  const started_ms = performance.now();
  for (const call of nextFrame.splice(0)) {
    // One that fails does not keep the others from being called.
    try {
      call();
    } catch (thrown) {
      reportError(thrown);
    }
  }
  // The next task comes when the browser has laid out and painted.
  setTimeout(() => {
    frame_ms = performance.now() - started_ms;
  });
}

interface Doubts {
  online(): void;
  offline(): void;
  /** The page was away: a connection may have died without a word. */
  doubt(): void;
}

/** Tells of moments that a connection may not have lived through. The returned function ends it. */
export function doubtful({ online, offline, doubt }: Doubts): () => void {
  const shown = (): void => {
    if (document.visibilityState === "visible") doubt();
  };
  const returned = ({ persisted }: PageTransitionEvent): void => {
    if (persisted) doubt();
  };
  addEventListener("online", online);
  addEventListener("offline", offline);
  addEventListener("pageshow", returned);
  document.addEventListener("visibilitychange", shown);
  return () => {
    removeEventListener("online", online);
    removeEventListener("offline", offline);
    removeEventListener("pageshow", returned);
    document.removeEventListener("visibilitychange", shown);
  };
}
