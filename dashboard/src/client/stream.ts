// One town's stream: connects, catches up, follows, and comes back after a cut from where it was.
//
// What it promises its consumer:
// - events of one connection come with rising ids, and no event comes twice, also not across connections;
// - `reset` comes before the first event of another life of the log (epoch), and everything before it is void;
// - a gap that the server announces is handed on, never swallowed;
// - what is said of the connection is true: who is `live` has had everything, and a sign of life is never older than
//   three beats.

import type { AgentState, Gap, ServerFrame, TownEvent } from "../protocol/protocol.ts";
import type { ApiFailure } from "./api.ts";
import { backoff_ms } from "./backoff.ts";
import type { ConnectionState } from "./connection.ts";
import { openEventLine } from "./event_line.ts";
import { Ladder, RETURN_MS } from "./ladder.ts";
import type { Line, LineEdges, LineEnd, OpenLine, Transport } from "./line.ts";
import { openPollLine } from "./poll_line.ts";
import { Previews } from "./previews.ts";
import type { Typed } from "./previews.ts";
import { openSocketLine } from "./socket_line.ts";

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

const OPENERS: Readonly<Record<Transport, OpenLine>> = {
  web_socket: openSocketLine,
  event_stream: openEventLine,
  long_poll: openPollLine,
};
/** The server sends at most 1,000 events or 1 MiB without an acknowledgement; a tenth keeps it from ever pausing. */
const ACK_EVENTS = 100;
const ACK_CHARACTERS = 100 * 1024;
/** Beats without a sign of life, after which a connection is stale. */
const BEATS_MISSED_MAX = 2;
/** Who is asked whether it is still there has so long to answer. */
const VERDICT_MS = 5_000;
/** From the ticket's request to `hello`. */
const HELLO_TIMEOUT_MS = 15_000;
/** A connection that held this long was a good one: the next failure begins the back-off anew. */
const STABLE_MS = 10_000;
/** Refusals that another try would only meet again. */
const FINAL = [400, 401, 403, 404];

export class TownStream {
  readonly #edges: LineEdges;
  readonly #consumer: StreamConsumer;
  readonly #ladder = new Ladder();

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
  #line: Line | null = null;
  #transport: Transport = "web_socket";
  #greeted = false;
  #caught_up = false;
  /** Where the current catching up began, and where it ends. */
  #from = 0;
  #head = 0;
  #unacked_events = 0;
  #unacked_characters = 0;
  #beats_missed = 0;
  #life_at_ms = 0;
  #cancelTimers: (() => void)[] = [];
  #cancelVerdict: (() => void) | null = null;

  constructor(edges: LineEdges, consumer: StreamConsumer) {
    this.#edges = edges;
    this.#consumer = consumer;
  }

  /** The newest event that was received or announced as missing, and of which life of the log. */
  get position(): { readonly epoch: string | null; readonly id: number } {
    return { epoch: this.#epoch, id: this.#cursor };
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#attempt = 0;
    this.#connect();
  }

  stop(): void {
    this.#running = false;
    this.#abandon();
  }

  /** Tries at once instead of after the back-off; also leaves `ended` and `denied`. Does nothing while connected. */
  retryNow(): void {
    if (this.#line !== null) return;
    this.#running = true;
    this.#connect();
  }

  /** What the browser believes about the network. A socket that still works is left alone: localhost needs no network. */
  setOnline(online: boolean): void {
    const returned = online && !this.#online;
    this.#online = online;
    if (returned) this.probe();
  }

  /**
   * For moments after which a connection may be dead without a word: the tab is shown again, the page came out of the
   * browser's cache, the network is back. One that says nothing in 5 s is left; who waits for a next try tries now.
   */
  probe(): void {
    if (!this.#running) return;
    if (this.#line === null) return this.#awaitsRetry() ? this.#connect() : undefined;
    const silent_ms = this.#edges.clock.now_ms() - this.#life_at_ms;
    // An attempt that began before the network was back may hang; one that has just begun deserves its time.
    if (!this.#greeted) return silent_ms >= VERDICT_MS ? this.#connect() : undefined;
    // Who can not be asked is judged by its own beat: timers stood still while the tab slept.
    if (this.#line.ping()) this.#giveVerdict();
    else if (silent_ms > this.#line.beat_ms * BEATS_MISSED_MAX) this.#lost("The connection went silent.");
  }

  #awaitsRetry(): boolean {
    return this.#cancelTimers.length > 0;
  }

  #connect(): void {
    this.#abandon();
    const turn = this.#turn;
    this.#consumer.connection({ kind: "connecting" });
    this.#life_at_ms = this.#edges.clock.now_ms();
    this.#transport = this.#ladder.transport(this.#edges.clock.now_ms());
    this.#after(HELLO_TIMEOUT_MS, () => {
      this.#ladder.failed(this.#edges.clock.now_ms());
      this.#lost("The town did not answer in time.");
    });
    const cursor = { epoch: this.#epoch, after_id: this.#cursor };
    this.#line = OPENERS[this.#transport](this.#edges, cursor, {
      frame: (frame, characters) => {
        if (turn === this.#turn) this.#receive(frame, characters);
      },
      end: (end) => {
        if (turn === this.#turn) this.#ended(end);
      },
    });
  }

  #receive(frame: ServerFrame, characters: number): void {
    this.#signOfLife();
    switch (frame.type) {
      case "hello":
        return this.#hello(frame);
      case "state":
        return this.#consumer.state(frame.agent);
      case "events":
        return this.#events(frame.events, characters);
      case "gap":
        return this.#consumer.gap(frame);
      case "preview":
        if (this.#previews.add(frame)) this.#showTyped(frame.agent_id);
        return;
      case "caught_up":
        this.#cursor = Math.max(this.#cursor, frame.id);
        this.#caught_up = true;
        if (this.#unacked_events > 0) this.#acknowledge();
        return this.#reportLive();
      case "backpressure":
        if (frame.level === "paused") {
          this.#caught_up = false;
          this.#from = this.#cursor;
          this.#head = this.#cursor + frame.lag_events;
          this.#acknowledge();
          this.#reportCatchingUp();
        }
        return;
      case "error":
        return this.#consumer.problem(frame.code, frame.message);
      default:
        // `pong`, `heartbeat`, `subscription_confirmed`, and whatever a newer server knows: only a sign of life.
        return;
    }
  }

  #signOfLife(): void {
    this.#life_at_ms = this.#edges.clock.now_ms();
    this.#cancelVerdict?.();
    this.#cancelVerdict = null;
    const wasStale = this.#beats_missed > BEATS_MISSED_MAX;
    this.#beats_missed = 0;
    if (!wasStale) return;
    if (this.#caught_up) this.#reportLive();
    else this.#reportCatchingUp();
  }

  #hello(hello: Extract<ServerFrame, { type: "hello" }>): void {
    this.#cancelAll();
    this.#ladder.opened();
    this.#greeted = true;
    this.#after(STABLE_MS, () => {
      this.#attempt = 0;
    });
    this.#watchBeats();
    if (this.#transport === "long_poll") this.#after(RETURN_MS, () => this.#connect());
    const another = this.#epoch !== null && this.#epoch !== hello.epoch;
    if (hello.reset || another) {
      this.#cursor = 0;
      this.#seen.clear();
      for (const agent_id of this.#previews.clear()) this.#showTyped(agent_id);
      this.#consumer.reset();
    }
    this.#epoch = hello.epoch;
    // What the town no longer has is not waited for.
    this.#from = Math.max(this.#cursor, Math.min(hello.oldest_id - 1, hello.head));
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

  #reportLive(): void {
    this.#consumer.connection({ kind: "live", transport: this.#transport });
  }

  #reportCatchingUp(): void {
    const done = Math.max(0, this.#cursor - this.#from);
    this.#consumer.connection({ kind: "catching_up", done, total: Math.max(this.#head - this.#from, done) });
  }

  #acknowledge(): void {
    this.#unacked_events = 0;
    this.#unacked_characters = 0;
    this.#line?.acknowledge(this.#cursor);
  }

  /** At each beat there should have been a sign of life since the last; after two without, the connection is stale. */
  #watchBeats(): void {
    this.#after(this.#line?.beat_ms ?? 0, () => {
      if (this.#beats_missed >= BEATS_MISSED_MAX) {
        this.#consumer.connection({ kind: "stale", since_ms: this.#life_at_ms });
        this.#giveVerdict();
      }
      this.#beats_missed += 1;
      this.#line?.ping();
      this.#watchBeats();
    });
  }

  /** Any sign of life takes it back. */
  #giveVerdict(): void {
    this.#cancelVerdict ??= this.#edges.clock.after(VERDICT_MS, () => this.#lost("The connection went silent."));
  }

  #ended(end: LineEnd): void {
    if (end.kind === "refused") return this.#refused(end.failure);
    if (!this.#greeted) this.#ladder.failed(this.#edges.clock.now_ms());
    if (end.code === 1000) {
      this.#abandon();
      return this.#consumer.connection({ kind: "ended" });
    }
    // Also after 4401: the next ticket's request says whether the right really ended.
    this.#lost(end.reason === "" ? `The connection was cut (${end.code}).` : end.reason);
  }

  #refused({ status, code, message, retry_after_ms }: ApiFailure): void {
    // A ticket may lapse on a slow way; the next one is a new one.
    if (!FINAL.includes(status) || code === "ticket_invalid") return this.#lost(message, retry_after_ms);
    this.#abandon();
    this.#consumer.connection({ kind: "denied", status, code, message });
  }

  #lost(reason: string, delay_min_ms = 0): void {
    this.#abandon();
    this.#attempt += 1;
    const { clock } = this.#edges;
    const delay_ms = Math.max(backoff_ms(this.#attempt, clock.random()), delay_min_ms);
    this.#after(delay_ms, () => this.#connect());
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
    this.#line?.close();
    this.#line = null;
    this.#greeted = false;
    this.#unacked_events = 0;
    this.#unacked_characters = 0;
    this.#beats_missed = 0;
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
    this.#cancelVerdict?.();
    this.#cancelVerdict = null;
  }
}
