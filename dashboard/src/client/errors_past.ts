// The last error of agents in their latest run, from before the stream began: of a run that failed what made it fail, of one
// that goes on what failed lately. What failed in a run that ended well only its own page tells.

import type { AgentState, EventsPage, TownEvent } from "../protocol/protocol.ts";
import { atWork, hasFailed } from "./attention.ts";
import type { Mention } from "./digest.ts";
import type { Errand, PageWish } from "./errands.ts";
import { LastErrors } from "./last_errors.ts";

/** What made a run fail mostly stands near its end; what failed longer ago in a run that goes on was overcome. */
const FIRST_EVENTS = 20;
const PAGE_EVENTS = 100;
/** What lies further before the end of a run did not make it fail. */
const EVENTS_MAX = 220;
/** Of more agents, those that stand last in the town keep theirs to themselves. */
const AGENTS_MAX = 50;

interface ErrorWish extends PageWish {
  readonly agent_id: string;
  readonly run_id: string;
  readonly isOver: boolean;
}

export interface ErrorSource {
  agents(): readonly AgentState[];
  /** The stream tells what comes behind this event; Infinity until that is known. */
  readonly begins_behind: number;
  /** The life of the log. */
  readonly epoch: string | null;
  lastError(agent_id: string): Mention | null;
  offerError(error: Mention, run_id: string): void;
}

export class ErrorsPast implements Errand<ErrorWish> {
  readonly #source: ErrorSource;
  #epoch: string | null = null;
  /** Runs that were looked through, by agent. */
  readonly #looked = new Map<string, string>();
  /** What was found of the run that is being looked through, oldest first. */
  #found: TownEvent[] = [];
  #run_id: string | null = null;

  constructor(source: ErrorSource) {
    this.#source = source;
  }

  wish(): ErrorWish | null {
    const { epoch, begins_behind } = this.#source;
    if (epoch !== this.#epoch) this.#looked.clear();
    this.#epoch = epoch;
    if (epoch === null || this.#looked.size >= AGENTS_MAX) return null;
    const agent = this.#source.agents().find((one) => this.#isWanted(one));
    if (agent?.run_id == null) return null;
    const { agent_id, run_id } = agent;
    if (run_id !== this.#run_id) [this.#run_id, this.#found] = [run_id, []];
    const [oldest] = this.#found;
    const kinds = LastErrors.EVENTS.map((name) => `&event=${name}`).join("");
    const limit = oldest === undefined ? FIRST_EVENTS : PAGE_EVENTS;
    const query = `before_id=${oldest?.id ?? begins_behind + 1}&limit=${limit}&run_id=${run_id}${kinds}`;
    return { agent_id, run_id, isOver: !atWork(agent), urgency: "soon", query };
  }

  take({ agent_id, run_id, isOver }: ErrorWish, page: EventsPage): void {
    if (run_id !== this.#run_id) return;
    this.#found = [...page.events, ...this.#found];
    const errors = new LastErrors();
    for (const event of this.#found) errors.take(event);
    const error = errors.of(agent_id);
    if (error !== null) this.#source.offerError(error, run_id);
    const isEnough = error !== null || page.events.length === 0 || !isOver || this.#found.length >= EVENTS_MAX;
    if (isEnough) this.#looked.set(agent_id, run_id);
  }

  gone({ agent_id, run_id }: ErrorWish): void {
    this.#looked.set(agent_id, run_id);
  }

  /** What the stream told of the run is newer. */
  #isWanted(agent: AgentState): boolean {
    const { agent_id, run_id } = agent;
    if (run_id === null || !(hasFailed(agent) || atWork(agent)) || this.#looked.get(agent_id) === run_id) return false;
    return this.#source.lastError(agent_id) === null;
  }
}
