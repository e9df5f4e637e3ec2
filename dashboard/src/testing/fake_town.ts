// A town to test a stream against: it keeps a log and answers connections from it like the real one, and the test
// decides when time passes and when a connection breaks. Only the two edges, socket and clock, are made up.

import type { ConnectionState } from "../client/connection.ts";
import type { Clock, SocketHandlers, TextHandlers } from "../client/edges.ts";
import type { Cursor, LineEdges } from "../client/line.ts";
import type { Typed } from "../client/previews.ts";
import type { StreamConsumer } from "../client/stream_consumer.ts";
import type { AgentState, EventsPage, Gap, ServerFrame, TownEvent } from "../protocol/protocol.ts";

export class FakeClock implements Clock {
  #now_ms = 1_000_000;
  #timers: { at_ms: number; call: () => void }[] = [];

  now_ms(): number {
    return this.#now_ms;
  }

  random(): number {
    return 0.5;
  }

  after(delay_ms: number, call: () => void): () => void {
    const timer = { at_ms: this.#now_ms + delay_ms, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets time pass, timer by timer, with the promises that each one settles. */
  async pass(duration_ms: number): Promise<void> {
    const end_ms = this.#now_ms + duration_ms;
    for (;;) {
      await settled();
      const next = this.#timers.filter((timer) => timer.at_ms <= end_ms).sort((one, other) => one.at_ms - other.at_ms)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now_ms = next.at_ms;
      next.call();
    }
    this.#now_ms = end_ms;
    await settled();
  }
}

/** After everything that is already under way. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

/** One connection as the server sees it. */
export class FakeConnection {
  readonly url: string;
  readonly received: unknown[] = [];
  closedByClient = false;
  readonly #handlers: SocketHandlers;

  constructor(url: string, handlers: SocketHandlers) {
    this.url = url;
    this.#handlers = handlers;
  }

  open(): void {
    this.#handlers.open();
  }

  send(frame: ServerFrame | { type: string }): void {
    this.sendText(JSON.stringify(frame));
  }

  sendText(text: string): void {
    this.#handlers.message(text);
  }

  cut(code = 1006, reason = ""): void {
    this.#handlers.close(code, reason);
  }

  parameter(name: string): string | null {
    return new RegExp(`[?&]${name}=([^&]*)`).exec(this.url)?.[1] ?? null;
  }
}

/** One reading of an event stream as the server sees it. */
export class FakeReading {
  readonly url: string;
  closedByClient = false;
  readonly #handlers: TextHandlers;

  constructor(url: string, handlers: TextHandlers) {
    this.url = url;
    this.#handlers = handlers;
  }

  answer(status: number, headers: Readonly<Record<string, string>> = {}): void {
    this.#handlers.answered(status, { get: (name) => headers[name] ?? null });
  }

  send(frame: ServerFrame): void {
    this.write(`event: ${frame.type}\ndata: ${JSON.stringify(frame)}\n\n`);
  }

  sendEvent(event: TownEvent): void {
    this.write(`id: ${event.id}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  write(text: string): void {
    this.#handlers.piece(text);
  }

  cut(): void {
    this.#handlers.end();
  }
}

export class FakeTown {
  readonly clock = new FakeClock();
  readonly connections: FakeConnection[] = [];
  readonly readings: FakeReading[] = [];
  /** How often a page was asked for. */
  pages = 0;
  states: AgentState[] = [];
  #wake: () => void = () => {};
  tickets = 0;
  epoch = "first";
  log: TownEvent[] = [];
  /** What it has let go of. */
  pruned: Gap[] = [];
  /** What the next request for a ticket throws. */
  refusal: Error | null = null;

  edges(): LineEdges {
    return {
      ticket: async () => {
        this.tickets += 1;
        if (this.refusal !== null) throw this.refusal;
        return { ticket: `t${this.tickets}`, url: `/api/towns/town/stream?ticket=t${this.tickets}`, expires_at: "" };
      },
      openSocket: (url, handlers) => {
        const connection = new FakeConnection(url, handlers);
        this.connections.push(connection);
        return {
          send: (text) => void connection.received.push(JSON.parse(text)),
          close: () => {
            connection.closedByClient = true;
          },
        };
      },
      readText: (url, _headers, handlers) => {
        const reading = new FakeReading(url, handlers);
        this.readings.push(reading);
        return {
          close: () => {
            reading.closedByClient = true;
          },
        };
      },
      eventsAfter: (cursor, wait_ms) => this.#pageAfter(cursor, wait_ms),
      agents: async () => this.states,
      clock: this.clock,
      origin: "https://town.test",
    };
  }

  /** Large events fill a page before it has as many as were asked for. */
  page_events_max = Infinity;

  async #pageAfter(cursor: Cursor | null, wait_ms: number): Promise<EventsPage> {
    this.pages += 1;
    const after_id = cursor?.after_id ?? this.head;
    const reset = (cursor !== null && cursor.epoch !== this.epoch) || after_id > this.head;
    if (!reset && after_id === this.head && wait_ms > 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.clock.after(wait_ms, resolve);
      });
    }
    const events = this.log.filter(({ id }) => id > (reset ? 0 : after_id));
    return { epoch: this.epoch, events, next_after_id: this.head, head: this.head, oldest_id: 1, gaps: [], ...(reset ? { reset } : {}) };
  }

  /** A page over REST: what is before an event, or the log's beginning, of one agent or of all. */
  page(agent_id: string | null, query: string): EventsPage {
    const parameters = [...query.matchAll(/(\w+)=([^&]*)/g)];
    const all = (name: string): string[] => parameters.filter(([, key]) => key === name).map(([, , value]) => value ?? "");
    const number = (name: string): number | null => (all(name).length === 0 ? null : Number(all(name)[0]));
    const isOf = (one: { agent_id: string }): boolean => agent_id === null || one.agent_id === agent_id;
    const [kinds, [run_id]] = [all("event"), all("run_id")];
    const isKind = (one: TownEvent): boolean => (kinds.length === 0 || kinds.includes(one.event)) && (run_id === undefined || one.run_id === run_id);
    const log = this.log.filter((one) => isOf(one) && isKind(one));
    const [limit, before_id] = [Math.min(number("limit") ?? 200, this.page_events_max), number("before_id")];
    const events = before_id === null ? log.filter(({ id }) => id > (number("after_id") ?? 0)).slice(0, limit) : log.filter(({ id }) => id < before_id).slice(-limit);
    const gaps = before_id === null ? this.pruned.filter(isOf) : [];
    const last_id = events.at(-1)?.id;
    const next_after_id = before_id === null ? (events.length < limit || last_id === undefined ? this.head : last_id) : (last_id ?? before_id - 1);
    return { epoch: this.epoch, events, next_after_id, head: this.head, oldest_id: this.log[0]?.id ?? 1, gaps };
  }

  /** The town lets go of an agent's events up to this one. */
  prune(agent_id: string, to: number): void {
    const isGone = (one: TownEvent): boolean => one.agent_id === agent_id && one.id <= to;
    const gone = this.log.filter(isGone);
    this.log = this.log.filter((one) => !isGone(one));
    const before = this.pruned.find((gap) => gap.agent_id === agent_id);
    const gap: Gap = { agent_id, from: before?.from ?? gone[0]?.id ?? 1, to, count: (before?.count ?? 0) + gone.length, reason: "pruned" };
    this.pruned = [...this.pruned.filter((other) => other !== before), gap];
  }

  get head(): number {
    return this.log.at(-1)?.id ?? 0;
  }

  get latest(): FakeConnection {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error("no one has connected");
    return connection;
  }

  /** Answers the newest connection as the protocol says: hello, history after its cursor, caught_up. */
  join(): void {
    const same = this.latest.parameter("epoch") === null || this.latest.parameter("epoch") === this.epoch;
    const asked = Number(this.latest.parameter("after_id") ?? this.head);
    const reset = !same || asked > this.head;
    const after_id = reset ? 0 : asked;
    this.latest.send(hello(this.epoch, this.head, reset));
    const history = this.log.filter((event) => event.id > after_id);
    if (history.length > 0) this.latest.send({ type: "events", events: history, backfill: true });
    this.latest.send({ type: "caught_up", id: this.head });
  }

  /** Stores events and sends them live. */
  happen(...events: TownEvent[]): void {
    this.log.push(...events);
    this.#wake();
    if (this.connections.length > 0) this.latest.send({ type: "events", events, backfill: false });
  }
}

export function hello(epoch: string, head: number, reset: boolean): ServerFrame {
  return { type: "hello", protocol: 1, town_id: "town", epoch, head, oldest_id: 1, reset };
}

/** Remembers what a stream told it, in order. */
export class Recorder implements StreamConsumer {
  ids: number[] = [];
  resets = 0;
  /** Behind which events it began. */
  begins: number[] = [];
  gaps: Gap[] = [];
  states: AgentState[] = [];
  deleted: string[] = [];
  /** The texts being typed, each time they changed. */
  typed: string[][] = [];
  problems: string[] = [];
  connections: ConnectionState[] = [];

  reset(): void {
    this.resets += 1;
    this.ids = [];
  }
  beginsBehind(_epoch: string, id: number): void {
    this.begins.push(id);
  }
  state(agent: AgentState): void {
    this.states.push(agent);
  }
  statesFollow(): void {}
  statesAreHere(): void {}
  agentDeleted(agent_id: string): void {
    this.deleted.push(agent_id);
  }
  events(events: readonly TownEvent[]): void {
    this.ids.push(...events.map((event) => event.id));
  }
  gap(gap: Gap): void {
    this.gaps.push(gap);
  }
  preview(_agent_id: string, typed: readonly Typed[]): void {
    this.typed.push(typed.map(({ text }) => text));
  }
  problem(code: string): void {
    this.problems.push(code);
  }
  connection(state: ConnectionState): void {
    this.connections.push(state);
  }
  get now(): ConnectionState | undefined {
    return this.connections.at(-1);
  }
}

export function event(id: number, name = "agent_output", data: unknown = { text: `line ${id}`, stream: "stdout" }): TownEvent {
  const at = new Date(Date.UTC(2026, 0, 1) + id * 1000).toISOString();
  return { id, agent_id: "agent", run_id: "run", event: name, data, at };
}

export function events(first: number, last: number): TownEvent[] {
  return Array.from({ length: last - first + 1 }, (_, index) => event(first + index));
}
