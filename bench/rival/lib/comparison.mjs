// The two side by side: pairs of runs in the order ABBA, one client program for both, and the rows that come of them.

import { Crowd } from "../../lib/crowd.mjs";
import { NAMES, startContender } from "./contenders.mjs";
import { besideOthers, load, untilQuiet } from "./machine.mjs";
import { middle } from "./numbers.mjs";
import { newTown, post } from "./towns.mjs";

/** Posts that make both compile what they run, so that no pair pays for that. */
const WARMING_POSTS = 200;
/** The short form begins no pair after this; it has to be over within 90 s. */
const SHORT_MS = 65_000;

/** The short form has no time for more pairs. */
export class TooLate extends Error {}

/**
 * A row of the table.
 *
 * @typedef {object} Row
 * @property {string} name
 * @property {number} ours the median of the runs
 * @property {number} rival
 * @property {number} ratio ours by rival's: the median of the pairs
 * @property {number} spread from the least to the greatest ratio, by the median
 * @property {"more" | "less"} better
 * @property {string} unit
 * @property {Target | null} target
 * @property {boolean} isExact counted and not timed: the same however busy the machine is
 * @property {number} others the share of the machine that others had, median of the runs
 * @property {number} load
 *
 * @typedef {{ of: "ratio" | "ours", bound: number }} Target
 * @typedef {{ ours: any[], rival: any[], others: number, load: number }} Pairs
 */

export class Comparison {
  /** @type {Row[]} */
  rows = [];
  crowd = new Crowd();
  isShort;
  /** @type {{ [name: string]: any } | null} */
  #worlds = null;
  #show;
  #began = Date.now();

  /** `isShort`: fewer pairs of shorter runs in a bounded time, and no waiting for a quiet machine. `show` is given each row. */
  constructor({ isShort, show }) {
    [this.isShort, this.#show] = [isShort, show];
  }

  /** Gives the short form its time anew. */
  restart() {
    this.rows = [];
    this.#began = Date.now();
  }

  get #isLate() {
    return this.isShort && Date.now() - this.#began > SHORT_MS;
  }

  /** Of two counts the one for this form. */
  count(whole, short) {
    return this.isShort ? short : whole;
  }

  /** The two that most sections share, started when first asked for. */
  async worlds() {
    if (this.#worlds !== null) return this.#worlds;
    /** @type {{ [name: string]: any }} */
    const worlds = {};
    this.#worlds = worlds;
    for (const name of NAMES) {
      worlds[name] = await startContender(name);
      await this.#warm(worlds[name]);
    }
    return worlds;
  }

  async #warm(world) {
    const town = await newTown(world);
    await this.watching(world, town, [0], async () => {
      for (let index = 0; index < WARMING_POSTS; index += 1) await post(town, town.agents[0], index % 10 === 0 ? 10 : 1);
      await this.crowd.untilAllHave(town.head, 20_000);
    });
    town.connection.close();
  }

  /** Runs `work` while viewers watch, each after its own event; gives what it gives. `opened` tells how long they took. */
  async watching(world, town, cursors, work, options = {}) {
    this.crowd.world = world;
    const opened = await this.crowd.open(town.stream, cursors, options);
    try {
      return await work(opened);
    } finally {
      await this.crowd.leave();
    }
  }

  /**
   * Measures each of the two `rounds` times, or until it is late: ours, rival, rival, ours, …
   *
   * @param {number} rounds
   * @param {(name: string, round: number) => Promise<any>} measure gives named numbers
   * @returns {Promise<Pairs>}
   */
  async pairs(rounds, measure) {
    const runs = { ours: [], rival: [] };
    const shares = [];
    for (let round = 0; round < rounds; round += 1) {
      if (this.#isLate && round > 0) break;
      if (this.#isLate) throw new TooLate("the time of the short form is over");
      if (!this.isShort) await untilQuiet();
      for (const name of round % 2 === 0 ? NAMES : NAMES.toReversed()) {
        const { value, others } = await besideOthers(() => measure(name, round));
        runs[name].push(value);
        shares.push(others);
      }
    }
    return { ...runs, others: middle(shares), load: load() };
  }

  /**
   * Adds a row of what the pairs have under `key`.
   *
   * @param {string} name
   * @param {Pairs} pairs
   * @param {string} key
   * @param {{ better: "more" | "less", unit: string, target?: Target | null, isExact?: boolean }} how
   */
  row(name, pairs, key, { better, unit, target = null, isExact = false }) {
    const [ours, rival] = [pairs.ours, pairs.rival].map((runs) => runs.map((run) => run[key]));
    const ratios = ours.map((value, index) => value / rival[index]);
    const ratio = middle(ratios);
    const spread = (Math.max(...ratios) - Math.min(...ratios)) / ratio;
    const row = { name, ours: middle(ours), rival: middle(rival), ratio, spread, better, unit, target, isExact, others: pairs.others, load: pairs.load };
    this.rows.push(row);
    this.#show(row);
  }

  async stop() {
    this.crowd.stop();
    for (const world of Object.values(this.#worlds ?? {})) await world.stop();
  }
}
