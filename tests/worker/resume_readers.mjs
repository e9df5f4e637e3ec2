// The transports of tests/resume: each opens what a case's request asks for, and tells what comes in the cases' frames.
// What it cannot say is in the README beside the cases, in the table that is read here.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { EventSource } from "./event_source.mjs";
import { must } from "./harness.mjs";
import { connect } from "./socket.mjs";

const README = readFileSync(new URL("../resume/README.md", import.meta.url), "utf8");
const WAIT_MS = 2_000;
/** The filters of a `subscribe`, each with the kind of event that it shows. */
const FILTERS = {
  tool_calls: "agent_tool_call",
  tool_results: "agent_tool_result",
  output: "agent_output",
  files: "file_changed",
  progress: "progress_update",
};

/** What a transport cannot say: names of a request, and frames. */
export function cannot(transport) {
  const [, table] = README.split("## Transports");
  const rows = table.split("\n").filter((line) => line.startsWith("|")).map((row) => row.split("|").map((cell) => cell.trim()));
  const column = rows[0].indexOf(transport);
  assert.ok(column > 0, `no column ${transport}`);
  return new Set(rows.filter((row) => row[column] === "no").map((row) => row[1].replaceAll("`", "")));
}

/** What has come, in the cases' frames. What has no place in them is kept as it is, so that it is seen. */
class Told {
  frames = [];
  isCaughtUp = false;
  #isApart = false;

  /** What comes next begins a frame of its own. */
  apart() {
    this.#isApart = true;
    return this.frames.length;
  }

  push(frame) {
    this.frames.push(frame);
    this.#isApart = false;
  }

  hello(reset) {
    this.push({ hello: { reset } });
    this.push({ agents: [] });
  }

  event({ id }) {
    const last = this.frames.at(-1);
    if (last?.events && !this.#isApart) last.events.push(id);
    else this.push({ events: [id] });
  }

  gap({ agent_id, from, to, count, reason }) {
    assert.equal(reason, "pruned");
    this.push({ gap: { agent_id, from, to, ...(count === undefined ? {} : { count }) } });
  }

  caughtUp(id) {
    if (!this.isCaughtUp) this.push({ caught_up: id });
    this.isCaughtUp = true;
  }

  frame(frame) {
    switch (frame.type) {
      case undefined:
        return this.event(frame);
      case "hello":
        return this.hello(frame.reset);
      case "state":
        // Later ones come of something that has happened since.
        if (this.isCaughtUp) return;
        if (this.frames.at(-1)?.agents) this.frames.at(-1).agents.push(frame.agent.agent_id);
        else this.push({ state: frame.agent.agent_id });
        return;
      case "gap":
        return this.gap(frame);
      case "events":
        return frame.events.forEach((event) => this.event(event));
      case "caught_up":
        return this.caughtUp(frame.id);
      case "heartbeat":
        return;
      default:
        this.push(frame);
    }
  }
}

/** `take` brings what has come by now into `told`. */
class Reader {
  world;
  town;
  request;
  told = new Told();

  constructor(world, town, request, epoch) {
    [this.world, this.town, this.request] = [world, town, request];
    this.epochs = { current: epoch, other: "of-another-life" };
  }

  get query() {
    const { after_id, from, tail, until, epoch } = this.request;
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ after_id, from, tail, until, epoch: this.epochs[epoch] })) {
      if (value !== undefined) query.set(name, value);
    }
    return query;
  }

  get operator() {
    return { authorization: `Bearer ${this.world.secrets.TOWNWATCH_API_KEY}` };
  }

  get stream() {
    const { agent_id } = this.request;
    return this.world.url + (agent_id ? `${this.town.path}/container/agents/${agent_id}/stream` : this.town.stream);
  }

  get events() {
    const { agent_id } = this.request;
    return agent_id ? `${this.town.path}/agents/${agent_id}/events` : `${this.town.path}/events`;
  }

  /** The query of a page or a range, which names kinds. */
  get kinds() {
    const query = this.query;
    for (const type of this.request.types ?? []) query.append("event", type);
    return query;
  }

  goOn(query, next_after_id) {
    for (const name of ["tail", "after_id", "epoch"]) query.delete(name);
    query.set("after_id", next_after_id);
    query.set("epoch", this.epochs.current);
  }

  async take() {}

  stop() {}
}

class Socket extends Reader {
  #socket;

  async open() {
    const { types, agent_id, after_id } = this.request;
    let isSubscribed = types === undefined;
    const answer = await connect(`${this.stream}?${isSubscribed ? this.query : "tail=0"}`, this.operator);
    if (answer.status !== 101) return this.told.push({ refused: answer.error?.code });
    this.#socket = answer.socket;
    this.#socket.on("text", (text) => {
      const frame = JSON.parse(text);
      if (frame.type === "subscription_confirmed") {
        isSubscribed = true;
        this.told.hello(frame.after_id !== after_id);
      } else if (isSubscribed) {
        this.told.frame(frame);
      } else if (frame.type === "caught_up") {
        const filters = Object.fromEntries(Object.entries(FILTERS).map(([filter, type]) => [filter, types.includes(type)]));
        this.#socket.send(JSON.stringify({ type: "subscribe", agents: agent_id ? [agent_id] : "*", after_id, filters }));
      }
    });
    this.#socket.on("close", (code) => this.told.push(code === 1000 ? { end: {} } : { closed: code }));
    this.#socket.resume();
  }

  stop() {
    this.#socket?.cut();
  }
}

class Messages extends Reader {
  #source;
  #taken = 0;
  #hasEnded = false;

  async open() {
    const last = this.request.last_event_id;
    const header = last && { "last-event-id": last.epoch ? `${this.epochs[last.epoch]}.${last.id}` : `${last.id}` };
    this.#source = await EventSource.open(`${this.stream}?${this.query}`, { ...this.operator, ...header });
    const { status, text } = this.#source;
    if (status === 204) this.told.push({ nothing_left: {} });
    else if (status !== 200) this.told.push({ refused: JSON.parse(text).error.code });
  }

  async take() {
    const source = this.#source;
    for (; this.#taken < source.messages.length; this.#taken += 1) this.told.frame(JSON.parse(source.messages[this.#taken].data));
    if (source.status !== 200 || !source.ended || this.#hasEnded) return;
    this.#hasEnded = true;
    this.told.push(source.broken ? { broken: String(source.broken) } : { end: {} });
  }

  stop() {
    this.#source?.cut();
  }
}

/** Asks for the next page as soon as it has one, as whoever follows does. */
class Pages extends Reader {
  /** @type {Promise<any> | null} */
  #waiting = null;
  #isFirst = true;
  #next;

  async open() {
    this.#next = this.kinds;
    if (!this.#next.has("after_id") && !this.#next.has("tail")) this.#next.set("after_id", 0);
    this.#ask();
  }

  #ask() {
    const waiting = this.world.api("GET", `${this.events}?${this.#next}`);
    // It may be left waiting at the end.
    waiting.catch(() => {});
    this.#waiting = waiting;
  }

  async take() {
    if (this.#waiting === null) return;
    const answer = await this.#waiting;
    this.#waiting = null;
    if (answer.error) return this.told.push({ refused: answer.error.code });
    const { reset, gaps, events, next_after_id, head, epoch } = must(answer);
    assert.equal(epoch, this.epochs.current);
    if (this.#isFirst) this.told.hello(reset ?? false);
    else if (reset) this.told.push({ reset });
    this.#isFirst = false;
    for (const gap of gaps) this.told.gap(gap);
    for (const event of events) this.told.event(event);
    if (next_after_id === head) this.told.caughtUp(head);
    this.goOn(this.#next, next_after_id);
    this.#next.set("wait_ms", WAIT_MS);
    this.#ask();
  }
}

class Lines extends Reader {
  #next;
  #isFirst = true;

  async open() {
    this.#next = this.kinds;
  }

  async take() {
    if (this.#next === null) return;
    const headers = { accept: "application/x-ndjson" };
    const answer = await this.world.api("GET", `${this.events}?${this.#next}`, undefined, { headers });
    if (answer.status !== 200) {
      this.#next = null;
      return this.told.push({ refused: answer.error?.code });
    }
    const lines = answer.text.trimEnd().split("\n").map((line) => JSON.parse(line));
    const complete = lines.pop();
    assert.equal(complete.type, "complete");
    if (this.#isFirst && lines[0]?.type !== "hello") this.told.hello(false);
    this.#isFirst = false;
    for (const line of lines) this.told.frame(line);
    if (complete.next_after_id === complete.head) this.told.caughtUp(complete.head);
    this.goOn(this.#next, complete.next_after_id);
  }
}

/** By their names in the table. */
export const READERS = { WebSocket: Socket, "event stream": Messages, "long poll": Pages, lines: Lines };
