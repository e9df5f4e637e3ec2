// What a source hands over becomes the town's log, in one transaction: events with the town's ids, the source's cursor, runs,
// the agents' states, and what is pruned.

import { Refusal } from "./answers.ts";
import { newState, type Run, reduced, type State } from "./reducer.ts";
import { AGENT_BYTES_MAX, EVENT_CAP, type SourceEvent } from "./rig.ts";
import type { Store } from "./store.ts";

/** What a source has after the event `after` of its own. */
export interface Batch {
  source: string;
  /** The rig that it is of; null for a container. */
  rig_id: string | null;
  epoch: string;
  after: number;
  events: SourceEvent[];
}

/** An event as it was stored, and as it is sent. */
export interface Frame {
  agent_id: string;
  frame: string;
}

interface Agent {
  rig_id: string;
  state: State;
  /** The state just before the oldest event that is kept. */
  base: State;
  count: number;
  bytes: number;
  pruned_id: number;
  open_run: Run | null;
}

interface AgentRow {
  rig_id: string;
  state: string;
  base: string;
  count: number;
  bytes: number;
  pruned_id: number;
}

interface KeptEvent {
  id: number;
  event: string;
  frame: string;
}

export function register(store: Store, agent: Record<"rig_id" | "agent_id" | "name" | "role", string>): string {
  const { agent_id, rig_id } = agent;
  const [found] = store.all<{ rig_id: string }>("SELECT rig_id FROM agents WHERE agent_id = ?", agent_id);
  if (found !== undefined && found.rig_id !== rig_id) throw new Refusal(409, "conflict", "another rig has an agent of this id");
  const state = JSON.stringify(newState(agent));
  store.all("INSERT OR IGNORE INTO agents (agent_id, rig_id, state, base) VALUES (?, ?, ?, ?)", agent_id, rig_id, state, state);
  return state;
}

/** Takes a batch over, inside a transaction. What was taken before changes nothing: the cursor is answered as it stands. */
export class Ingest {
  #store: Store;
  #agents = new Map<string, Agent | null>();

  constructor(store: Store) {
    this.#store = store;
  }

  take({ source, rig_id, epoch, after, events }: Batch): { cursor: number; fresh: Frame[] } {
    const store = this.#store;
    if (rig_id !== null && store.all("SELECT 1 FROM rigs WHERE rig_id = ?", rig_id).length === 0) throw new Refusal(404, "not_found", "no such rig in this town");
    const [position] = store.all<{ epoch: string; cursor: number }>("SELECT epoch, cursor FROM sources WHERE source = ?", source);
    let cursor = position?.epoch === epoch ? position.cursor : 0;
    const fresh: Frame[] = [];
    if (after !== cursor) return { cursor, fresh };
    let { head } = store.one<{ head: number }>("SELECT coalesce(max(id), 0) AS head FROM agent_events");
    for (const event of events) {
      cursor = event.id;
      const agent = this.#agent(event.agent_id);
      const run = agent && this.#run(agent, event, head + 1);
      if (!agent || !run) continue;
      head += 1;
      fresh.push({ agent_id: event.agent_id, frame: this.#append(agent, run, head, event) });
    }
    for (const [agent_id, agent] of this.#agents) if (agent !== null) this.#write(agent_id, agent);
    store.all("INSERT OR REPLACE INTO sources (source, epoch, cursor) VALUES (?, ?, ?)", source, epoch, cursor);
    store.events += fresh.length;
    return { cursor, fresh };
  }

  /** At the cap the event takes over the oldest one's row. */
  #append(agent: Agent, { run_id, number }: Run, id: number, { agent_id, event, data, at_ms }: SourceEvent): string {
    const at = new Date(at_ms).toISOString();
    const frame = `{"id":${id},"agent_id":"${agent_id}","rig_id":"${agent.rig_id}","run_id":"${run_id}","event":"${event}","data":${data},"at":"${at}"}`;
    if (agent.count >= EVENT_CAP) {
      const old = this.#oldest(agent_id);
      this.#intoBase(agent, old);
      this.#store.all("UPDATE agent_events SET id = ?, run_id = ?, event = ?, frame = ? WHERE id = ?", id, run_id, event, frame, old.id);
    } else {
      this.#store.all("INSERT INTO agent_events (id, agent_id, run_id, event, frame) VALUES (?, ?, ?, ?, ?)", id, agent_id, run_id, event, frame);
    }
    agent.count += 1;
    agent.bytes += frame.length;
    agent.state = reduced(agent.state, id, { run_id, number }, event, JSON.parse(data), at_ms);
    if (event === "agent.exited") {
      this.#store.all("UPDATE runs SET exit = ?, last_id = ? WHERE run_id = ?", data, id, run_id);
      agent.open_run = null;
    }
    return frame;
  }

  #oldest(agent_id: string): KeptEvent {
    return this.#store.one("SELECT id, event, frame FROM agent_events WHERE agent_id = ? ORDER BY id LIMIT 1", agent_id);
  }

  #intoBase(agent: Agent, old: KeptEvent) {
    const { run_id, data, at } = JSON.parse(old.frame);
    let number = agent.base.run_number;
    if (run_id !== agent.base.run_id) {
      const [run] = this.#store.all<{ run_number: number }>("SELECT run_number FROM runs WHERE run_id = ?", run_id);
      number = run?.run_number ?? 0;
    }
    agent.base = reduced(agent.base, old.id, { run_id, number }, old.event, data, Date.parse(at));
    agent.count -= 1;
    agent.bytes -= old.frame.length;
    agent.pruned_id = old.id;
  }

  /** Read once a batch; null where none is registered under this id. */
  #agent(agent_id: string): Agent | null {
    const known = this.#agents.get(agent_id);
    if (known !== undefined) return known;
    const statement = "SELECT rig_id, state, base, event_count AS count, event_bytes AS bytes, pruned_id FROM agents WHERE agent_id = ?";
    const [row] = this.#store.all<AgentRow>(statement, agent_id);
    const agent = row === undefined ? null : { ...row, state: JSON.parse(row.state), base: JSON.parse(row.base), open_run: this.#openRun(agent_id) };
    this.#agents.set(agent_id, agent);
    return agent;
  }

  #openRun(agent_id: string): Run | null {
    const statement = "SELECT run_id, run_number AS number FROM runs WHERE agent_id = ? AND exit IS NULL ORDER BY run_number DESC LIMIT 1";
    return this.#store.all<Run>(statement, agent_id)[0] ?? null;
  }

  /** The event's run: the one that it names, else the agent's open one, else a new one. Null where that has ended. */
  #run(agent: Agent, { agent_id, run_id, at_ms }: SourceEvent, id: number): Run | null {
    if (agent.open_run !== null && (run_id === null || run_id === agent.open_run.run_id)) return agent.open_run;
    if (run_id !== null) {
      const [found] = this.#store.all<{ number: number; exit: string | null }>("SELECT run_number AS number, exit FROM runs WHERE run_id = ?", run_id);
      if (found !== undefined) return found.exit === null ? (agent.open_run = { run_id, number: found.number }) : null;
    }
    const { newest } = this.#store.one<{ newest: number }>("SELECT coalesce(max(run_number), 0) AS newest FROM runs WHERE agent_id = ?", agent_id);
    const run = { run_id: run_id ?? crypto.randomUUID(), number: newest + 1 };
    const insert = "INSERT INTO runs (run_id, agent_id, run_number, started_at_ms, first_id) VALUES (?, ?, ?, ?, ?)";
    this.#store.all(insert, run.run_id, agent_id, run.number, at_ms, id);
    agent.open_run = run;
    return run;
  }

  #write(agent_id: string, agent: Agent) {
    while (agent.count > 1 && (agent.count > EVENT_CAP || agent.bytes > AGENT_BYTES_MAX)) {
      const old = this.#oldest(agent_id);
      this.#intoBase(agent, old);
      this.#store.all("DELETE FROM agent_events WHERE id = ?", old.id);
    }
    const update = "UPDATE agents SET state = ?, base = ?, event_count = ?, event_bytes = ?, pruned_id = ? WHERE agent_id = ?";
    this.#store.all(update, JSON.stringify(agent.state), JSON.stringify(agent.base), agent.count, agent.bytes, agent.pruned_id, agent_id);
  }
}
