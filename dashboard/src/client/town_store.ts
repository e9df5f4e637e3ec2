// What a tab knows of one town: its agents' states and their rows, fed by one stream.

import type { AgentState, Gap, TownEvent } from "../protocol/protocol.ts";
import { Changes } from "./changes.ts";
import type { Schedule } from "./changes.ts";
import type { ConnectionState } from "./connection.ts";
import { EventLog } from "./event_log.ts";
import type { Typed } from "./previews.ts";
import type { StreamConsumer } from "./stream.ts";

export class TownStore implements StreamConsumer {
  readonly agentsChanges: Changes;
  readonly connectionChanges: Changes;
  readonly #schedule: Schedule;
  readonly #agents = new Map<string, AgentState>();
  readonly #logs = new Map<string, EventLog>();
  #connection: ConnectionState = { kind: "connecting" };
  #problem: string | null = null;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.agentsChanges = new Changes(schedule);
    this.connectionChanges = new Changes(schedule);
  }

  get connectionState(): ConnectionState {
    return this.#connection;
  }

  /** What the server last disliked on this stream. */
  get lastProblem(): string | null {
    return this.#problem;
  }

  agent(agent_id: string): AgentState | undefined {
    return this.#agents.get(agent_id);
  }

  /** Those at work first, then by the newest start: a card moves only when its run begins or ends. */
  agents(): AgentState[] {
    return [...this.#agents.values()].sort(
      (one, other) =>
        Number(atWork(other)) - Number(atWork(one)) ||
        (other.started_at ?? "").localeCompare(one.started_at ?? "") ||
        one.agent_id.localeCompare(other.agent_id),
    );
  }

  /** The agent's log; begins empty for an agent that nothing is known of yet. */
  log(agent_id: string): EventLog {
    let log = this.#logs.get(agent_id);
    if (log === undefined) {
      log = new EventLog(this.#schedule);
      this.#logs.set(agent_id, log);
    }
    return log;
  }

  /** A state from an answer of the REST API, which may be older than what the stream brought meanwhile. */
  offerAgent(agent: AgentState): void {
    const current = this.#agents.get(agent.agent_id);
    const newer =
      current === undefined ||
      agent.run_number > current.run_number ||
      (agent.last_event_id ?? 0) > (current.last_event_id ?? 0);
    if (newer) this.state(agent);
  }

  state(agent: AgentState): void {
    this.#agents.set(agent.agent_id, agent);
    this.agentsChanges.touch();
  }

  events(events: readonly TownEvent[]): void {
    for (const event of events) this.log(event.agent_id).append(event);
  }

  gap(gap: Gap): void {
    this.log(gap.agent_id).appendGap(gap);
  }

  preview(agent_id: string, typed: readonly Typed[]): void {
    this.log(agent_id).type(typed);
  }

  problem(code: string, message: string): void {
    this.#problem = `${message} (${code})`;
    this.connectionChanges.touch();
  }

  connection(state: ConnectionState): void {
    this.#connection = state;
    this.connectionChanges.touch();
  }

  reset(): void {
    this.#agents.clear();
    this.agentsChanges.touch();
    // The logs themselves stay: views listen to them.
    for (const log of this.#logs.values()) log.clear();
  }
}

/** Whether a run is under way. */
export function atWork(agent: AgentState): boolean {
  return agent.status === "starting" || agent.status === "running" || agent.status === "waiting" || agent.status === "stopping";
}
