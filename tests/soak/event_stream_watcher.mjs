// A reader of a town's event stream (SSE) that goes on behind its last event, as `EventSource` in a browser does.

import http from "node:http";

import { sleep } from "../worker/until.mjs";
import { Reading } from "./ledger.mjs";

const RETRY_MS = 50;
/** Frames that are no events; every other message is one. */
const FRAMES = new Set("hello state preview caught_up gap backpressure heartbeat error".split(" "));

export class EventStreamWatcher extends Reading {
  cuts = 0;
  connections = 0;
  #world;
  #wishes;
  #answer = null;
  #rest = "";
  #stays = true;
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
        [this.#answer, this.#rest] = [answer, ""];
        this.connections += 1;
        answer.setEncoding("utf8");
        answer.on("data", (chunk) => answer === this.#answer && this.#read(chunk));
        answer.on("error", resolve);
        answer.on("close", resolve);
      });
      wire.on("error", resolve);
      wire.end();
    });
  }

  #read(chunk) {
    const messages = (this.#rest + chunk).split("\n\n");
    this.#rest = messages.pop();
    for (const message of messages) {
      const fields = new Map(message.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]));
      if (fields.has("data")) this.#message(fields.get("event"), fields.get("id"), fields.get("data"));
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
    this.#answer.destroy();
    this.#answer = null;
  }
}
