// An event stream's reader, as the HTML standard ("Server-sent events") has it and sharing no code with the product: raw
// messages, in order, with what must hold for every stream checked at each.

import assert from "node:assert/strict";
import http from "node:http";

import { until } from "./until.mjs";

export class EventSource {
  /** All messages: `{id, event, data, at}`, `data` as text; `id` only where the message has one; `at` as in viewer.mjs. */
  messages = [];
  retry_ms = null;
  comments = 0;
  ended = false;
  broken = null;
  #rest = "";
  #answer = null;

  /** Opens a stream; resolves once there are headers. Refused: `status` is not 200 and `text` is the answer. */
  static open(url, headers = {}) {
    const source = new EventSource();
    return new Promise((resolve, reject) => {
      const wire = http.request(url, { headers: { accept: "text/event-stream", ...headers }, agent: false }, (answer) => {
        source.#answer = answer;
        [source.status, source.headers, source.text] = [answer.statusCode, answer.headers, ""];
        answer.setEncoding("utf8");
        answer.on("data", (chunk) => {
          source.text += chunk;
          if (answer.statusCode === 200) source.#read(chunk);
        });
        answer.on("end", () => (source.ended = true));
        answer.on("error", (error) => (source.broken = error));
        if (answer.statusCode === 200) resolve(source);
        else answer.on("end", () => resolve(source));
      });
      wire.on("error", (error) => (source.#answer ? (source.broken = error) : reject(error)));
      wire.end();
    });
  }

  #read(chunk) {
    this.#rest += chunk;
    // A comment ends with its line: it needs no block, and some readers would take one for a message.
    for (let end = this.#rest.indexOf("\n"); this.#rest.startsWith(":") && end >= 0; end = this.#rest.indexOf("\n")) {
      this.comments += 1;
      this.#rest = this.#rest.slice(end + 1);
    }
    for (let end = this.#rest.indexOf("\n\n"); end >= 0; end = this.#rest.indexOf("\n\n")) {
      this.#message(this.#rest.slice(0, end));
      this.#rest = this.#rest.slice(end + 2);
    }
  }

  #message(text) {
    const message = { event: "message", data: [] };
    for (const line of text.split(/\r\n|\r|\n/)) {
      const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
      if (field === "") this.comments += 1;
      else if (field === "data") message.data.push(value);
      else if (field === "retry") this.retry_ms = Number(value);
      else message[field] = value;
    }
    const at = performance.timeOrigin + performance.now();
    assert.ok(message.data.length > 0, `a block without data, which some readers cannot take: ${text}`);
    this.messages.push({ ...message, data: message.data.join("\n"), at });
  }

  /** The messages of one kind, parsed. */
  of(event) {
    return this.messages.filter((message) => message.event === event).map(({ data }) => JSON.parse(data));
  }

  /** The events: messages with an id, but for the first one of a stream that a ticket opened. */
  get events() {
    return this.messages.filter(({ id, event }) => id !== undefined && event !== "hello").map(({ data }) => JSON.parse(data));
  }

  get last_event_id() {
    return this.messages.findLast(({ id }) => id !== undefined)?.id;
  }

  until(what, predicate, ms = 20_000) {
    const describe = () => JSON.stringify(this.messages.slice(-3).map(({ data, ...rest }) => ({ ...rest, data: data.slice(0, 80) })));
    return until(what, () => predicate(this), ms, describe);
  }

  untilCaughtUp() {
    return this.until("caught_up", () => this.of("caught_up").length > 0);
  }

  pause() {
    this.#answer.pause();
  }

  resume() {
    this.#answer.resume();
  }

  cut() {
    this.#answer.destroy();
  }
}
