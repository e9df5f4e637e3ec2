// One town's stream: begins at the live end, follows, and comes back after a cut from where it was.
//
// What it promises its consumer:
// - events of one connection come with rising ids, and no event comes twice, also not across connections;
// - `beginsBehind` says from where on events are told; what lies before it is fetched by who wants it;
// - `reset` comes before the first event of another life of the log (epoch), and everything before it is void: of that
//   life, too, the stream begins at the live end;
// - a gap that the server announces is handed on, never swallowed;
// - what is said of the connection is true: who is `live` has had everything, and a sign of life is never older than
//   three beats.

import type { ServerFrame, TownEvent } from "../protocol/protocol.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import type { ApiFailure } from "./api.ts";
import { backoff_ms } from "./backoff.ts";
import type { ConnectionState } from "./connection.ts";
import { Ladder, RETURN_MS } from "./ladder.ts";
import type { Line, LineEdges, LineEnd, Transport } from "./line.ts";
import { NetworkDoubt, UNDER_WAY_MS } from "./network_doubt.ts";
import { Previews } from "./previews.ts";
import type { StreamConsumer } from "./stream_consumer.ts";
import { Timers } from "./timers.ts";
import { OPENERS } from "./transports.ts";

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
  readonly #doubt = new NetworkDoubt();
  #attempt = 0;
  /** Names the current attempt: what an older one still delivers is not heard. */
  #turn = 0;
  #line: Line | null = null;
  #transport: Transport = "web_socket";
  #greeted = false;
  #caught_up = false;
  /** Whether the states that come are all that there are: those behind `hello` are. */
  #awaits_states = false;
  /** Where the current catching up began, and where it ends. */
  #from = 0;
  #head = 0;
  readonly #acknowledgements = new Acknowledgements();
  #beats_missed = 0;
  #life_at_ms = 0;
  readonly #timers: Timers;
  #cancelVerdict: (() => void) | null = null;

  constructor(edges: LineEdges, consumer: StreamConsumer) {
    this.#edges = edges;
    this.#timers = new Timers(edges.clock);
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
    if (this.#line !== null && !this.#doubt.isThere) return;
    this.#running = true;
    this.#connect();
  }

  /**
   * What the browser believes about the network. It is believed at once, until something is heard all the same:
   * localhost needs no network.
   */
  setOnline(online: boolean): void {
    if (online === this.#online) return;
    this.#online = online;
    // Who is done does not begin again because of the network.
    if (this.#running && this.#line === null && !this.#timers.arePending) return;
    const now_ms = this.#edges.clock.now_ms();
    if (online) this.#doubt.end();
    else this.#doubt.gone(now_ms);
    if (!this.#running) return;
    if (!online) {
      this.#report({ kind: "offline" });
      return this.#askInDoubt();
    }
    // Who waits for a next try, who began without a network and who can not be asked begins anew.
    if (!this.#greeted || this.#line?.ping() !== true) return this.#connect();
    this.#doubt.asked(now_ms);
    this.#report({ kind: "connecting" });
    this.#giveVerdict(VERDICT_MS);
  }

  /**
   * For moments after which a connection may be dead without a word: the tab is shown again, the page came out of the
   * browser's cache, the network is back. One that says nothing in 5 s is left; who waits for a next try tries now.
   */
  probe(): void {
    if (!this.#running) return;
    if (this.#line === null) return this.#timers.arePending ? this.#connect() : undefined;
    const silent_ms = this.#edges.clock.now_ms() - this.#life_at_ms;
    // An attempt that began before the network was back may hang; one that has just begun deserves its time.
    if (!this.#greeted) return silent_ms >= VERDICT_MS ? this.#connect() : undefined;
    // Who can not be asked is judged by its own beat: timers stood still while the tab slept.
    if (this.#line.ping()) this.#giveVerdict(VERDICT_MS);
    else if (silent_ms > this.#line.beat_ms * BEATS_MISSED_MAX) this.#lost("The connection went silent.");
  }

  #connect(): void {
    this.#abandon();
    const turn = this.#turn;
    if (this.#online) this.#doubt.end();
    this.#report({ kind: "connecting" });
    this.#life_at_ms = this.#edges.clock.now_ms();
    this.#transport = this.#ladder.transport(this.#edges.clock.now_ms());
    this.#timers.after(HELLO_TIMEOUT_MS, () => {
      this.#ladder.failed(this.#edges.clock.now_ms());
      this.#lost("The town did not answer in time.");
    });
    const cursor = this.#epoch === null ? null : { epoch: this.#epoch, after_id: this.#cursor };
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
        if (this.#acknowledgements.addState(characters)) this.#acknowledge();
        return this.#consumer.state(frame.agent);
      case "agent_deleted":
        return this.#consumer.agentDeleted(frame.agent_id);
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
        if (this.#awaits_states) this.#consumer.statesAreHere(frame.id);
        this.#awaits_states = false;
        if (this.#acknowledgements.isOwed) this.#acknowledge();
        return this.#reportLive();
      case "backpressure":
        if (frame.level === "paused") {
          // Who is catching up goes on with the same count.
          if (this.#caught_up) this.#from = this.#cursor;
          this.#caught_up = false;
          this.#head = Math.max(this.#head, this.#cursor + frame.lag_events);
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
    const wasDoubted = this.#doubt.heard(this.#life_at_ms);
    const wasStale = this.#beats_missed > BEATS_MISSED_MAX;
    this.#beats_missed = 0;
    if (!this.#greeted || !(wasStale || wasDoubted)) return;
    if (this.#caught_up) this.#reportLive();
    else this.#reportCatchingUp();
  }

  #hello(hello: Extract<ServerFrame, { type: "hello" }>): void {
    this.#cancelAll();
    this.#ladder.opened();
    this.#greeted = true;
    this.#timers.after(STABLE_MS, () => {
      this.#attempt = 0;
    });
    this.#watchBeats();
    if (this.#doubt.isThere) this.#askInDoubt();
    if (this.#transport === "long_poll") this.#timers.after(RETURN_MS, () => this.#connect());
    const another = this.#epoch !== null && this.#epoch !== hello.epoch;
    if (hello.reset || another) return this.#beginAnew();
    if (this.#epoch === null) {
      [this.#epoch, this.#cursor] = [hello.epoch, hello.head];
      this.#consumer.beginsBehind(hello.epoch, hello.head);
    }
    this.#awaits_states = true;
    this.#consumer.statesFollow();
    // What the town no longer has is not waited for.
    this.#from = Math.max(this.#cursor, Math.min(hello.oldest_id - 1, hello.head));
    this.#head = hello.head;
    this.#caught_up = false;
    this.#reportCatchingUp();
  }

  /** The log has another life: what was of the old one is void, and the new one is not read from its start. */
  #beginAnew(): void {
    [this.#epoch, this.#cursor] = [null, 0];
    this.#seen.clear();
    this.#consumer.reset();
    this.#connect();
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
    if (this.#acknowledgements.add(events.length, characters)) this.#acknowledge();
    if (!this.#caught_up) this.#reportCatchingUp();
  }

  #showTyped(agent_id: string): void {
    this.#consumer.preview(agent_id, this.#previews.of(agent_id));
  }

  /** What is in doubt is not said. */
  #report(state: ConnectionState): void {
    this.#consumer.connection(this.#doubt.instead(state));
  }

  #reportLive(): void {
    this.#report({ kind: "live", transport: this.#transport });
  }

  #reportCatchingUp(): void {
    const done = Math.max(0, this.#cursor - this.#from);
    this.#report({ kind: "catching_up", done, total: Math.max(this.#head - this.#from, done) });
  }

  #acknowledge(): void {
    this.#acknowledgements.clear();
    this.#line?.acknowledge(this.#cursor);
  }

  /** At each beat there should have been a sign of life since the last; after two without, the connection is stale. */
  #watchBeats(): void {
    this.#timers.after(this.#line?.beat_ms ?? 0, () => {
      if (this.#beats_missed >= BEATS_MISSED_MAX) {
        this.#report({ kind: "stale", since_ms: this.#life_at_ms });
        this.#giveVerdict(VERDICT_MS);
      }
      this.#beats_missed += 1;
      this.#line?.ping();
      this.#watchBeats();
    });
  }

  /** Asks as soon as an answer counts. Who can not be asked has until its next beat. */
  #askInDoubt(): void {
    this.#timers.after(UNDER_WAY_MS, () => {
      const line = this.#line;
      if (line !== null && this.#greeted && this.#doubt.isThere) this.#giveVerdict(line.ping() ? VERDICT_MS : line.beat_ms + VERDICT_MS);
    });
  }

  /** Any sign of life takes it back. */
  #giveVerdict(delay_ms: number): void {
    this.#cancelVerdict ??= this.#edges.clock.after(delay_ms, () => this.#lost("The connection went silent."));
  }

  #ended(end: LineEnd): void {
    if (end.kind === "refused") return this.#refused(end.failure);
    if (!this.#greeted) this.#ladder.failed(this.#edges.clock.now_ms());
    if (end.code === 1000) {
      this.#abandon();
      this.#doubt.end();
      return this.#consumer.connection({ kind: "ended" });
    }
    // Also after 4401: the next ticket's request says whether the right really ended.
    this.#lost(end.reason === "" ? `The connection was cut (${end.code}).` : end.reason);
  }

  #refused({ status, code, message, retry_after_ms }: ApiFailure): void {
    // A ticket may lapse on a slow way; the next one is a new one.
    if (!FINAL.includes(status) || code === "ticket_invalid") return this.#lost(message, retry_after_ms);
    this.#abandon();
    this.#doubt.end();
    this.#consumer.connection({ kind: "denied", status, code, message });
  }

  #lost(reason: string, delay_min_ms = 0): void {
    this.#abandon();
    this.#attempt += 1;
    const { clock } = this.#edges;
    const delay_ms = Math.max(backoff_ms(this.#attempt, clock.random()), delay_min_ms);
    this.#timers.after(delay_ms, () => this.#connect());
    if (this.#online) this.#doubt.end();
    else this.#doubt.lost(clock.now_ms());
    this.#report({ kind: "reconnecting", attempt: this.#attempt, retry_at_ms: clock.now_ms() + delay_ms, reason });
  }

  /** Leaves the current attempt, whatever it is at. */
  #abandon(): void {
    this.#turn += 1;
    this.#cancelAll();
    this.#line?.close();
    this.#line = null;
    this.#greeted = false;
    this.#acknowledgements.clear();
    this.#beats_missed = 0;
    for (const agent_id of this.#previews.clear()) this.#showTyped(agent_id);
  }

  #cancelAll(): void {
    this.#timers.cancelAll();
    this.#cancelVerdict?.();
    this.#cancelVerdict = null;
  }
}
