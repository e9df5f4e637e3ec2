// What happened since a moment, in a few numbers, each with the events to look at: changed files and failures. What came
// before the stream began is fetched, and then counts before what the stream brings. Open questions are in the agents'
// states, and the costs are the caller's to compare.

import type { AgentState, TownEvent } from "../protocol/protocol.ts";
import { isFailure } from "./attention.ts";
import { knownEvent } from "./event_shape.ts";
import { WARNING_CODE } from "./notes.ts";

/** One thing worth a link. */
export interface Mention {
  readonly agent_id: string;
  readonly event_id: number;
  readonly at: string;
  readonly text: string;
}

/** The events that count. */
export const DIGEST_EVENTS = ["file_changed", "agent_error", "run_failed", "agent.exited"];
/** Of each kind; beyond it they are only counted, and the newest are kept. */
export const MENTIONS_MAX = 50;
/** Names that are told apart; one beyond them counts each time. */
const NAMES_MAX = 10_000;
/** Events that wait until those before them are here; beyond it the oldest are left out, and the digest says so. */
const WAITING_MAX = 2_000;

/** Mentions of one kind. */
export class Mentions {
  #count = 0;
  #latest: Mention[] = [];
  readonly #names = new Set<string>();

  /** All there were. */
  get count(): number {
    return this.#count;
  }

  /** The newest first. */
  get latest(): readonly Mention[] {
    return this.#latest;
  }

  add(mention: Mention): void {
    this.#count += 1;
    this.#latest = [mention, ...this.#latest].slice(0, MENTIONS_MAX);
  }

  /** Instead of an older mention of the same. */
  renew(mention: Mention): void {
    const name = `${mention.agent_id} ${mention.text}`;
    if (!this.#names.has(name)) this.#count += 1;
    if (this.#names.size < NAMES_MAX) this.#names.add(name);
    const others = this.#latest.filter((other) => other.agent_id !== mention.agent_id || other.text !== mention.text);
    this.#latest = [mention, ...others].slice(0, MENTIONS_MAX);
  }

  /** Their agent is gone, and there is nothing to look at. */
  forget(agent_id: string): void {
    const left = this.#latest.filter((mention) => mention.agent_id !== agent_id);
    this.#count -= this.#latest.length - left.length;
    this.#latest = left;
  }
}

export class Digest {
  /** Only what came after this event counts. */
  readonly after_id: number;
  readonly files = new Mentions();
  readonly failures = new Mentions();
  /** The reader looks since this event. */
  #closed_at = Infinity;
  /** What the stream brings while the events before it are not here yet; null once they are. */
  #waiting: TownEvent[] | null;
  #isPartial = false;
  /** Agents that were deleted before what they did came here. */
  readonly #gone = new Set<string>();
  /** By agent, its latest failure and the run that it was in. */
  readonly #errors = new Map<string, string>();

  /** `lacksPast`: what came before the stream began has still to be told. */
  constructor(after_id: number, lacksPast = false) {
    this.after_id = after_id;
    this.#waiting = lacksPast ? [] : null;
  }

  /** Takes out what an agent did that is gone. */
  forget(agent_id: string): void {
    for (const mentions of [this.files, this.failures]) mentions.forget(agent_id);
    if (this.#waiting === null) return;
    this.#waiting = this.#waiting.filter((event) => event.agent_id !== agent_id);
    this.#gone.add(agent_id);
  }

  get isEmpty(): boolean {
    return this.files.count === 0 && this.failures.count === 0 && (this.#waiting?.length ?? 0) === 0;
  }

  /** Whether what came before the stream began is not here yet. */
  get lacksPast(): boolean {
    return this.#waiting !== null;
  }

  /** Whether so much happened that only the newest was counted. */
  get isPartial(): boolean {
    return this.#isPartial;
  }

  /** The reader looks again, and this event was the newest: what comes behind it is seen as it comes. */
  close(id: number): void {
    this.#closed_at = Math.min(this.#closed_at, id);
  }

  get isClosed(): boolean {
    return this.#closed_at !== Infinity;
  }

  /** The questions of these agents that were asked meanwhile and are open, the newest first. */
  questions(agents: readonly AgentState[]): Mention[] {
    const all = agents.flatMap(({ agent_id, questions }) => questions.map((question) => ({ agent_id, ...question })));
    return all
      .filter(({ event_id }) => event_id > this.after_id && event_id <= this.#closed_at)
      .sort((one, other) => other.event_id - one.event_id)
      .map(({ agent_id, event_id, since, detail }) => ({ agent_id, event_id, at: since, text: detail }));
  }

  take(event: TownEvent): void {
    if (event.id <= this.after_id || event.id > this.#closed_at) return;
    if (this.#waiting === null) return this.#count(event);
    if (!DIGEST_EVENTS.includes(event.event)) return;
    this.#waiting.push(event);
    if (this.#waiting.length <= WAITING_MAX) return;
    this.#waiting.shift();
    this.#isPartial = true;
  }

  /** What came before the stream began, oldest first; `isAll` unless there was more than is counted. */
  takePast(events: readonly TownEvent[], isAll: boolean): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    if (!isAll) this.#isPartial = true;
    for (const event of [...events.filter(({ agent_id }) => !this.#gone.has(agent_id)), ...waiting]) this.take(event);
  }

  #count(event: TownEvent): void {
    const known = knownEvent(event);
    const mention = (text: string): Mention => ({ agent_id: event.agent_id, event_id: event.id, at: event.at, text });
    const inRun = (message: string): string => `${event.run_id ?? ""} ${message}`;
    const fail = (message: string): void => {
      this.#errors.set(event.agent_id, inRun(message));
      this.failures.add(mention(message));
    };
    switch (known?.event) {
      case "file_changed":
        return this.files.renew(mention(known.data.path));
      case "agent.exited": {
        const { reason, message } = known.data;
        // A run that fails by an error repeats it as it ends.
        if (message !== undefined && this.#errors.get(event.agent_id) === inRun(message)) return;
        if (isFailure(reason)) {
          this.failures.add(mention(message ?? { failed: "The run failed", timeout: "The run ran out of time", budget_exceeded: "A budget was used up", lost: "The run was lost" }[reason]));
        }
        return;
      }
      case "agent_error":
        if (known.data.retryable === true || known.data.code === WARNING_CODE) return;
        return fail(known.data.message);
      case "run_failed":
        return fail(known.data.error);
      default:
        return;
    }
  }
}
