// The last choice, for where nothing may stay open: a request that is answered as soon as something happened, and then
// the next. Agents' states are asked for beside it, for pages have only events.

import type { EventsPage } from "../protocol/protocol.ts";
import { ApiFailure, failureWords } from "./api.ts";
import type { OpenLine } from "./line.ts";

const WAIT_MS = 20_000;

export const openPollLine: OpenLine = (edges, cursor, handlers) => {
  let closed = false;
  let at = cursor;
  let greeted = false;
  let caughtUp = false;
  let known: readonly string[] = [];

  function hello(page: EventsPage): void {
    const { head, oldest_id } = page;
    [greeted, caughtUp] = [true, false];
    const reset = page.reset ?? false;
    handlers.frame({ type: "hello", protocol: 1, town_id: "", epoch: page.epoch, head, oldest_id, reset }, 0);
  }

  /** No page says that an agent was deleted: it is not among the others any more. */
  async function states(): Promise<void> {
    const agents = await edges.agents();
    if (closed) return;
    const gone = known.filter((agent_id) => !agents.some((agent) => agent.agent_id === agent_id));
    known = agents.map(({ agent_id }) => agent_id);
    for (const agent_id of gone) handlers.frame({ type: "agent_deleted", agent_id }, 0);
    for (const agent of agents) handlers.frame({ type: "state", agent }, 0);
  }

  function take(page: EventsPage): void {
    for (const gap of page.gaps) handlers.frame({ type: "gap", ...gap }, 0);
    at = { epoch: page.epoch, after_id: page.next_after_id };
    if (page.events.length > 0) handlers.frame({ type: "events", events: page.events, backfill: !caughtUp }, 0);
    const atHead = page.next_after_id >= page.head;
    if (atHead && !caughtUp) handlers.frame({ type: "caught_up", id: page.head }, 0);
    caughtUp = atHead;
    // A sign of life, also where nothing happened.
    handlers.frame({ type: "heartbeat", at: new Date(edges.clock.now_ms()).toISOString(), id: page.head }, 0);
  }

  async function poll(): Promise<void> {
    while (!closed) {
      // The first answer is wanted at once: it says that this works.
      const page = await edges.eventsAfter(at, caughtUp ? WAIT_MS : 0);
      if (closed) return;
      if (at !== null && page.epoch !== at.epoch && page.reset !== true) {
        // The log got another life while the request waited: its answer begins where the old one was.
        [at, greeted, caughtUp] = [null, false, false];
        continue;
      }
      if (!greeted || page.reset === true) hello(page);
      await states();
      if (closed) return;
      take(page);
    }
  }

  poll().catch((thrown: unknown) => {
    if (closed) return;
    handlers.end(thrown instanceof ApiFailure ? { kind: "refused", failure: thrown } : { kind: "closed", code: 1006, reason: failureWords(thrown) });
  });
  return {
    beat_ms: WAIT_MS + 5_000,
    ping: () => false,
    acknowledge: () => {},
    close: () => {
      closed = true;
    },
  };
};
