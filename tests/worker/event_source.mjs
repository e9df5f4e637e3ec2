// An event stream's reader that others wrote the parser of: raw messages, in order, with what must hold for every stream
// checked at each.

import assert from "node:assert/strict";
import http from "node:http";
import { createParser } from "eventsource-parser";

import { present } from "../present.mjs";
import { until } from "./until.mjs";

/** Fields, and the empty line behind them, but none of data. A comment is no field: it ends with its line. */
const BLOCK_WITHOUT_DATA = /(?:^|\n\n)(?::[^\n]*\n)*(?:(?!data[:\n])[^:\n][^\n]*\n(?::[^\n]*\n)*)+\n/;

export class EventSource {
  /** All messages: `{id, event, data, at}`, `data` as text; `id` only where the message has one; `at` as in viewer.mjs. */
  messages = [];
  /** @type {number | null} */
  retry_ms = null;
  comments = 0;
  ended = false;
  /** @type {Error | null} */
  broken = null;
  status;
  headers;
  text = "";
  /** @type {http.IncomingMessage | null} */
  #answer = null;
  /** What has come of a block that has no end yet. */
  #rest = "";
  #parser = createParser({
    onEvent: ({ id, event = "message", data }) => {
      const at = performance.timeOrigin + performance.now();
      this.messages.push({ ...(id === undefined ? {} : { id }), event, data, at });
    },
    onRetry: (ms) => (this.retry_ms = ms),
    onComment: () => (this.comments += 1),
    onError: (problem) => assert.fail(problem),
  });

  /** Opens a stream; resolves once there are headers. Refused: `status` is not 200 and `text` is the answer. */
  static open(url, headers = {}) {
    const source = new EventSource();
    return new Promise((resolve, reject) => {
      const wire = http.request(url, { headers: { accept: "text/event-stream", ...headers }, agent: false }, (answer) => {
        source.#answer = answer;
        [source.status, source.headers] = [answer.statusCode, answer.headers];
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
    const whole = this.#rest + chunk;
    const end = whole.lastIndexOf("\n\n") + 2;
    if (end > 1) {
      const blocks = whole.slice(0, end);
      assert.doesNotMatch(blocks, BLOCK_WITHOUT_DATA, "a block without data, which some readers cannot take");
      this.#rest = whole.slice(end);
    } else this.#rest = whole;
    this.#parser.feed(chunk);
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
    present(this.#answer).pause();
  }

  resume() {
    present(this.#answer).resume();
  }

  cut() {
    present(this.#answer).destroy();
  }
}
