// What happened since a moment, in a few numbers, each with the events to look at: changed files, failures, questions.
// Events come in as the stream brings them, history and live alike; the costs are the caller's to compare.

import type { TownEvent } from "../protocol/protocol.ts";
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

/** Of each kind; beyond it they are only counted, and the newest are kept. */
export const MENTIONS_MAX = 50;
/** Names that are told apart; one beyond them counts each time. */
const NAMES_MAX = 10_000;

/** What settles a question counts however late it comes. */
const SETTLING: ReadonlySet<string> = new Set(["agent_question_answered", "agent.exited"]);

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

  /** One is settled. */
  drop(event_id: number): void {
    this.#keep((mention) => mention.event_id !== event_id);
  }

  /** Their agent is gone, and there is nothing to look at. */
  forget(agent_id: string): void {
    this.#keep((mention) => mention.agent_id !== agent_id);
  }

  #keep(stays: (mention: Mention) => boolean): void {
    const left = this.#latest.filter(stays);
    this.#count -= this.#latest.length - left.length;
    this.#latest = left;
  }
}

export class Digest {
  /** Only what came after this event counts. */
  readonly after_id: number;
  readonly files = new Mentions();
  readonly failures = new Mentions();
  readonly questions = new Mentions();
  #isClosed = false;
  /** Questions that are open, by agent, run and request. */
  readonly #open = new Map<string, number>();
  /** By agent, its latest failure and the run that it was in. */
  readonly #errors = new Map<string, string>();

  constructor(after_id: number) {
    this.after_id = after_id;
  }

  /** Takes out what an agent did that is gone. */
  forget(agent_id: string): void {
    for (const mentions of [this.files, this.failures, this.questions]) mentions.forget(agent_id);
  }

  get isEmpty(): boolean {
    return this.files.count === 0 && this.failures.count === 0 && this.questions.count === 0;
  }

  /** The reader looks again: what comes from now on is seen as it comes. Open questions can still be answered. */
  close(): void {
    this.#isClosed = true;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  take(event: TownEvent): void {
    if (event.id <= this.after_id || (this.#isClosed && !SETTLING.has(event.event))) return;
    const known = knownEvent(event);
    const mention = (text: string): Mention => ({ agent_id: event.agent_id, event_id: event.id, at: event.at, text });
    const question = (request_id: string): string => `${event.agent_id} ${event.run_id ?? ""} ${request_id}`;
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
        // Nobody can answer any more.
        this.#settle((name) => name.startsWith(question("")));
        if (this.#isClosed) return;
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
      case "agent_question":
        this.#open.set(question(known.data.request_id), event.id);
        return this.questions.add(mention(known.data.detail));
      case "agent_question_answered": {
        const answered = question(known.data.request_id);
        return this.#settle((name) => name === answered);
      }
      default:
        return;
    }
  }

  #settle(isSettled: (name: string) => boolean): void {
    for (const [name, asked] of this.#open) {
      if (!isSettled(name)) continue;
      this.#open.delete(name);
      this.questions.drop(asked);
    }
  }
}
