// One phase of the soak: a town with its sources and its readers, driven through rounds of traffic with faults in them,
// until so many events have an id; then all that must hold is looked at.

import assert from "node:assert/strict";

import { present } from "../present.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { seeded, sleep, until } from "../worker/until.mjs";
import { EventStreamWatcher } from "./event_stream_watcher.mjs";
import { Ledger } from "./ledger.mjs";
import { LOUD, Poster, RUN_EVENTS, Runner } from "./sources.mjs";
import { PollWatcher, readPages, StreamWatcher } from "./watchers.mjs";

const POSTERS = 4;
const RUNNERS = 3;
const ROUND_MS = 60_000;
/** A log of 60,000 events takes a minute to read for who is metered. */
const HISTORY_MS = 180_000;
/** An unlucky viewer is cut after at most so many events. */
const LUCK_EVENTS_MAX = 1_000;

/**
 * Runs a phase and gives its counts.
 * - `events`: at least so many get an id
 * - `cap`: `EVENT_CAP`, beyond which two of the agents go, and no other
 * - `rounds`, and in each `faults(phase, round, quiet)`: called in the middle of the traffic, and, `quiet`, after it
 * - `pulls`: with readers by event stream and by pages; a request that waits stands in the way of an eviction
 */
export async function runPhase({ name, seed, events, cap, rounds, faults, evictable = false, pulls = true }) {
  const world = await startWorld({ evictable, vars: { EVENT_CAP: cap } });
  const phase = new Phase(world, { name, seed, cap });
  try {
    await phase.begin(pulls);
    for (let round = 1; round <= rounds; round += 1) {
      const goal = Math.ceil((events * round) / rounds);
      const traffic = Promise.all([phase.traffic(goal), phase.middleOf(goal, () => faults(phase, round, false))]);
      await traffic;
      await phase.quiet();
      await faults(phase, round, true);
      if (round === Math.ceil(rounds * 0.7)) phase.joinLate();
    }
    await phase.end();
    return phase.counts;
  } finally {
    await Promise.race([phase.stop(), sleep(5_000)]);
    await world.stop();
  }
}

class Phase {
  world;
  name;
  cap;
  random;
  ledger;
  counts = { events: 0, evictions: 0, workerKills: 0, controlKills: 0, cuts: 0, prunedGaps: 0, elidedGaps: 0, runs: {} };
  watchers = [];
  posters = [];
  runners = [];
  /** Two agents that say more than the town keeps. */
  chatty = [];
  /** @type {StreamWatcher | null} One that keeps up, and one that is away for long. */
  steady = null;
  /** @type {StreamWatcher | null} */
  sleeper = null;
  #names = 0;

  constructor(world, { name, seed, cap }) {
    Object.assign(this, { world, name, cap, random: seeded(seed), ledger: new Ledger(cap) });
  }

  below(max) {
    return Math.floor(this.random() * max);
  }

  fresh(kind) {
    this.#names += 1;
    return `${kind}-${this.#names}`;
  }

  async begin(pulls) {
    const { world } = this;
    this.town = await world.town(this.name);
    this.chatty = [1, 2].map(() => this.#poster("chatty"));
    const agentStream = (agent_id) => `${this.town.path}/container/agents/${agent_id}/stream`;
    const [one, two] = this.chatty.map(({ agent_id }) => agent_id);
    const luck = () => this.below(LUCK_EVENTS_MAX);
    const away = () => (this.random() < 0.3 ? sleep(this.below(500)) : undefined);
    const town = { path: this.town.stream };
    this.steady = this.#watch({ name: "steady", ...town, acknowledges: true });
    this.#watch({ name: "says nothing", ...town });
    this.#watch({ name: "cut, acknowledges", ...town, acknowledges: true, luck, away });
    this.#watch({ name: "cut, says nothing", ...town, luck, away });
    this.#watch({ name: "cut, of an agent", path: agentStream(one), agent_id: one, luck, away });
    this.#watch({ name: "of an agent", path: agentStream(two), agent_id: two, acknowledges: true });
    const isFar = (from) => () => this.ledger.countOf(two) > from + this.cap + 100 || this.isEnding;
    this.sleeper = this.#watch({
      ...{ name: "away for long", path: agentStream(two), agent_id: two, acknowledges: true, luck: () => this.below(300) },
      away: () => until("more events than the town keeps", isFar(this.ledger.countOf(two)), 3_600_000),
    });
    for (const [index, runner] of [0, 1].entries()) {
      const agent_id = `runner-${index}`;
      this.#watch({ name: `of ${agent_id}, before it is there`, path: agentStream(agent_id), agent_id, acknowledges: runner === 0 });
    }
    if (!pulls) return;
    const readers = [
      new PollWatcher(world, this.ledger, {
        ...{ name: "by pages", path: `${this.town.path}/events`, sent: this.#sent },
        limit: () => 1 + this.below(1_000),
      }),
      new EventStreamWatcher(world, this.ledger, { name: "by event stream", ...town, sent: this.#sent, luck }),
    ];
    this.watchers.push(...readers.map((reader) => reader.start()));
  }

  #sent = (agent_id) => this.posters.find((poster) => poster.agent_id === agent_id)?.sent ?? 0;

  #watch(wishes) {
    const watcher = new StreamWatcher(this.world, this.ledger, { ...wishes, sent: this.#sent }).start();
    this.watchers.push(watcher);
    return watcher;
  }

  joinLate() {
    this.#watch({ name: "late", path: this.town.stream, acknowledges: true });
    this.#watch({ name: "late, says nothing", path: this.town.stream });
  }

  #poster(kind) {
    const poster = new Poster(this.world, this.town, this.ledger, this.fresh(kind), this.random);
    this.posters.push(poster);
    return poster;
  }

  /** All sources at once, until there are `goal` events. */
  async traffic(goal) {
    const isEnough = () => this.ledger.events.size >= goal;
    const posting = Array.from({ length: POSTERS }, async () => {
      /** @type {Poster | null} */
      let poster = null;
      while (!isEnough()) {
        if (poster === null || poster.sent > this.cap * 0.6) poster = this.#poster("poster");
        await poster.post(1 + this.below(poster.sent % 3 === 0 ? 200 : 20));
        await this.#notAhead(poster, 400);
      }
      await poster?.finish();
    });
    const chatting = this.chatty.map(async (poster) => {
      while (!isEnough()) {
        await poster.post(1 + this.below(100));
        await this.#notAhead(poster, 100);
      }
    });
    const running = Array.from({ length: RUNNERS }, async () => {
      while (!isEnough()) {
        const runner = new Runner(this.world, this.town, this.ledger, `runner-${this.runners.length}`, this.random);
        this.runners.push(runner);
        await runner.run(ROUND_MS);
        if (runner.unsure === 0 && (runner.lines ?? Infinity) < this.cap * 0.4 && this.random() < 0.5) await runner.run(ROUND_MS);
      }
    });
    await Promise.all([...posting, ...chatting, ...running]);
  }

  /** So the steady reader is never further behind than what the town keeps. */
  #notAhead(poster, events) {
    const words = () => this.#words();
    return until(`${poster.agent_id}'s events`, () => poster.lag <= events, ROUND_MS, words);
  }

  #words() {
    const problems = this.ledger.problems.map(String).slice(0, 3);
    const where = this.watchers.map(({ name, last_id, isLive, closes }) => ({ name, last_id, isLive, closes }));
    return JSON.stringify({ events: this.ledger.events.size, problems, where });
  }

  /** Calls somewhere between here and the goal. */
  async middleOf(goal, fault) {
    const from = this.ledger.events.size;
    const at = from + this.below(goal - from);
    await until(`event ${at}`, () => this.ledger.events.size >= at, ROUND_MS, () => this.#words());
    await fault();
  }

  /** No run is open, nothing is posted, and who keeps up has all. */
  async quiet() {
    const runners = new Set(this.runners.map(({ agent_id }) => agent_id));
    const isQuiet = async () => {
      const { data } = await this.world.api("GET", this.town.path);
      const open = data.agents.filter((agent) => runners.has(agent.agent_id) && agent.run_id !== null && agent.exit === null);
      return open.length === 0 && this.posters.every(({ lag }) => lag === 0) && present(this.steady).last_id === data.head;
    };
    await until("quiet", isQuiet, ROUND_MS, () => this.#words());
    this.ledger.check();
  }

  /** The town leaves memory and comes back for a few events, which everybody gets. */
  async evict() {
    // Who acknowledges nothing gets 1,000 events of history a second, and who is cut comes back for more: as long as that
    // takes the object has work to do. Only who is away for long asks for nothing.
    const isSettled = (watcher) => watcher.isLive || watcher === this.sleeper;
    await until("all history", () => this.watchers.every(isSettled), HISTORY_MS, () => this.#words());
    const evict = () => this.world.worker.evict("Town", this.town.town_id);
    await until("an eviction", evict, ROUND_MS);
    this.counts.evictions += 1;
    await this.chatty[this.below(2)].post(1 + this.below(20));
    await until("the events after the eviction", () => this.chatty.every(({ lag }) => lag === 0), ROUND_MS, () => this.#words());
  }

  /** 12 MB at once: more than a viewer that acknowledges nothing may be sent, so it is left out of some, and told. */
  async burst() {
    const loud = this.#poster(LOUD);
    for (let posted = 0; posted < RUN_EVENTS; posted += 50) await loud.post(50);
    await until("the burst", () => loud.lag === 0, ROUND_MS, () => this.#words());
  }

  async killWorker() {
    await this.world.worker.kill();
    this.counts.workerKills += 1;
    await sleep(this.below(500));
    await this.world.worker.start();
  }

  async killControl() {
    await this.world.control.kill();
    this.counts.controlKills += 1;
    await sleep(this.below(1_000));
    await this.world.control.start();
  }

  /** Everybody gets what is left, and then all is looked at. */
  async end() {
    this.isEnding = true;
    for (const poster of this.posters) await poster.finish();
    await this.quiet();
    const { ledger, world, town } = this;
    const head = must(await world.api("GET", town.path)).head;
    const lastOf = (agent_id) => (agent_id === null ? head : (ledger.byAgent().get(agent_id)?.at(-1).id ?? 0));
    for (const watcher of this.watchers) {
      const last = lastOf(watcher.agent_id);
      await until(`${watcher.name} to have event ${last}`, () => watcher.last_id >= last, 2 * ROUND_MS, () => this.#words());
    }
    ledger.check();
    ledger.checkLog(head);
    ledger.checkRetained(await readPages(world, `${town.path}/events`));
    const byAgent = ledger.byAgent();
    for (const poster of this.posters) poster.check(byAgent.get(poster.agent_id) ?? []);
    const reasons = this.runners.flatMap((runner) => runner.check(byAgent.get(runner.agent_id) ?? []));
    for (const watcher of this.watchers) watcher.settle();
    assert.deepEqual(present(this.steady).gaps, [], "who keeps up is never told of a gap");
    assert.ok(present(this.sleeper).gaps.length > 0, "who was away for more than the town keeps is told so");
    await this.#checkStates();
    this.#count(head, reasons);
  }

  /** What readers of the town were told of the agents is what one gets that comes now, and what REST says. */
  async #checkStates() {
    const { world, town } = this;
    const now = new StreamWatcher(world, this.ledger, { name: "comes now", path: town.stream, sent: this.#sent, acknowledges: true });
    this.watchers.push(now.start());
    await until("the last one to catch up", () => now.isLive, ROUND_MS);
    now.settle();
    const agents = must(await world.api("GET", `${town.path}/agents`));
    assert.equal(now.states.size, agents.length);
    for (const watcher of this.watchers.filter((one) => one.states?.size > 1)) {
      const { states, name } = watcher;
      const told = agents.filter(({ agent_id }) => watcher.agent_id === null || watcher.agent_id === agent_id);
      for (const agent of told) assert.deepEqual(states.get(agent.agent_id), agent, `${name}: the state of ${agent.agent_id}`);
    }
  }

  #count(head, reasons) {
    const gaps = this.watchers.flatMap((watcher) => watcher.gaps);
    const of = (reason) => gaps.filter((gap) => gap.reason === reason).length;
    const cuts = this.watchers.reduce((sum, watcher) => sum + (watcher.cuts ?? 0), 0);
    const runs = Object.fromEntries([...Map.groupBy(reasons, (reason) => reason)].map(([reason, all]) => [reason, all.length]));
    const repeats = this.posters.reduce((sum, { repeats }) => sum + repeats, 0);
    const retries = this.posters.reduce((sum, { retries }) => sum + retries, 0);
    const shown = this.watchers.reduce((sum, { ids }) => sum + ids.length, 0);
    Object.assign(this.counts, { events: head, cuts, prunedGaps: of("pruned"), elidedGaps: of("elided"), runs, repeats, retries, shown });
  }

  async stop() {
    this.isEnding = true;
    await Promise.all(this.watchers.map((watcher) => watcher.stop()));
  }
}
