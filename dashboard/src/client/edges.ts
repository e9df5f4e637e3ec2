// What the client needs from the world, handed in by whoever starts it: the browser gives the real ones
// (../browser.ts), tests give small ones that they steer.

/** The part of `fetch` that is used; the browser's own fits as it is. */
export type Fetch = (
  path: string,
  init: { method: string; headers: Record<string, string>; body?: string },
) => Promise<FetchAnswer>;

export interface FetchAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/** Opens a WebSocket; the handlers are never called before this returned. */
export type OpenSocket = (url: string, handlers: SocketHandlers) => Socket;

export interface SocketHandlers {
  /** Once, before the first message. */
  open(): void;
  message(text: string): void;
  /** Once, whatever ended it; 1006 where there was no close frame. */
  close(code: number, reason: string): void;
}

export interface Socket {
  send(text: string): void;
  close(): void;
}

/** Reads an answer piece by piece as it comes; the handlers are never called before this returned. */
export type ReadText = (path: string, headers: Record<string, string>, handlers: TextHandlers) => Reading;

export interface TextHandlers {
  /** Before the first piece, with any status. */
  answered(status: number, headers: { get(name: string): string | null }): void;
  piece(text: string): void;
  /** Once, unless it was closed: at its end, or where it broke off. */
  end(): void;
}

export interface Reading {
  close(): void;
}

/** Time and chance, so that tests decide both. */
export interface Clock {
  now_ms(): number;
  /** Calls once; the returned function cancels. */
  after(delay_ms: number, call: () => void): () => void;
  /** In [0, 1). */
  random(): number;
}
