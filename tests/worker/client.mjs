// The dashboard's own client in Node, with nothing of a browser: what it told, in order.

import { browserClock, browserFetch, browserReadText, browserSocket } from "../../dashboard/src/browser.ts";
import { Api } from "../../dashboard/src/client/api.ts";
import { TownStream } from "../../dashboard/src/client/stream.ts";
import { TownHistory } from "../../dashboard/src/client/town_history.ts";
import { townLines } from "../../dashboard/src/client/town_lines.ts";
import { TownStore } from "../../dashboard/src/client/town_store.ts";
import { until } from "./until.mjs";

/** Watches a town as the dashboard does; `origin` is where it thinks the Worker is. */
export class Client {
  /** What the stream told. */
  events = [];
  /** Behind which event it began. */
  begins_behind = /** @type {number | null} */ (null);
  store = new TownStore((call) => call());
  states = new Map();
  gaps = [];
  problems = [];
  resets = 0;
  /** What was said of the connection, each change of kind once. */
  said = [];
  #stream;
  #history;

  constructor(world, { town_id }, origin = world.url) {
    const authorization = `Bearer ${world.secrets.TOWNWATCH_API_KEY}`;
    const fetch = (path, init) => browserFetch(origin + path, { ...init, headers: { ...init.headers, authorization } });
    const readText = (path, headers, handlers) => browserReadText(origin + path, headers, handlers);
    const edges = { openSocket: browserSocket, readText, clock: browserClock, origin };
    const api = new Api(fetch);
    const { store } = this;
    this.#history = new TownHistory(store, (_agent_id, query) => api.townEvents(town_id, query), browserClock);
    this.#stream = new TownStream(townLines(api, town_id, edges), {
      reset: () => {
        this.resets += 1;
        store.reset();
      },
      beginsBehind: (epoch, id) => {
        this.begins_behind = id;
        store.beginsBehind(epoch, id);
      },
      state: (agent) => {
        this.states.set(agent.agent_id, agent);
        store.state(agent);
      },
      statesFollow: () => store.statesFollow(),
      statesAreHere: (id) => store.statesAreHere(id),
      agentDeleted: (agent_id) => {
        this.states.delete(agent_id);
        store.agentDeleted(agent_id);
      },
      events: (events) => {
        this.events.push(...events);
        store.events(events);
      },
      gap: (gap) => {
        this.gaps.push(gap);
        store.gap(gap);
      },
      preview: () => {},
      problem: (code, message) => this.problems.push(`${code} ${message}`),
      connection: (state) => {
        if (state.kind !== this.said.at(-1)?.kind) this.said.push(state);
        store.connection(state);
      },
    });
    this.#history.look(null);
    this.#stream.start();
  }

  /** All that is known, in the end: what the stream told, and what was before it. */
  async everything() {
    await this.until("the past", () => this.#history.of(null).standing === "whole", 60_000);
    return this.store.everything;
  }

  get now() {
    return this.said.at(-1);
  }

  probe() {
    this.#stream.probe();
  }

  stop() {
    this.#stream.stop();
    this.#history.stop();
  }

  until(what, predicate, ms = 30_000) {
    const describe = () => JSON.stringify({ said: this.said.slice(-6), events: this.events.length, last: this.events.at(-1)?.id });
    return until(what, () => predicate(this), ms, describe);
  }

  untilLive(ms) {
    return this.until("a live connection", () => this.now?.kind === "live", ms);
  }
}
