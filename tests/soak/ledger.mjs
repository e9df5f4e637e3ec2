// The oracle's book: every event that anybody was shown, once, by its id, and what each reader had of them. It knows
// nothing of how the product works; what must hold is said here in the words of the contract.

import assert from "node:assert/strict";

export class Ledger {
  /** Events by id, as whoever saw them first did: the event parsed, and its raw text. */
  events = new Map();
  texts = new Map();
  /** What was found wrong, by anyone. */
  problems = [];
  /** Ends of runs seen so far: run_id to the event. */
  ends = new Map();
  #countOf = new Map();

  /** `cap`: how many events of an agent the town keeps. */
  constructor(cap) {
    this.cap = cap;
  }

  wrong(words) {
    this.problems.push(new Error(words));
  }

  /** Throws what was found wrong so far. */
  check() {
    if (this.problems.length > 0) throw new AggregateError(this.problems.slice(0, 20), String(this.problems[0]));
  }

  /** Somebody was shown an event: the first word counts, and every other has to be the same, byte for byte. */
  see(who, event, text) {
    const known = this.texts.get(event.id);
    if (known !== undefined) {
      if (known !== text) this.wrong(`${who}: event ${event.id} is ${text.slice(0, 300)}; others have ${known.slice(0, 300)}`);
      return;
    }
    this.texts.set(event.id, text);
    this.events.set(event.id, event);
    this.#countOf.set(event.agent_id, this.countOf(event.agent_id) + 1);
    if (event.event !== "agent.exited") return;
    if (this.ends.has(event.run_id)) this.wrong(`run ${event.run_id} ends twice, at ${this.ends.get(event.run_id).id} and ${event.id}`);
    this.ends.set(event.run_id, event);
  }

  countOf(agent_id) {
    return this.#countOf.get(agent_id) ?? 0;
  }

  /** All events in the order of their ids. */
  inOrder() {
    return [...this.events.values()].sort((a, b) => a.id - b.id);
  }

  /** The events of each agent, in order. */
  byAgent() {
    return Map.groupBy(this.inOrder(), ({ agent_id }) => agent_id);
  }

  /** Ids are given without a hole, and a run ends once: with its last event. */
  checkLog(head) {
    const events = this.inOrder();
    assert.equal(events.length, head, "somebody saw every event that was ever given an id");
    events.forEach(({ id }, index) => assert.equal(id, index + 1));
    for (const [run_id, run] of Map.groupBy(events, (event) => event.run_id)) {
      const ends = run.filter(({ event }) => event === "agent.exited");
      assert.equal(ends.length, 1, `run ${run_id} of ${run[0].agent_id} has ${ends.length} ends`);
      assert.equal(run.at(-1).id, ends[0].id, `run ${run_id} goes on after its end`);
      assert.ok(run.every(({ agent_id }) => agent_id === run[0].agent_id), `run ${run_id} is of one agent`);
    }
  }

  /** What the town still has is the newest of each agent, as many as it keeps; the texts are the known ones. */
  checkRetained(pages) {
    const retained = Map.groupBy(pages, ({ event }) => event.agent_id);
    for (const [agent_id, events] of this.byAgent()) {
      const kept = (retained.get(agent_id) ?? []).map(({ event }) => event.id);
      assert.deepEqual(kept, events.slice(-this.cap).map(({ id }) => id), `what is kept of ${agent_id}`);
    }
    for (const { event, text } of pages) assert.equal(text, this.texts.get(event.id), `event ${event.id} in the pages`);
    assert.deepEqual(pages.map(({ event }) => event.id), pages.map(({ event }) => event.id).sort((a, b) => a - b));
  }
}

/** What one reader had, over all its connections. */
export class Reading {
  ledger;
  name;
  agent_id;
  sent;
  mayBeElided;
  ids = [];
  gaps = [];
  /** By agent, the newest event's id. */
  #last = new Map();

  /**
   * - `agent_id`: whose events it reads; none: all
   * - `sent(agent_id)`: how many events the sources have sent of an agent at this moment
   * - `mayBeElided`: whether it may be left out of what matters least, if told
   */
  constructor(ledger, { name, agent_id = null, sent, mayBeElided = false }) {
    Object.assign(this, { ledger, name, agent_id, sent, mayBeElided });
  }

  get last_id() {
    return this.ids.at(-1) ?? 0;
  }

  #must(holds, words) {
    if (!holds) this.ledger.wrong(`${this.name}: ${words}`);
  }

  take(event, text) {
    this.#must(Number.isSafeInteger(event.id) && event.id > this.last_id, `event ${event.id} after event ${this.last_id}`);
    this.#must(this.agent_id === null || event.agent_id === this.agent_id, `event ${event.id} is of ${event.agent_id}`);
    this.ids.push(event.id);
    this.#last.set(event.agent_id, event.id);
    this.ledger.see(this.name, event, text);
  }

  /** It is told that it misses something for good. How much can be gone at most is what was sent beyond the cap. */
  gap(gap) {
    const { agent_id, from, to, reason } = gap;
    const words = JSON.stringify(gap);
    this.#must(this.agent_id === null || agent_id === this.agent_id, `a gap of another's: ${words}`);
    this.#must(from <= to && from > (this.#last.get(agent_id) ?? 0), `a gap over what it has: ${words}`);
    this.#must(reason === "pruned" || (reason === "elided" && this.mayBeElided), `a gap for no reason: ${words}`);
    this.gaps.push({ ...gap, gone_max: this.sent(agent_id) - this.ledger.cap });
  }

  /** At the end: it has had every event of its agents, or was told that it is gone, and not both. */
  settle() {
    const { name } = this;
    const gaps = Map.groupBy(this.gaps, ({ agent_id }) => agent_id);
    const had = new Set(this.ids);
    for (const [agent_id, events] of this.ledger.byAgent()) {
      if (this.agent_id !== null && agent_id !== this.agent_id) continue;
      const missed = gaps.get(agent_id) ?? [];
      for (const { id } of events) {
        const told = missed.some(({ from, to }) => from <= id && id <= to);
        const words = `${had.has(id) ? "" : "not "}shown, and ${told ? "" : "not "}told that it is gone`;
        assert.notEqual(told, had.has(id), `${name}: event ${id} of ${agent_id} was ${words}`);
      }
      for (const { from, to, count, reason, gone_max } of missed) {
        const inside = events.filter(({ id }) => from <= id && id <= to);
        assert.ok(inside.length > 0, `${name}: a gap of ${agent_id} in which there was nothing, ${from} to ${to}`);
        if (count !== undefined) assert.equal(count, inside.length, `${name}: the gap of ${agent_id}, ${from} to ${to}`);
        if (reason === "elided") {
          for (const { event } of inside) assert.match(event, ELIDABLE, `${name}: a ${event} was elided`);
        } else {
          const gone = events.filter(({ id }) => id <= to).length;
          assert.ok(gone <= gone_max, `${name}: told that ${gone} of ${agent_id} were gone when at most ${gone_max} were`);
        }
      }
    }
    return had.size;
  }
}

/** What may be left out under pressure: output, progress, files, tool results. */
const ELIDABLE = /^(agent_output|progress_update|file_changed|agent_tool_result)$/;
