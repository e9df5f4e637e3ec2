// One town's stream: connects, catches up, follows, and comes back after a cut from where it was.
//
// What it promises its consumer:
// - events of one connection come with rising ids, and no event comes twice, also not across connections;
// - `reset` comes before the first event of another life of the log (epoch), and everything before it is void;
// - a gap that the server announces is handed on, never swallowed.

import type { AgentState, Gap, ServerFrame, TicketView, TownEvent } from "../protocol/protocol.ts";
import { ApiFailure, failureWords } from "./api.ts";
import { backoff_ms } from "./backoff.ts";
import type { ConnectionState } from "./connection.ts";
import type { Clock, OpenSocket, Socket } from "./edges.ts";
import { Previews } from "./previews.ts";
import type { Typed } from "./previews.ts";

export interface StreamConsumer {
  /** Forget all events, gaps and states: another life of the log begins. */
  reset(): void;
  state(agent: AgentState): void;
  events(events: readonly TownEvent[]): void;
  gap(gap: Gap): void;
  /** All that the agent is typing now and that has no event yet; empty when nothing is. */
  preview(agent_id: string, typed: readonly Typed[]): void;
  /** The server disliked something; the connection lives on. */
  problem(code: string, message: string): void;
  connection(state: ConnectionState): void;
}

export interface StreamEdges {
  /** A fresh ticket; tickets are single-use, so each attempt asks for its own. */
  ticket(): Promise<TicketView>;
  openSocket: OpenSocket;
  clock: Clock;
  /** `http://host` or `https://host`, as the page has it. */
  origin: string;
}

/** The server sends at most 1,000 events or 1 MiB without an acknowledgement; a tenth keeps it from ever pausing. */
const ACK_EVENTS = 100;
const ACK_CHARACTERS = 100 * 1024;
const PING_INTERVAL_MS = 30_000;
const PINGS_UNANSWERED_MAX = 2;
/** From the ticket's request to `hello`. */
const HELLO_TIMEOUT_MS = 15_000;
/** A connection that held this long was a good one: the next failure begins the back-off anew. */
const STABLE_MS = 10_000;

export class TownStream {
  readonly #edges: StreamEdges;
  readonly #consumer: StreamConsumer;

  #epoch: string | null = null;
  /** Every event of the town up to here was received or announced as missing. */
  #cursor = 0;
  /** The newest id received, per agent. */
  readonly #seen = new Map<string, number>();
  readonly #previews = new Previews();

  #running = false;
  #online = true;
  #attempt = 0;
  /** Names the current attempt: what an older one still delivers is not heard. */
  #turn = 0;
  #socket: Socket | null = null;
  #caught_up = false;
  #head = 0;
  #unacked_events = 0;
  #unacked_characters = 0;
  #pings_unanswered = 0;
  #cancelTimers: (() => void)[] = [];

  constructor(edges: StreamEdges, consumer: StreamConsumer) {
    this.#edges = edges;
    this.#consumer = consumer;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#attempt = 0;
    void this.#connect();
  }

  stop(): void {
    this.#running = false;
    this.#abandon();
  }

  /** Tries at once instead of after the back-off; also leaves `ended` and `denied`. Does nothing while connected. */
  retryNow(): void {
    if (this.#socket !== null) return;
    this.#running = true;
    void this.#connect();
  }

  /** What the browser believes about the network. A socket that still works is left alone: localhost needs no network. */
  setOnline(online: boolean): void {
    const returned = online && !this.#online;
    this.#online = online;
    if (returned && this.#running) this.retryNow();
  }

  async #connect(): Promise<void> {
    this.#abandon();
    const turn = this.#turn;
    this.#consumer.connection({ kind: "connecting" });
    this.#after(HELLO_TIMEOUT_MS, () => this.#lost("The town did not answer in time."));
    let ticket: TicketView;
    try {
      ticket = await this.#edges.ticket();
    } catch (failure) {
      if (turn === this.#turn) this.#ticketRefused(failure);
      return;
    }
    if (turn !== this.#turn) return;
    this.#socket = this.#edges.openSocket(this.#url(ticket.url), {
      message: (text) => {
        if (turn === this.#turn) this.#receive(text);
      },
      close: (code, reason) => {
        if (turn === this.#turn) this.#closed(code, reason);
      },
    });
  }

  #url(path: string): string {
    const epoch = this.#epoch === null ? "" : `&epoch=${encodeURIComponent(this.#epoch)}`;
    const query = `${path.includes("?") ? "&" : "?"}flow=ack&after_id=${this.#cursor}${epoch}`;
    return this.#edges.origin.replace(/^http/, "ws") + path + query;
  }

  #receive(text: string): void {
    this.#pings_unanswered = 0;
    const frame = parseFrame(text);
    switch (frame?.type) {
      case "hello":
        return this.#hello(frame);
      case "state":
        return this.#consumer.state(frame.agent);
      case "events":
        return this.#events(frame.events, text.length);
      case "gap":
        return this.#consumer.gap(frame);
      case "preview":
        if (this.#previews.add(frame)) this.#showTyped(frame.agent_id);
        return;
      case "caught_up":
        this.#cursor = Math.max(this.#cursor, frame.id);
        this.#caught_up = true;
        if (this.#unacked_events > 0) this.#acknowledge();
        return this.#consumer.connection({ kind: "live" });
      case "backpressure":
        if (frame.level === "paused") {
          this.#caught_up = false;
          this.#head = this.#cursor + frame.lag_events;
          this.#acknowledge();
          this.#reportCatchingUp();
        }
        return;
      case "error":
        return this.#consumer.problem(frame.code, frame.message);
      default:
        // `pong`, `subscription_confirmed`, and whatever a newer server knows: only a sign of life.
        return;
    }
  }

  #hello(hello: Extract<ServerFrame, { type: "hello" }>): void {
    this.#cancelAll();
    this.#after(STABLE_MS, () => {
      this.#attempt = 0;
    });
    this.#schedulePing();
    const another = this.#epoch !== null && this.#epoch !== hello.epoch;
    if (hello.reset || another) {
      this.#cursor = 0;
      this.#seen.clear();
      this.#consumer.reset();
    }
    this.#epoch = hello.epoch;
    this.#head = hello.head;
    this.#caught_up = false;
    this.#reportCatchingUp();
  }

  #events(events: readonly TownEvent[], characters: number): void {
    const fresh = events.filter((event) => {
      if (event.id <= (this.#seen.get(event.agent_id) ?? 0)) return false;
      this.#seen.set(event.agent_id, event.id);
      return true;
    });
    for (const event of events) this.#cursor = Math.max(this.#cursor, event.id);
    if (fresh.length > 0) this.#consumer.events(fresh);
    const ended = new Set(fresh.filter((event) => this.#previews.end(event)).map(({ agent_id }) => agent_id));
    for (const agent_id of ended) this.#showTyped(agent_id);
    this.#unacked_events += events.length;
    this.#unacked_characters += characters;
    if (this.#unacked_events >= ACK_EVENTS || this.#unacked_characters >= ACK_CHARACTERS) this.#acknowledge();
    if (!this.#caught_up) this.#reportCatchingUp();
  }

  #showTyped(agent_id: string): void {
    this.#consumer.preview(agent_id, this.#previews.of(agent_id));
  }

  #reportCatchingUp(): void {
    this.#consumer.connection({ kind: "catching_up", id: this.#cursor, head: Math.max(this.#head, this.#cursor) });
  }

  #acknowledge(): void {
    this.#unacked_events = 0;
    this.#unacked_characters = 0;
    this.#socket?.send(JSON.stringify({ type: "ack", id: this.#cursor }));
  }

  #schedulePing(): void {
    this.#after(PING_INTERVAL_MS, () => {
      if (this.#pings_unanswered >= PINGS_UNANSWERED_MAX) return this.#lost("The connection went silent.");
      this.#pings_unanswered += 1;
      // Exactly these bytes: the town answers them without waking up.
      this.#socket?.send('{"type":"ping"}');
      this.#schedulePing();
    });
  }

  #ticketRefused(failure: unknown): void {
    if (failure instanceof ApiFailure && [400, 401, 403, 404].includes(failure.status)) {
      this.#abandon();
      const { status, code, message } = failure;
      return this.#consumer.connection({ kind: "denied", status, code, message });
    }
    this.#lost(failureWords(failure), failure instanceof ApiFailure ? failure.retry_after_ms : 0);
  }

  #closed(code: number, reason: string): void {
    if (code === 1000) {
      this.#abandon();
      return this.#consumer.connection({ kind: "ended" });
    }
    // Also after 4401: the next ticket's request says whether the right really ended.
    this.#lost(reason === "" ? `The connection was cut (${code}).` : reason);
  }

  #lost(reason: string, delay_min_ms = 0): void {
    this.#abandon();
    this.#attempt += 1;
    const { clock } = this.#edges;
    const delay_ms = Math.max(backoff_ms(this.#attempt, clock.random()), delay_min_ms);
    this.#after(delay_ms, () => void this.#connect());
    this.#consumer.connection(
      this.#online
        ? { kind: "reconnecting", attempt: this.#attempt, retry_at_ms: clock.now_ms() + delay_ms, reason }
        : { kind: "offline" },
    );
  }

  /** Leaves the current attempt, whatever it is at. */
  #abandon(): void {
    this.#turn += 1;
    this.#cancelAll();
    this.#socket?.close();
    this.#socket = null;
    this.#unacked_events = 0;
    this.#unacked_characters = 0;
    this.#pings_unanswered = 0;
    for (const agent_id of this.#previews.clear()) this.#showTyped(agent_id);
  }

  #after(delay_ms: number, call: () => void): void {
    const cancel = this.#edges.clock.after(delay_ms, () => {
      this.#cancelTimers = this.#cancelTimers.filter((other) => other !== cancel);
      call();
    });
    this.#cancelTimers.push(cancel);
  }

  #cancelAll(): void {
    for (const cancel of this.#cancelTimers) cancel();
    this.#cancelTimers = [];
  }
}

function parseFrame(text: string): ServerFrame | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as ServerFrame) : null;
  } catch {
    return null;
  }
}
