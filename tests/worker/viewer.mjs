// A model viewer: opens streams as a person's browser does, keeps what it got, and checks at every frame what must
// hold for every viewer. What it finds wrong is thrown at whoever waits for it next.

import { present } from "../present.mjs";
import { elements, members } from "./raw_json.mjs";
import { connect } from "./socket.mjs";
import { until } from "./until.mjs";

const FRAME_BYTES_MAX = 64 << 10;
const FRAMES = new Set(
  "hello state agent_deleted events preview caught_up gap backpressure subscription_confirmed heartbeat pong error".split(" "),
);

export class Viewer {
  /** Every event of its life, over all its connections: parsed, in the order of arrival. */
  events = [];
  /** The same events' raw texts, by id. */
  texts = new Map();
  /** The frames of events: when each arrived, by the same clock, the ids in it, and whether it was history. */
  batches = [];
  /** All frames but those of events, parsed. */
  frames = [];
  /** `performance.now()` of each event's arrival, by id. */
  arrived = new Map();
  /** The latest `state` of each agent. */
  states = new Map();
  problems = [];
  connections = 0;
  /** @type {{ code: number, reason: string } | null} */
  closed = null;
  caughtUp = false;
  /** Is told of every event and of every other frame, in the order of arrival. */
  onEach = (/** @type {unknown} */ _) => {};
  /** Cut off as soon as it has so many events, in the middle of whatever comes next. */
  cutAt = Infinity;
  #world;
  #path;
  #query;
  /** @type {import("./socket.mjs").Socket | null} */
  #socket = null;

  /** `path` is that of a stream; `query` is kept for every connection, except that the cursor is its own business. */
  constructor(world, path, query = {}) {
    [this.#world, this.#path, this.#query] = [world, path, query];
  }

  /** Opens a stream with a fresh ticket, from the start or from the `query`'s own cursor. */
  static async open(world, path, query = {}) {
    const viewer = new Viewer(world, path, query);
    await viewer.connect();
    return viewer;
  }

  get last_id() {
    return this.events.at(-1)?.id ?? 0;
  }

  /** Connects; again after a cut, and then it goes on behind its last event. */
  async connect() {
    const cursor = this.events.length > 0 ? { epoch: this.epoch, after_id: this.last_id } : {};
    const ticket = await this.#world.ticket(this.#path);
    const query = new URLSearchParams({ ...this.#query, ...cursor, ticket });
    const answer = await connect(`${this.#world.url}${this.#path}?${query}`);
    if (answer.status !== 101) throw new Error(`upgrade refused: ${answer.status} ${answer.text}`);
    this.connections += 1;
    [this.closed, this.caughtUp, this.hello] = [null, false, null];
    const socket = answer.socket;
    this.#socket = socket;
    socket.on("text", (text) => {
      if (socket !== this.#socket) return;
      try {
        this.#frame(text);
      } catch (problem) {
        this.problems.push(problem);
      }
    });
    socket.on("close", (code, reason) => {
      if (socket === this.#socket) this.closed = { code, reason };
    });
    socket.resume();
  }

  #must(holds, words) {
    if (!holds) this.problems.push(new Error(`viewer of ${this.#path}: ${words}`));
  }

  #frame(text) {
    const bytes = Buffer.byteLength(text);
    this.#must(bytes <= FRAME_BYTES_MAX, `a frame of ${bytes} bytes`);
    const frame = JSON.parse(text);
    this.#must(FRAMES.has(frame.type), `an unknown frame ${text.slice(0, 100)}`);
    this.#must(this.hello !== null || frame.type === "hello", `${frame.type} came before hello`);
    if (frame.type === "events") return this.#events(frame, text);
    this.frames.push(frame);
    this.onEach(frame);
    switch (frame.type) {
      case "hello":
        this.#must(this.hello === null, "a second hello");
        this.#must(this.events.length === 0 || frame.epoch === this.epoch, "another epoch");
        this.#must(this.events.length === 0 || !frame.reset, "a reset where the cursor was good");
        this.hello = frame;
        this.epoch = frame.epoch;
        break;
      case "state":
        this.states.set(frame.agent.agent_id, frame.agent);
        break;
      case "caught_up":
        this.caughtUp = true;
        this.#must(frame.id >= this.last_id, `caught up at ${frame.id} after event ${this.last_id}`);
        break;
      default:
    }
  }

  #events(frame, text) {
    this.#must(this.caughtUp || frame.backfill, "live events before caught_up");
    this.#must(frame.events.length > 0, "an events frame without events");
    const raw = elements(members(text).get("events"));
    const at = performance.timeOrigin + performance.now();
    this.batches.push({ at, ids: frame.events.map(({ id }) => id), backfill: frame.backfill });
    frame.events.forEach((event, index) => {
      this.#must(Number.isSafeInteger(event.id) && event.id >= 1, `an event with the id ${event.id}`);
      this.#must(event.id > this.last_id, `event ${event.id} after event ${this.last_id}`);
      this.#must(!this.texts.has(event.id), `event ${event.id} twice`);
      this.events.push(event);
      this.texts.set(event.id, raw[index]);
      this.arrived.set(event.id, at);
      this.onEach(event);
    });
    if (this.events.length >= this.cutAt) this.cut();
  }

  /** Throws what was found wrong so far. */
  check() {
    if (this.problems.length > 0) throw new AggregateError(this.problems, String(this.problems[0]));
  }

  /** Waits for something about this viewer; `predicate` gets the viewer. */
  async until(what, predicate, ms = 20_000) {
    const describe = () => {
      const { closed, caughtUp, connections } = this;
      return JSON.stringify({ last: this.events.at(-1)?.event, last_id: this.last_id, closed, caughtUp, connections });
    };
    const checked = () => {
      this.check();
      return predicate(this);
    };
    const value = await until(what, checked, ms, describe);
    this.check();
    return value;
  }

  untilCaughtUp(ms) {
    return this.until("caught_up", (viewer) => viewer.caughtUp, ms);
  }

  /** Waits for the end of a run: any run, or the one named. Gives the event. */
  untilExit(run_id, ms = 60_000) {
    const ends = (event) => event.event === "agent.exited" && (run_id === undefined || event.run_id === run_id);
    return this.until(`the end of run ${run_id ?? "(any)"}`, (viewer) => viewer.events.find(ends), ms);
  }

  /** The raw text of an event's data. */
  rawData(id) {
    return members(this.texts.get(id)).get("data");
  }

  framesOf(type) {
    return this.frames.filter((frame) => frame.type === type);
  }

  send(message) {
    present(this.#socket).send(typeof message === "string" ? message : JSON.stringify(message));
  }

  sendBinary(bytes) {
    present(this.#socket).sendBinary(bytes);
  }

  pause() {
    present(this.#socket).pause();
  }

  resume() {
    present(this.#socket).resume();
  }

  /** Loses the connection without a word, as in a tunnel. */
  cut() {
    this.#socket?.cut();
  }

  /** Leaves properly. */
  leave() {
    this.#socket?.close();
    this.#socket = null;
  }
}

/**
 * A viewer with bad luck: it is cut at a number of events that `random` picks, again and again, and comes back
 * with its cursor each time, until `done(viewer)`.
 */
export async function watchWithCuts(world, path, random, done, { events_max = 120, ms = 60_000 } = {}) {
  const viewer = new Viewer(world, path);
  const end = Date.now() + ms;
  while (!done(viewer)) {
    if (Date.now() > end) throw new Error(`the viewer with cuts is not done after ${ms} ms, at ${viewer.last_id}`);
    viewer.cutAt = viewer.events.length + 1 + Math.floor(random() * events_max);
    await viewer.connect();
    const left_ms = Math.max(end - Date.now(), 1);
    await viewer.until("more events, or all", () => done(viewer) || viewer.events.length >= viewer.cutAt, left_ms);
    viewer.cut();
  }
  viewer.check();
  return viewer;
}
