// Readers of a town, each of which goes on behind its last event whatever happens to its connection: a WebSocket, with
// and without acknowledgements, and a client that asks for page after page.

import { present } from "../present.mjs";
import { at, elements, members } from "../worker/raw_json.mjs";
import { connect } from "../worker/socket.mjs";
import { sleep } from "../worker/until.mjs";
import { Reading } from "./ledger.mjs";

const FRAME_BYTES_MAX = 64 << 10;
const RETRY_MS = 50;

/** A WebSocket. */
export class StreamWatcher extends Reading {
  /** The latest `state` of each agent. */
  states = new Map();
  cuts = 0;
  connections = 0;
  /** Closes that were not ours: their codes. */
  closes = [];
  /** Whether its connection has caught up. */
  isLive = false;
  hello;
  epoch;
  cutAt = Infinity;
  #world;
  #wishes;
  /** @type {import("../worker/socket.mjs").Socket | null} */
  #socket = null;
  /** @type {((how: unknown) => void) | null} */
  #ended = null;
  #stays = true;
  /** @type {Promise<void> | null} */
  #life = null;

  /**
   * Beside those of a reading: `path` of the stream; `acknowledges`; and, for one with bad luck, `luck()`, which says
   * after how many more events it is cut, and `away(watcher)`, awaited before it comes back.
   */
  constructor(world, ledger, wishes) {
    super(ledger, { ...wishes, mayBeElided: !wishes.acknowledges });
    [this.#world, this.#wishes] = [world, wishes];
  }

  start() {
    this.#life = this.#live().catch((problem) => this.ledger.problems.push(problem));
    return this;
  }

  /** Goes for good. */
  async stop() {
    this.#stays = false;
    this.#socket?.cut();
    await this.#life;
  }

  async #live() {
    const { luck, away } = this.#wishes;
    while (this.#stays) {
      this.cutAt = this.ids.length + 1 + (luck?.() ?? Infinity);
      const code = await this.#connection().catch(() => null);
      this.isLive = false;
      // Whatever is down comes back; if not, the phase runs out of time and says where this one stands.
      if (code === null) await sleep(RETRY_MS);
      else if (code === "cut") await away?.(this);
      else if (this.#stays) this.closes.push(code);
    }
  }

  /** One connection, from its ticket on; how it ended, or null where there was none. */
  async #connection() {
    const { path, acknowledges } = this.#wishes;
    const { data } = await this.#world.api("POST", `${path}-ticket`, {});
    /** @type {any} */
    const cursor = this.epoch === undefined ? { after_id: 0 } : { epoch: this.epoch, after_id: this.last_id };
    const query = new URLSearchParams({ ...cursor, ...(acknowledges && { flow: "ack" }), ticket: data.ticket });
    const { status, socket } = await connect(`${this.#world.url}${path}?${query}`);
    if (status !== 101) return null;
    this.connections += 1;
    [this.hello, this.isLive] = [null, false];
    this.#socket = socket;
    const ended = new Promise((resolve) => {
      this.#ended = resolve;
      socket.on("close", resolve);
    });
    socket.on("text", (text) => {
      if (socket === this.#socket) this.#frame(text);
    });
    socket.resume();
    return ended;
  }

  #cut() {
    this.cuts += 1;
    this.isLive = false;
    this.#ended?.("cut");
    this.#socket?.cut();
    this.#socket = null;
  }

  #frame(text) {
    const wrong = (words) => this.ledger.wrong(`${this.name}: ${words}`);
    if (Buffer.byteLength(text) > FRAME_BYTES_MAX) wrong(`a frame of ${Buffer.byteLength(text)} bytes`);
    const frame = JSON.parse(text);
    if (this.hello === null && frame.type !== "hello") wrong(`${frame.type} before hello`);
    switch (frame.type) {
      case "hello":
        if (frame.epoch !== (this.epoch ?? frame.epoch) || frame.reset) wrong(`its cursor means nothing any more: ${text}`);
        [this.hello, this.epoch] = [frame, frame.epoch];
        break;
      case "events":
        if (!this.isLive && !frame.backfill) wrong("live events before caught_up");
        this.#events(frame.events, elements(members(text).get("events")));
        break;
      case "state":
        this.states.set(frame.agent.agent_id, frame.agent);
        break;
      case "caught_up":
        if (frame.id < this.last_id) wrong(`caught up at ${frame.id} after event ${this.last_id}`);
        this.isLive = true;
        break;
      case "gap":
        this.gap(frame);
        break;
      case "error":
        wrong(text);
        break;
      default:
    }
  }

  #events(events, texts) {
    for (const [index, event] of events.entries()) {
      this.take(event, texts[index]);
      if (this.ids.length >= this.cutAt) return this.#cut();
    }
    if (this.#wishes.acknowledges) present(this.#socket).send(JSON.stringify({ type: "ack", id: this.last_id }));
  }
}

/** A client that asks for the next page, and waits for it where there is none yet. */
export class PollWatcher extends Reading {
  pages = 0;
  #world;
  #wishes;
  #stays = true;
  /** @type {Promise<void> | null} */
  #life = null;

  /** Beside those of a reading: `path` of the events, and `limit()` of the next page. */
  constructor(world, ledger, wishes) {
    super(ledger, wishes);
    [this.#world, this.#wishes] = [world, wishes];
  }

  start() {
    this.#life = this.#live().catch((problem) => this.ledger.problems.push(problem));
    return this;
  }

  async stop() {
    this.#stays = false;
    await this.#life;
  }

  async #live() {
    /** @type {any} */
    let cursor = { after_id: 0 };
    while (this.#stays) {
      const query = new URLSearchParams({ ...cursor, limit: this.#wishes.limit(), wait_ms: "1000" });
      const answer = await this.#world.api("GET", `${this.#wishes.path}?${query}`).catch(() => null);
      if (answer?.status !== 200) {
        await sleep(RETRY_MS);
        continue;
      }
      const { epoch, events, next_after_id, gaps, reset } = answer.data;
      if (reset) this.ledger.wrong(`${this.name}: its cursor means nothing any more`);
      gaps.forEach((gap) => this.gap(gap));
      const texts = elements(at(answer.text, "data", "events"));
      events.forEach((event, index) => this.take(event, texts[index]));
      cursor = { epoch, after_id: next_after_id };
      this.pages += 1;
    }
  }
}

/** All that a path of events has now, with raw texts, by its pages. */
export async function readPages(world, path) {
  const all = [];
  for (let after_id = 0; ; ) {
    const answer = await world.api("GET", `${path}?after_id=${after_id}&limit=1000`);
    const texts = elements(at(answer.text, "data", "events"));
    all.push(...answer.data.events.map((event, index) => ({ event, text: texts[index] })));
    if (answer.data.next_after_id >= answer.data.head) return all;
    after_id = answer.data.next_after_id;
  }
}
