// What of a town's past this tab fetches: the logs that are looked at, and what the town's page needs beside them. Nothing is
// fetched before the stream is live, for that goes first. What fails says so, and is tried again with the back-off of a
// connection.

import type { EventsPage } from "../protocol/protocol.ts";
import { ApiFailure, failureWords } from "./api.ts";
import { backoff_ms } from "./backoff.ts";
import type { Clock } from "./edges.ts";
import type { Errand, PageWish, Urgency } from "./errands.ts";
import { nextErrand } from "./errands.ts";
import type { PastStanding } from "./log_past.ts";
import { LogPast } from "./log_past.ts";
import type { TownStore } from "./town_store.ts";

/** A frame is drawn, and others have their turn, before the next page that nobody waits for. */
const PAUSE_MS = 30;
/** A page has so long to come. */
const ANSWER_MS = 30_000;
/** Refusals that another try would only meet again. */
const FINAL = [400, 401, 403];

/** A page of an agent's events, or of all agents'. */
export type ReadPage = (agent_id: string | null, query: string) => Promise<EventsPage>;

export interface Past {
  readonly standing: PastStanding;
  /** Why it does not come, while it is waited for another try. */
  readonly problem: string | null;
}

interface Running {
  readonly errand: Errand;
  /** Is told when something came, or that it failed. */
  readonly told: (failure: unknown) => void;
  under_way: Urgency | null;
  attempt: number;
  due_ms: number;
  problem: string | null;
}

interface Waiter {
  readonly past: LogPast;
  readonly id: number;
  readonly resolve: () => void;
  readonly reject: (failure: unknown) => void;
}

export class TownHistory {
  readonly #store: TownStore;
  readonly #readPage: ReadPage;
  readonly #clock: Clock;
  readonly #pasts = new Map<string | null, LogPast>();
  readonly #running = new Map<Errand, Running>();
  #waiters: readonly Waiter[] = [];
  #isLive = false;
  /** Who looks at the town's page. */
  #townLookers = 0;
  #cancelWake: (() => void) | null = null;

  constructor(store: TownStore, readPage: ReadPage, clock: Clock) {
    [this.#store, this.#readPage, this.#clock] = [store, readPage, clock];
    for (const errand of store.errands) this.#run(errand, () => store.agentsChanges.touch());
    store.listenToConnection(({ kind }) => {
      const wasLive = this.#isLive;
      this.#isLive = kind === "live";
      if (this.#isLive && !wasLive) this.#tryAgain();
      this.step();
    });
  }

  /** Somebody looks at the town's page. The returned function ends it. */
  lookAtTown(): () => void {
    this.#townLookers += 1;
    this.step();
    return () => {
      this.#townLookers -= 1;
    };
  }

  /** Somebody looks at an agent's log, or at that of all: its past is fetched. The returned function ends it. */
  look(agent_id: string | null): () => void {
    const end = this.#past(agent_id).look();
    this.step();
    return end;
  }

  /** Brings all of a log from this event on; beyond what a tab keeps by itself, too. */
  reach(agent_id: string | null, id: number): Promise<void> {
    const past = this.#past(agent_id);
    if (past.has(id)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters = [...this.#waiters, { past, id, resolve, reject }];
      past.ask(id);
      this.step();
    });
  }

  /** One page more. */
  older(agent_id: string | null): Promise<void> {
    return this.reach(agent_id, this.#past(agent_id).begins_behind);
  }

  of(agent_id: string | null): Past {
    const past = this.#past(agent_id);
    return { standing: past.standing, problem: this.#running.get(past)?.problem ?? null };
  }

  /** Tries again now what failed. */
  retry(): void {
    this.#tryAgain();
    this.step();
  }

  /** Begins what there is room for. */
  step(): void {
    this.#cancelWake?.();
    this.#cancelWake = null;
    if (!this.#isLive) return;
    for (;;) {
      const all = [...this.#running.values()];
      const waiting = all.flatMap((running) => {
        const isWanted = running.under_way === null && (this.#townLookers > 0 || !this.#store.errands.includes(running.errand));
        const wish = isWanted ? running.errand.wish() : null;
        return wish === null ? [] : [{ running, wish, due_ms: running.due_ms }];
      });
      const now_ms = this.#clock.now_ms();
      const under_way = all.flatMap((running) => running.under_way ?? []);
      const next = nextErrand(waiting, under_way, now_ms);
      if (next !== null) {
        void this.#fetch(next.running, next.wish);
        continue;
      }
      const due_ms = Math.min(...waiting.map((one) => one.due_ms).filter((due) => due > now_ms));
      if (due_ms !== Infinity) this.#cancelWake = this.#clock.after(due_ms - now_ms, () => this.step());
      return;
    }
  }

  stop(): void {
    this.#isLive = false;
    this.#cancelWake?.();
    this.#cancelWake = null;
  }

  #past(agent_id: string | null): LogPast {
    const log = agent_id === null ? this.#store.everything : this.#store.log(agent_id);
    let past = this.#pasts.get(agent_id);
    if (past === undefined) {
      const told = (failure: unknown): void => {
        log.changes.touch();
        this.#tellWaiters(made, failure);
      };
      const made: LogPast = new LogPast(agent_id, log, () => told(null));
      this.#pasts.set(agent_id, made);
      let { life } = log;
      log.changes.listen(() => {
        if (log.life === life) return;
        // Something was taken out of the log: what was waited for may never come, and other pages may be wanted.
        life = log.life;
        this.#tellWaiters(made, null);
        this.step();
      });
      this.#run(made, told);
      past = made;
    }
    return past;
  }

  #run(errand: Errand, told: (failure: unknown) => void): void {
    this.#running.set(errand, { errand, told, under_way: null, attempt: 0, due_ms: 0, problem: null });
  }

  async #fetch(running: Running, wish: PageWish): Promise<void> {
    const { errand } = running;
    running.under_way = wish.urgency;
    let failure: unknown = null;
    try {
      const page = await this.#inTime(this.#readPage(wish.agent_id, wish.query));
      // An answer of another life of the log than the one that the stream follows says nothing here.
      if (page.epoch === this.#store.epoch) errand.take(wish, page);
      else failure = new Error("The town's log has begun anew.");
    } catch (thrown) {
      if (thrown instanceof ApiFailure && thrown.status === 404 && wish.agent_id !== null) errand.gone(wish);
      else failure = thrown;
    }
    running.under_way = null;
    const now_ms = this.#clock.now_ms();
    if (failure === null) {
      [running.attempt, running.problem, running.due_ms] = [0, null, wish.urgency === "idle" ? now_ms + PAUSE_MS : now_ms];
    } else {
      running.attempt += 1;
      running.problem = failureWords(failure);
      const wait_ms = backoff_ms(running.attempt, this.#clock.random());
      const isFinal = failure instanceof ApiFailure && FINAL.includes(failure.status);
      running.due_ms = isFinal ? Infinity : now_ms + Math.max(wait_ms, failure instanceof ApiFailure ? failure.retry_after_ms : 0);
    }
    running.told(failure);
    this.step();
  }

  /** The answer, if it comes in time; on a connection that died nothing else would end the waiting. */
  async #inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
    let cancel = (): void => {};
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(ANSWER_MS, () => reject(new Error("The town did not answer in time.")));
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      cancel();
    }
  }

  #tryAgain(): void {
    for (const running of this.#running.values()) [running.attempt, running.due_ms] = [0, 0];
  }

  #tellWaiters(past: LogPast, failure: unknown): void {
    const mine = this.#waiters.filter((waiter) => waiter.past === past);
    const done = failure === null ? mine.filter(({ id }) => past.has(id)) : mine;
    this.#waiters = this.#waiters.filter((waiter) => !done.includes(waiter));
    if (done.length > 0 && done.length === mine.length) past.askNoMore();
    for (const { resolve, reject } of done) {
      if (failure === null) resolve();
      else reject(failure);
    }
  }
}
