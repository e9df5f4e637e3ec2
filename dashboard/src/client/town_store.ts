// What a tab knows of one town: its agents' states and their rows, fed by one stream.

import type { AgentState, Gap, TownEvent } from "../protocol/protocol.ts";
import { inOrder } from "./attention.ts";
import { Changes } from "./changes.ts";
import type { ConnectionState } from "./connection.ts";
import type { Mention } from "./digest.ts";
import { Digest } from "./digest.ts";
import { DigestPast } from "./digest_past.ts";
import type { Errand } from "./errands.ts";
import { ErrorsPast } from "./errors_past.ts";
import { EventLog } from "./event_log.ts";
import { LastErrors } from "./last_errors.ts";
import type { Schedule } from "./listeners.ts";
import { Listeners } from "./listeners.ts";
import type { News } from "./news.ts";
import { newsOf } from "./news.ts";
import type { Typed } from "./previews.ts";
import type { Bounds } from "./rows.ts";
import type { StreamConsumer } from "./stream_consumer.ts";

/** How much a tab keeps of all agents together: 100,000 rows are some 150,000 events, for a call and its result are one. */
const EVERYTHING: Bounds = { events: 160_000, characters: 256 * 1024 * 1024 };

export class TownStore implements StreamConsumer {
  readonly agentsChanges: Changes;
  readonly connectionChanges: Changes;
  readonly #schedule: Schedule;
  readonly #agents = new Map<string, AgentState>();
  readonly #logs = new Map<string, EventLog>();
  #everything: EventLog | null = null;
  #connection: ConnectionState = { kind: "connecting" };
  readonly #connectionListeners: Listeners<ConnectionState>;
  #epoch: string | null = null;
  /** The stream tells what comes behind this event; Infinity until that is known. */
  #begins_behind = Infinity;
  #problem: string | null = null;
  /** Agents of which no state has come since the stream began to tell them all. */
  readonly #unconfirmed = new Set<string>();
  #archiveMoves = 0;
  readonly #errors = new LastErrors();
  #digest = seen();
  readonly #news: Listeners<News>;
  /** What the town's page needs from before the stream began. */
  readonly errands: readonly Errand[] = [new DigestPast(this), new ErrorsPast(this)];

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.#news = new Listeners(schedule);
    this.#connectionListeners = new Listeners(schedule);
    this.agentsChanges = new Changes(schedule);
    this.connectionChanges = new Changes(schedule);
  }

  get connectionState(): ConnectionState {
    return this.#connection;
  }

  /** Is told at once. The returned function ends it. */
  listenToConnection(listener: (state: ConnectionState) => void): () => void {
    return this.#connectionListeners.add(listener);
  }

  /** The life of the log that the stream follows. */
  get epoch(): string | null {
    return this.#epoch;
  }

  /** The stream tells what comes behind this event; Infinity until that is known. */
  get begins_behind(): number {
    return this.#begins_behind;
  }

  /** What the server last disliked on this stream. */
  get lastProblem(): string | null {
    return this.#problem;
  }

  agent(agent_id: string): AgentState | undefined {
    return this.#agents.get(agent_id);
  }

  /** Those first who need a person most, without archived ones. */
  agents(): AgentState[] {
    return inOrder([...this.#agents.values()].filter(({ archived_at }) => archived_at === undefined));
  }

  /** How often this tab was told that an agent was archived, or came back. */
  get archiveMoves(): number {
    return this.#archiveMoves;
  }

  /** What failed last in the agent's latest run. */
  lastError(agent_id: string): Mention | null {
    return this.#errors.of(agent_id);
  }

  /** One from before the stream began, of the agent's run. */
  offerError(error: Mention, run_id: string): void {
    if (this.#agents.get(error.agent_id)?.run_id !== run_id) return;
    this.#errors.offer(error, run_id);
    this.agentsChanges.touch();
  }

  /** What happened while nobody looked. */
  get digest(): Digest {
    return this.#digest;
  }

  /** From this event on nobody looked. */
  awaySince(after_id: number): void {
    this.#digest = new Digest(after_id, after_id < this.#begins_behind);
    this.agentsChanges.touch();
  }

  /** The reader has seen what there was to see. */
  dismissDigest(): void {
    this.#digest = seen();
    this.agentsChanges.touch();
  }

  /** Is told when a run ends, fails or asks. The returned function ends it. */
  listenToNews(listener: (news: News) => void): () => void {
    return this.#news.add(listener);
  }

  /** The agent's log; begins empty for an agent that nothing is known of yet. */
  log(agent_id: string): EventLog {
    let log = this.#logs.get(agent_id);
    if (log === undefined) {
      log = new EventLog(this.#schedule);
      log.beginsBehind(this.#begins_behind);
      this.#logs.set(agent_id, log);
    }
    return log;
  }

  /** All agents' events in one list; made when it is first looked at, and kept up from then on. */
  get everything(): EventLog {
    if (this.#everything === null) {
      this.#everything = new EventLog(this.#schedule, EVERYTHING);
      // All that the stream told, which one of the logs may have let go of.
      const behind = Math.max(this.#begins_behind, ...[...this.#logs.values()].map((log) => log.begins_behind));
      const events = [...this.#logs.values()].flatMap((log) => log.events()).filter(({ id }) => id > behind);
      for (const event of events.sort((one, other) => one.id - other.id)) this.#everything.append(event);
      this.#everything.beginsBehind(behind);
    }
    return this.#everything;
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

  /** The state that a change led to: no event tells of it, so it is taken unless later ones are known. */
  changedAgent(agent: AgentState): void {
    const current = this.#agents.get(agent.agent_id);
    if ((agent.last_event_id ?? 0) >= (current?.last_event_id ?? 0)) this.state(agent);
  }

  state(agent: AgentState): void {
    this.#unconfirmed.delete(agent.agent_id);
    if (isAnother(this.#agents.get(agent.agent_id), agent)) this.#forget(agent.agent_id);
    const before = this.#agents.get(agent.agent_id) ?? null;
    // Who is first heard of while history comes in did not begin just now.
    const isSilent = before === null && (this.#connection.kind !== "live" || agent.archived_at !== undefined);
    const news = isSilent ? null : newsOf(before, agent);
    if (before?.archived_at !== agent.archived_at) this.#archiveMoves += 1;
    this.#agents.set(agent.agent_id, agent);
    this.agentsChanges.touch();
    if (news !== null) this.#news.tell(news);
  }

  statesFollow(): void {
    // A town's stream does not tell the states of archived agents.
    for (const [agent_id, { archived_at }] of this.#agents) if (archived_at === undefined) this.#unconfirmed.add(agent_id);
  }

  statesAreHere(id: number): void {
    if (this.#unconfirmed.size === 0) return;
    // They were deleted, or archived: of those the log is still there, and comes again when it is looked at.
    for (const agent_id of this.#unconfirmed) {
      this.agentDeleted(agent_id);
      this.#logs.get(agent_id)?.beginsBehind(id);
    }
    this.#archiveMoves += 1;
    this.#everything?.clear();
    this.#everything?.beginsBehind(id);
    this.#unconfirmed.clear();
  }

  agentDeleted(agent_id: string): void {
    const known = this.#agents.get(agent_id);
    // One that this tab does not know may have been archived.
    if (known === undefined || known.archived_at !== undefined) this.#archiveMoves += 1;
    this.#forget(agent_id);
    this.agentsChanges.touch();
  }

  /** Nothing of it is shown any more. The logs themselves stay: views listen to them. */
  #forget(agent_id: string): void {
    this.#agents.delete(agent_id);
    this.#errors.forget(agent_id);
    this.#digest.forget(agent_id);
    this.#logs.get(agent_id)?.clear();
    this.#everything?.forget(agent_id);
  }

  events(events: readonly TownEvent[]): void {
    for (const event of events) {
      this.log(event.agent_id).append(event);
      this.#everything?.append(event);
      const hasError = this.#errors.take(event);
      this.#digest.take(event);
      // What else happens comes with a state of its own.
      if (hasError || !this.#digest.isClosed) this.agentsChanges.touch();
    }
  }

  gap(gap: Gap): void {
    this.log(gap.agent_id).appendGap(gap);
    this.#everything?.appendGap(gap);
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
    this.#connectionListeners.tell(state);
  }

  beginsBehind(epoch: string, id: number): void {
    [this.#epoch, this.#begins_behind] = [epoch, id];
    // Nothing has happened before.
    if (this.#digest.lacksPast && this.#digest.after_id >= id) this.#digest.takePast([], true);
    this.#allLogsBeginBehind(id);
  }

  #allLogsBeginBehind(id: number): void {
    for (const log of this.#logs.values()) log.beginsBehind(id);
    this.#everything?.beginsBehind(id);
  }

  reset(): void {
    [this.#epoch, this.#begins_behind] = [null, Infinity];
    this.#agents.clear();
    this.#unconfirmed.clear();
    this.#errors.clear();
    this.#digest = new Digest(0, true);
    this.agentsChanges.touch();
    // The logs themselves stay: views listen to them.
    for (const log of this.#logs.values()) log.clear();
    this.#everything?.clear();
    this.#allLogsBeginBehind(Infinity);
  }
}

/** Whether an agent is a new one under the id of one that was deleted: its runs begin anew, while a run's first event stays. */
function isAnother(before: AgentState | undefined, agent: AgentState): boolean {
  if (before === undefined || agent.run_number > before.run_number) return false;
  return before.first_event_id !== null && (agent.first_event_id ?? Infinity) > before.first_event_id;
}

/** The digest of who has seen everything. */
function seen(): Digest {
  const digest = new Digest(Number.MAX_SAFE_INTEGER);
  digest.close(0);
  return digest;
}

export { atWork } from "./attention.ts";
