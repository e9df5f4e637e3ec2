// The dashboard's own client in Node, with nothing of a browser: what it told, in order.

import { browserClock, browserFetch, browserReadText, browserSocket } from "../../dashboard/src/browser.ts";
import { Api } from "../../dashboard/src/client/api.ts";
import { TownStream } from "../../dashboard/src/client/stream.ts";
import { townLines } from "../../dashboard/src/client/town_lines.ts";
import { until } from "./until.mjs";

/** Watches a town as the dashboard does; `origin` is where it thinks the Worker is. */
export class Client {
  events = [];
  states = new Map();
  gaps = [];
  problems = [];
  resets = 0;
  /** What was said of the connection, each change of kind once. */
  said = [];
  #stream;

  constructor(world, { town_id }, origin = world.url) {
    const authorization = `Bearer ${world.secrets.TOWNWATCH_API_KEY}`;
    const fetch = (path, init) => browserFetch(origin + path, { ...init, headers: { ...init.headers, authorization } });
    const readText = (path, headers, handlers) => browserReadText(origin + path, headers, handlers);
    const edges = { openSocket: browserSocket, readText, clock: browserClock, origin };
    this.#stream = new TownStream(townLines(new Api(fetch), town_id, edges), {
      reset: () => {
        this.resets += 1;
      },
      state: (agent) => this.states.set(agent.agent_id, agent),
      statesFollow: () => {},
      statesAreHere: () => {},
      agentDeleted: (agent_id) => this.states.delete(agent_id),
      events: (events) => this.events.push(...events),
      gap: (gap) => this.gaps.push(gap),
      preview: () => {},
      problem: (code, message) => this.problems.push(`${code} ${message}`),
      connection: (state) => {
        if (state.kind !== this.said.at(-1)?.kind) this.said.push(state);
      },
    });
    this.#stream.start();
  }

  get now() {
    return this.said.at(-1);
  }

  probe() {
    this.#stream.probe();
  }

  stop() {
    this.#stream.stop();
  }

  until(what, predicate, ms = 30_000) {
    const describe = () => JSON.stringify({ said: this.said.slice(-6), events: this.events.length, last: this.events.at(-1)?.id });
    return until(what, () => predicate(this), ms, describe);
  }

  untilLive(ms) {
    return this.until("a live connection", () => this.now?.kind === "live", ms);
  }
}
