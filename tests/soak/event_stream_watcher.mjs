// A reader of a town's event stream (SSE) that goes on behind its last event, as `EventSource` in a browser does.

import http from "node:http";
import { createParser } from "eventsource-parser";

import { sleep } from "../worker/until.mjs";
import { Reading } from "./ledger.mjs";

const RETRY_MS = 50;
/** Frames that are no events; every other message is one. */
const FRAMES = new Set("hello state preview caught_up gap backpressure heartbeat error".split(" "));

export class EventStreamWatcher extends Reading {
  cuts = 0;
  connections = 0;
  epoch;
  cutAt = Infinity;
  #world;
  #wishes;
  /** @type {import("node:http").IncomingMessage | null} */
  #answer = null;
  #arrived = [];
  #stays = true;
  /** @type {Promise<void> | null} */
  #life = null;

  /** Beside those of a reading: `path` of the stream, and `luck()`, which says after how many events it is cut. */
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
    this.#answer?.destroy();
    await this.#life;
  }

  async #live() {
    while (this.#stays) {
      this.cutAt = this.ids.length + 1 + this.#wishes.luck();
      await this.#connection();
      await sleep(RETRY_MS);
    }
  }

  /** Resolves when the connection has ended, whoever ended it. */
  #connection() {
    const { url, secrets } = this.#world;
    const cursor = this.epoch === undefined ? {} : { "last-event-id": `${this.epoch}.${this.last_id}` };
    const headers = { accept: "text/event-stream", authorization: `Bearer ${secrets.TOWNWATCH_API_KEY}`, ...cursor };
    return new Promise((resolve) => {
      const wire = http.request(url + this.#wishes.path, { headers, agent: false }, (answer) => {
        if (answer.statusCode !== 200) return answer.resume().on("close", resolve);
        [this.#answer, this.#arrived] = [answer, []];
        const parser = createParser({ onEvent: (message) => this.#arrived.push(message) });
        this.connections += 1;
        answer.setEncoding("utf8");
        answer.on("data", (chunk) => answer === this.#answer && this.#read(parser, chunk));
        answer.on("error", resolve);
        answer.on("close", resolve);
      });
      wire.on("error", resolve);
      wire.end();
    });
  }

  /** What is behind the cut is lost: of one piece no further message is read. */
  #read(parser, chunk) {
    parser.feed(chunk);
    for (const { event, id, data } of this.#arrived.splice(0)) {
      this.#message(event, id, data);
      if (this.ids.length >= this.cutAt) return this.#cut();
    }
  }

  #message(name, id, text) {
    const data = JSON.parse(text);
    if (!FRAMES.has(name)) {
      if (id !== String(data.id) || name !== data.event) this.ledger.wrong(`${this.name}: ${name} ${id} for ${text.slice(0, 200)}`);
      return this.take(data, text);
    }
    if (name === "gap") this.gap(data);
    if (name === "error") this.ledger.wrong(`${this.name}: ${text}`);
    if (name !== "hello") return;
    if (data.epoch !== (this.epoch ?? data.epoch) || data.reset) this.ledger.wrong(`${this.name}: its cursor means nothing any more: ${text}`);
    this.epoch = data.epoch;
  }

  #cut() {
    this.cuts += 1;
    this.#answer?.destroy();
    this.#answer = null;
  }
}
