// The browser's own fetch, WebSocket and clock, in the shapes that the client asks for.

import type { Clock, Fetch, OpenSocket } from "./client/edges.ts";

export const browserFetch: Fetch = (path, init) => fetch(path, { ...init, credentials: "same-origin" });

export const browserSocket: OpenSocket = (url, handlers) => {
  const socket = new WebSocket(url);
  socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (typeof data === "string") handlers.message(data);
  });
  // An `error` says nothing of its own: a `close` always follows it.
  socket.addEventListener("close", ({ code, reason }) => handlers.close(code, reason));
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.close(),
  };
};

export const browserClock: Clock = {
  now_ms: () => Date.now(),
  after: (delay_ms, call) => {
    const timer = setTimeout(call, delay_ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

export const eachFrame = (call: () => void): void => {
  requestAnimationFrame(call);
};
