// The sockets of a town: what was stored goes out in frames that all viewers of a selection share.

import type { Frame } from "./ingest.ts";
import type { Store } from "./store.ts";

const FRAME_CHARS_MAX = 64 << 10;
const FRAME_EVENTS_MAX = 250;
/** Live frames leave at least so far apart. */
const PACE_MS = 20;
/** The tag of those that watch the whole town; others have their agent's id. */
export const WHOLE_TOWN = "*";

export class Viewers {
  #ctx: DurableObjectState;
  #store: Store;
  /** What the pace holds back; all of it lies in the log already. */
  #held: Frame[] = [];
  #sent_at = 0;
  #hasTimer = false;

  constructor(ctx: DurableObjectState, store: Store) {
    [this.#ctx, this.#store] = [ctx, store];
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('{"type":"ping"}', '{"type":"pong"}'));
  }

  publish(events: Frame[]) {
    if (events.length === 0) return;
    this.#held.push(...events);
    const wait_ms = this.#sent_at + PACE_MS - Date.now();
    if (wait_ms <= 0) return this.flush();
    if (this.#hasTimer) return;
    this.#hasTimer = true;
    setTimeout(() => {
      this.#hasTimer = false;
      this.flush();
    }, wait_ms);
  }

  flush() {
    const events = this.#held;
    if (events.length === 0) return;
    this.#held = [];
    this.#sent_at = Date.now();
    this.#send(this.#ctx.getWebSockets(WHOLE_TOWN), events);
    for (const [agent_id, own] of Map.groupBy(events, ({ agent_id }) => agent_id)) this.#send(this.#ctx.getWebSockets(agent_id), own);
  }

  #send(sockets: WebSocket[], events: Frame[]) {
    if (sockets.length === 0) return;
    for (const text of framesOf(events, false)) {
      for (const socket of sockets) {
        try {
          socket.send(text);
          this.#store.frames += 1;
        } catch {
          // It is closing; the runtime tells that next.
        }
      }
    }
  }

  /** Takes a socket in; what it missed is read from the log and sent first. Gives the client's end. */
  accept({ agent_id, after, hello }: { agent_id: string | null; after: number; hello: string }, head: number): WebSocket {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, [agent_id ?? WHOLE_TOWN]);
    server.send(hello);
    const [states, events] =
      agent_id === null
        ? [this.#store.all<{ state: string }>("SELECT state FROM agents ORDER BY agent_id"), this.#store.each<Frame>("SELECT frame FROM agent_events WHERE id > ? ORDER BY id", after)]
        : [
            this.#store.all<{ state: string }>("SELECT state FROM agents WHERE agent_id = ?", agent_id),
            this.#store.each<Frame>("SELECT frame FROM agent_events WHERE agent_id = ? AND id > ? ORDER BY id", agent_id, after),
          ];
    for (const { state } of states) server.send(`{"type":"state","agent":${state}}`);
    for (const text of framesOf(events, true)) server.send(text);
    server.send(`{"type":"caught_up","id":${head}}`);
    return client;
  }
}

function* framesOf(events: Iterable<Pick<Frame, "frame">>, isHistory: boolean): Generator<string> {
  const tail = `],"backfill":${isHistory}}`;
  let [text, count] = ["", 0];
  for (const { frame } of events) {
    if (count === FRAME_EVENTS_MAX || (count > 0 && text.length + 1 + frame.length + tail.length > FRAME_CHARS_MAX)) {
      yield text + tail;
      [text, count] = ["", 0];
    }
    text += (count === 0 ? '{"type":"events","events":[' : ",") + frame;
    count += 1;
  }
  if (count > 0) yield text + tail;
}
