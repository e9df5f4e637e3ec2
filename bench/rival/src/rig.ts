// A rig: it keeps what is posted before it answers, and carries it to its town, one batch in flight.

import { DurableObject } from "cloudflare:workers";
import { answered, noSuchPath, Refusal, readBody, success } from "./answers.ts";
import { BATCH_EVENTS_MAX, checkedPost, type Post, type PostedEvent } from "./posted.ts";
import { Store } from "./store.ts";

export const EVENT_CAP = 2_000;
export const AGENT_BYTES_MAX = 64 << 20;
const OUTBOX_EVENTS_MAX = 10_000;
const OUTBOX_BYTES_MAX = 64 << 20;
const BATCH_BYTES_MAX = 2 << 20;
const TURN_DIES_MS = 30_000;
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 30_000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS rig (
    one INTEGER PRIMARY KEY CHECK (one = 1), rig_id TEXT NOT NULL, town_id TEXT NOT NULL, epoch TEXT NOT NULL,
    forwarded_id INTEGER NOT NULL DEFAULT 0, waiting_bytes INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS agents (
    agent_id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL,
    event_count INTEGER NOT NULL DEFAULT 0, event_bytes INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID, STRICT;
  CREATE TABLE IF NOT EXISTS agent_events (
    id INTEGER PRIMARY KEY, agent_id TEXT NOT NULL, event_key TEXT, run_id TEXT,
    event TEXT NOT NULL, data TEXT NOT NULL, at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS agent_events_by_agent ON agent_events (agent_id, id);
  CREATE UNIQUE INDEX IF NOT EXISTS agent_events_by_key ON agent_events (agent_id, event_key) WHERE event_key IS NOT NULL;`;

/** An event on its way from a rig, or a container, to the town. */
export interface SourceEvent {
  id: number;
  agent_id: string;
  run_id: string | null;
  event: string;
  data: string;
  at_ms: number;
}

interface RigRow {
  rig_id: string;
  town_id: string;
  epoch: string;
  forwarded_id: number;
  waiting_bytes: number;
}

const bytesOf = (events: readonly { data: string }[]) => events.reduce((sum, { data }) => sum + data.length, 0);

export class Rig extends DurableObject {
  #store = new Store(this.ctx.storage.sql);
  #hasAlarm = false;
  #failures = 0;

  fetch(request: Request): Promise<Response> {
    return answered(async () => {
      const { pathname } = new URL(request.url);
      if (pathname.endsWith("/agent-events")) return this.#post(await readBody(request));
      if (pathname === "/create") return this.#create(await request.json());
      if (pathname.endsWith("/agents")) return this.#register(await request.json());
      if (pathname.endsWith("/metrics")) return this.#store.metrics("rig", pathname.split("/")[3] ?? "");
      throw noSuchPath();
    });
  }

  #create({ rig_id, town_id, epoch }: Record<"rig_id" | "town_id" | "epoch", string>): Response {
    this.#store.sql.exec(TABLES);
    this.#store.all("INSERT OR IGNORE INTO rig (one, rig_id, town_id, epoch) VALUES (1, ?, ?, ?)", rig_id, town_id, epoch);
    return success(201, {});
  }

  /** Its row, read once a post. */
  #row(): RigRow {
    let row: RigRow | undefined;
    try {
      [row] = this.#store.all<RigRow>("SELECT rig_id, town_id, epoch, forwarded_id, waiting_bytes FROM rig");
    } catch {
      // It was never made, so it has no tables.
    }
    if (row === undefined) throw new Refusal(404, "not_found", "no such rig");
    return row;
  }

  async #register({ agent_id, name, role }: Record<"agent_id" | "name" | "role", string>): Promise<Response> {
    const { rig_id, town_id } = this.#row();
    const body = JSON.stringify({ rig_id, agent_id, name, role });
    const answer = await this.env.TOWN.getByName(town_id).fetch("https://object/agents", { method: "POST", body });
    if (answer.status !== 201) return answer;
    const update = "ON CONFLICT (agent_id) DO UPDATE SET name = excluded.name, role = excluded.role";
    this.#store.all(`INSERT INTO agents (agent_id, name, role) VALUES (?, ?, ?) ${update}`, agent_id, name, role);
    return answer;
  }

  #post(body: unknown): Response {
    const post = checkedPost(body);
    const now = Date.now();
    const receipt = this.ctx.storage.transactionSync(() => this.#append(post, now));
    this.#store.events += receipt.appended;
    if (receipt.appended > 0 && !this.#hasAlarm) this.#alarmIn(0);
    return success(201, receipt);
  }

  #append({ agent_id, events }: Post, now: number) {
    const store = this.#store;
    const { rig_id, forwarded_id, waiting_bytes } = this.#row();
    const [agent] = store.all<{ count: number; bytes: number }>("SELECT event_count AS count, event_bytes AS bytes FROM agents WHERE agent_id = ?", agent_id);
    if (agent === undefined) throw new Refusal(404, "not_found", `no such agent in this rig; register ${agent_id} with POST /api/rigs/${rig_id}/agents`);
    const { head } = store.one<{ head: number }>("SELECT coalesce(max(id), 0) AS head FROM agent_events");
    const isFull = head - forwarded_id + events.length > OUTBOX_EVENTS_MAX || waiting_bytes + bytesOf(events) > OUTBOX_BYTES_MAX;
    if (isFull) throw new Refusal(503, "town_unavailable", "the town does not take events");
    const fresh = this.#fresh(agent_id, events);
    let { count, bytes } = agent;
    /** The agent's oldest event, if the town has it already. */
    const oldest = () => {
      const [row] = store.all<{ id: number; bytes: number }>("SELECT id, octet_length(data) AS bytes FROM agent_events WHERE agent_id = ? ORDER BY id LIMIT 1", agent_id);
      return row !== undefined && row.id <= forwarded_id ? row : undefined;
    };
    let last = head;
    for (const { event_type, data, at_ms, event_id, run_id } of fresh) {
      last += 1;
      const old = count >= EVENT_CAP ? oldest() : undefined;
      const values = [event_id, run_id, event_type, data, at_ms ?? now];
      if (old !== undefined) {
        store.all("UPDATE agent_events SET id = ?, event_key = ?, run_id = ?, event = ?, data = ?, at_ms = ? WHERE id = ?", last, ...values, old.id);
        bytes -= old.bytes;
      } else {
        store.all("INSERT INTO agent_events (id, agent_id, event_key, run_id, event, data, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)", last, agent_id, ...values);
        count += 1;
      }
      bytes += data.length;
    }
    if (fresh.length > 0) {
      while (count > 1 && (count > EVENT_CAP || bytes > AGENT_BYTES_MAX)) {
        const old = oldest();
        if (old === undefined) break;
        store.all("DELETE FROM agent_events WHERE id = ?", old.id);
        count -= 1;
        bytes -= old.bytes;
      }
      store.all("UPDATE agents SET event_count = ?, event_bytes = ? WHERE agent_id = ?", count, bytes, agent_id);
      store.all("UPDATE rig SET waiting_bytes = waiting_bytes + ?", bytesOf(fresh));
    }
    return { appended: fresh.length, duplicates: events.length - fresh.length, last_id: last };
  }

  /** Those whose `event_id` was not there before. */
  #fresh(agent_id: string, events: PostedEvent[]): PostedEvent[] {
    const seen = new Set<string>();
    return events.filter(({ event_id }) => {
      if (event_id === null) return true;
      if (seen.has(event_id)) return false;
      seen.add(event_id);
      return this.#store.all("SELECT 1 FROM agent_events WHERE agent_id = ? AND event_key = ?", agent_id, event_id).length === 0;
    });
  }

  #alarmIn(ms: number) {
    this.#hasAlarm = true;
    this.#store.alarms += 1;
    void this.ctx.storage.setAlarm(Date.now() + ms);
  }

  async alarm() {
    this.#hasAlarm = false;
    try {
      await this.#forward();
      this.#failures = 0;
      this.#hasAlarm = false;
      await this.ctx.storage.deleteAlarm();
    } catch (error) {
      console.error(String(error));
      this.#alarmIn(Math.min(RETRY_MS_MIN * 2 ** this.#failures, RETRY_MS_MAX));
      this.#failures += 1;
    }
  }

  /** Until nothing waits; posts that come meanwhile are in the next batch. */
  async #forward() {
    const { rig_id, town_id, epoch } = this.#row();
    this.#alarmIn(TURN_DIES_MS);
    const town = this.env.TOWN.getByName(town_id);
    for (;;) {
      const { after } = this.#store.one<{ after: number }>("SELECT forwarded_id AS after FROM rig");
      const events = this.#batch(after);
      const last = events.at(-1);
      if (last === undefined) return;
      const body = JSON.stringify({ rig_id, epoch, after, events });
      const answer = await town.fetch("https://object/rig-events", { method: "POST", body });
      if (answer.status === 404) return;
      if (answer.status !== 200) throw new Error(`the town answered ${answer.status}`);
      const { cursor } = (await answer.json()).data;
      if (cursor === last.id) {
        this.#store.all("UPDATE rig SET forwarded_id = ?, waiting_bytes = max(0, waiting_bytes - ?)", cursor, bytesOf(events));
      } else {
        const waiting = "SELECT coalesce(sum(octet_length(data)), 0) FROM agent_events WHERE id > ?1";
        this.#store.all(`UPDATE rig SET forwarded_id = ?1, waiting_bytes = (${waiting})`, cursor);
      }
    }
  }

  #batch(after: number): SourceEvent[] {
    const statement = "SELECT id, agent_id, run_id, event, data, at_ms FROM agent_events WHERE id > ? ORDER BY id LIMIT ?";
    const events: SourceEvent[] = [];
    let bytes = 0;
    for (const event of this.#store.each<SourceEvent>(statement, after, BATCH_EVENTS_MAX)) {
      bytes += event.data.length;
      if (events.length > 0 && bytes > BATCH_BYTES_MAX) break;
      events.push(event);
    }
    return events;
  }
}
