// A control server whose every answer a test decides: how many events are in each, and when there are any. It speaks
// the contract's "Control server" as far as a town asks; the events are made up.

import http from "node:http";

export class ScriptedControl {
  /** At most so many events in an answer; the relay asks for 500. */
  batch_events = 500;
  /** Whether it takes a request and never answers. */
  hangs = false;
  /**
   * Answers a request for a picture: `{status, bytes}`, or nothing for ever where it gives a promise that stays open.
   *
   * @type {(town_id: string, image_id: string) => Promise<{ status: number, bytes?: Buffer }>}
   */
  image = async () => ({ status: 404 });
  /**
   * Answers a request in place of what is below: `{status, headers, body}`, nothing where it leaves it to that.
   *
   * @type {(method: string, path: string) => any}
   */
  instead = () => undefined;
  /** What was asked: `GET /events`, without the query. */
  requests = [];
  /** How many events each answer brought, empty ones left out. */
  answers = [];
  #epoch = `scripted-${process.pid}-${Date.now()}`;
  /** Each town's events: a town's log is its own. */
  #events = new Map();
  /** The run of each agent, and its town. */
  #runs = new Map();
  #waiting = new Set();
  #server = http.createServer((request, answer) => this.#answer(request, answer));

  static async start() {
    const control = new ScriptedControl();
    await new Promise((resolve) => control.#server.listen(0, "127.0.0.1", () => resolve(undefined)));
    return control;
  }

  get url() {
    return `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (this.#server.address()).port}`;
  }

  /** Lets an agent that was started say something, once for each text. */
  say(agent_id, texts) {
    this.tell(agent_id, texts.map((text) => ["agent_output", { text, stream: "stdout" }]));
  }

  /** Lets these happen to it: pairs of an event's name and its data. */
  tell(agent_id, told) {
    const { run_id, town_id } = this.#runs.get(agent_id);
    const events = this.#eventsOf(town_id);
    for (const [event, data] of told) {
      const timestamp = new Date().toISOString();
      events.push({ id: events.length + 1, agent_id, run_id, event, data, timestamp });
    }
    for (const wake of this.#waiting) wake();
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request, answer) {
    const url = new URL(request.url, this.url);
    this.requests.push(`${request.method} ${url.pathname}`);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    if (this.hangs) return;
    const instead = this.instead(request.method, url.pathname);
    if (instead !== undefined) {
      const { status, headers = {}, body = "" } = instead;
      answer.writeHead(status, { "content-type": "application/json", ...headers }).end(typeof body === "string" ? body : JSON.stringify(body));
      return;
    }
    const picture = /^\/agents\/([^/]+)\/images\/([^/]+)$/.exec(url.pathname);
    if (picture !== null) {
      const { status, bytes } = await this.image(picture[1], picture[2]);
      const body = bytes ?? JSON.stringify({ success: false, error: { code: status === 404 ? "not_found" : "internal", message: "no" } });
      answer.writeHead(status, { "content-type": "application/octet-stream" }).end(body);
      return;
    }
    const [status, body] = await this.#of(request.headers["townwatch-town"], url, Buffer.concat(chunks).toString("utf8"));
    answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  async #of(town_id, { pathname, searchParams }, body) {
    if (pathname === "/health") {
      return [200, { status: "ok", agents: this.#runs.size, uptime_ms: 1, version: "0", runtimes: [] }];
    }
    if (pathname === "/agents/start") {
      const { agent_id, run_id } = JSON.parse(body);
      this.#runs.set(agent_id, { run_id, town_id });
      return [201, { epoch: this.#epoch, run_id }];
    }
    if (pathname === "/events") return [200, await this.#page(this.#eventsOf(town_id), searchParams)];
    const error = { code: "not_found", message: `no such path: ${pathname}` };
    return [404, { success: false, error }];
  }

  #eventsOf(town_id) {
    if (!this.#events.has(town_id)) this.#events.set(town_id, []);
    return this.#events.get(town_id);
  }

  async #page(all, query) {
    const after = query.get("epoch") === this.#epoch ? Number(query.get("after")) : 0;
    if (all.length <= after) await this.#news(Number(query.get("wait_ms") ?? 0));
    const events = all.slice(after, after + Math.min(this.batch_events, Number(query.get("limit"))));
    if (events.length > 0) this.answers.push(events.length);
    return { epoch: this.#epoch, head: all.length, oldest: 1, events };
  }

  #news(wait_ms) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve(undefined);
      };
      const timer = setTimeout(wake, wait_ms);
      this.#waiting.add(wake);
    });
  }
}
