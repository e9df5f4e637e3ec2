// A town: the only one that gives ids. It stores, then sends.

import { DurableObject } from "cloudflare:workers";
import { answered, invalid, noSuchPath, Refusal, success, successOf } from "./answers.ts";
import { type Batch, Ingest, register } from "./ingest.ts";
import { Store } from "./store.ts";
import { Viewers } from "./viewers.ts";

const PAGE_EVENTS = 200;
const PAGE_EVENTS_MAX = 1_000;
const POLL_MS = 500;

const TABLES = `
  CREATE TABLE IF NOT EXISTS town (one INTEGER PRIMARY KEY CHECK (one = 1), town_id TEXT NOT NULL, name TEXT NOT NULL, epoch TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS rigs (rig_id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at_ms INTEGER NOT NULL) WITHOUT ROWID, STRICT;
  CREATE TABLE IF NOT EXISTS agents (
    agent_id TEXT PRIMARY KEY, rig_id TEXT NOT NULL, state TEXT NOT NULL, base TEXT NOT NULL,
    event_count INTEGER NOT NULL DEFAULT 0, event_bytes INTEGER NOT NULL DEFAULT 0, pruned_id INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID, STRICT;
  CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY, agent_id TEXT NOT NULL, run_number INTEGER NOT NULL, started_at_ms INTEGER NOT NULL,
    first_id INTEGER NOT NULL, last_id INTEGER, exit TEXT
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX IF NOT EXISTS runs_by_agent ON runs (agent_id, run_number);
  CREATE TABLE IF NOT EXISTS agent_events (id INTEGER PRIMARY KEY, agent_id TEXT NOT NULL, run_id TEXT, event TEXT NOT NULL, frame TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS agent_events_by_agent ON agent_events (agent_id, id);
  CREATE TABLE IF NOT EXISTS sources (source TEXT PRIMARY KEY, epoch TEXT NOT NULL, cursor INTEGER NOT NULL) WITHOUT ROWID, STRICT;`;

const BOUNDS = "SELECT coalesce((SELECT max(id) FROM agent_events), 0) AS head, coalesce((SELECT min(id) FROM agent_events), 0) AS oldest_id";

interface ContainerEvent {
  id: number;
  agent_id: string;
  run_id: string;
  event: string;
  data: unknown;
  timestamp: string;
}

export class Town extends DurableObject {
  #store = new Store(this.ctx.storage.sql);
  #viewers = new Viewers(this.ctx, this.#store);
  #known: { town_id: string; epoch: string } | undefined;
  #polls = false;

  fetch(request: Request): Promise<Response> {
    return answered(async () => {
      const url = new URL(request.url);
      const [, call, , town_id, part, , agent_id, last] = url.pathname.split("/");
      if (call === "create") return this.#create(await request.json());
      this.#row();
      if (call === "rig-events") return this.#takeBatch(await request.json());
      if (call === "agents") return successOf(201, register(this.#store, await request.json()));
      if (part === "stream") return this.#stream(request, url, null);
      if (part === "container" && agent_id !== undefined && last === "stream") return this.#stream(request, url, agent_id);
      if (part === "container" && agent_id === "start") return this.#start(await request.json());
      if (part === "events") return this.#page(url);
      if (part === "rigs") return this.#createRig(await request.json());
      if (part === "metrics") return this.#store.metrics("town", town_id ?? "");
      throw noSuchPath();
    });
  }

  #create({ town_id, name }: Record<"town_id" | "name", string>): Response {
    this.#store.sql.exec(TABLES);
    this.#store.all("INSERT OR IGNORE INTO town (one, town_id, name, epoch) VALUES (1, ?, ?, ?)", town_id, name, crypto.randomUUID());
    return success(201, { town_id, name });
  }

  /** Its row, read once in an instance's life. */
  #row() {
    if (this.#known !== undefined) return this.#known;
    try {
      [this.#known] = this.#store.all<{ town_id: string; epoch: string }>("SELECT town_id, epoch FROM town");
    } catch {
      // It was never made, so it has no tables.
    }
    if (this.#known === undefined) throw new Refusal(404, "not_found", "no such town");
    return this.#known;
  }

  async #createRig({ name }: { name: string }): Promise<Response> {
    const rig_id = crypto.randomUUID();
    const body = JSON.stringify({ rig_id, town_id: this.#row().town_id, epoch: crypto.randomUUID() });
    await this.env.RIG.getByName(rig_id).fetch("https://object/create", { method: "POST", body });
    this.#store.all("INSERT INTO rigs (rig_id, name, created_at_ms) VALUES (?, ?, ?)", rig_id, name, Date.now());
    return success(201, { rig_id });
  }

  #takeBatch({ rig_id, ...batch }: Omit<Batch, "source" | "rig_id"> & { rig_id: string }): Response {
    return success(200, { cursor: this.#ingest({ ...batch, rig_id, source: `rig:${rig_id}` }) });
  }

  /** Stores a batch, then shows it; gives the source's cursor. */
  #ingest(batch: Batch): number {
    const { cursor, fresh } = this.ctx.storage.transactionSync(() => new Ingest(this.#store).take(batch));
    this.#viewers.publish(fresh);
    return cursor;
  }

  #bounds() {
    return this.#store.one<{ head: number; oldest_id: number }>(BOUNDS);
  }

  #stream(request: Request, url: URL, agent_id: string | null): Response {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") throw new Refusal(426, "upgrade_required", "upgrade");
    const asked = integerOf(url, "after_id", 0, Number.MAX_SAFE_INTEGER);
    // What is held back is in the log, and comes to this viewer as history.
    this.#viewers.flush();
    const { head, oldest_id } = this.#bounds();
    const isAhead = asked > head;
    const hello = JSON.stringify({ type: "hello", protocol: 1, ...this.#row(), head, oldest_id, reset: isAhead });
    const webSocket = this.#viewers.accept({ agent_id, after: isAhead ? 0 : asked, hello }, head);
    return new Response(null, { status: 101, webSocket });
  }

  #page(url: URL): Response {
    const after = integerOf(url, "after_id", 0, Number.MAX_SAFE_INTEGER);
    const limit = integerOf(url, "limit", PAGE_EVENTS, PAGE_EVENTS_MAX);
    const rows = this.#store.all<{ id: number; frame: string }>("SELECT id, frame FROM agent_events WHERE id > ? ORDER BY id LIMIT ?", after, limit);
    const { head, oldest_id } = this.#bounds();
    const events = rows.map(({ frame }) => frame).join(",");
    const next = rows.at(-1)?.id ?? after;
    return successOf(200, `{"epoch":"${this.#row().epoch}","events":[${events}],"next_after_id":${next},"head":${head},"oldest_id":${oldest_id},"gaps":[]}`);
  }

  /** In place of a relay: the container is asked again and again for what came after the last event. */
  #start({ rig_id, agent_id, name, role }: Record<"rig_id" | "agent_id" | "name" | "role", string>): Response {
    register(this.#store, { rig_id, agent_id, name, role });
    if (!this.#polls) {
      this.#polls = true;
      let isAsking = false;
      setInterval(() => {
        if (isAsking) return;
        isAsking = true;
        this.#poll()
          .catch((error) => console.error(String(error)))
          .finally(() => (isAsking = false));
      }, POLL_MS);
    }
    return success(201, { agent_id, run_id: null });
  }

  async #poll() {
    const source = "container";
    const [position] = this.#store.all<{ cursor: number }>("SELECT cursor FROM sources WHERE source = ?", source);
    const after = position?.cursor ?? 0;
    const answer = await fetch(`${this.env.CONTAINER_URL}/events?after=${after}`);
    const { epoch, events }: { epoch: string; events: ContainerEvent[] } = await answer.json();
    if (events.length === 0) return;
    const drafts = events.map(({ data, timestamp, ...event }) => ({ ...event, data: JSON.stringify(data), at_ms: Date.parse(timestamp) }));
    this.#ingest({ source, rig_id: null, epoch, after, events: drafts });
  }

  /** Acknowledgements: nothing is metered here. */
  webSocketMessage() {}

  webSocketClose(socket: WebSocket, code: number) {
    const isReserved = code === 1005 || code === 1006;
    socket.close(isReserved ? 1000 : code);
  }
}

function integerOf(url: URL, name: string, otherwise: number, max: number): number {
  const text = url.searchParams.get(name);
  if (text === null) return otherwise;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > max) throw invalid(name, "expected an integer");
  return value;
}
