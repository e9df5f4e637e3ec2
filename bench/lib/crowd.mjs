// Many viewers in a process of their own.

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

import { startWorld } from "../../tests/worker/harness.mjs";
import { sleep } from "../../tests/worker/until.mjs";

const PROCESS = fileURLToPath(new URL("crowd_process.mjs", import.meta.url));

export class Crowd {
  /** Whose streams it watches: its address and secrets. */
  world;
  #process = fork(PROCESS);
  #waiting = new Map();
  #asked = 0;

  constructor(world = /** @type {any} */ (null)) {
    this.world = world;
    this.#process.on("message", (/** @type {any} */ { id, answer, error }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(answer);
      else reject(new Error(error));
    });
  }

  ask(ask, wish = {}) {
    this.#asked += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(this.#asked, { resolve, reject });
      this.#process.send({ id: this.#asked, ask, wish });
    });
  }

  /**
   * Opens `cursors.length` viewers of a stream, each after its own event, and resolves when all have caught up.
   * Without `tickets` each shows the operator's key.
   */
  open(stream, cursors, { acknowledges = false, tickets = /** @type {string[]} */ ([]) } = {}) {
    const urls = tickets.length > 0 ? tickets.map((ticket) => `${this.world.url}${stream}?ticket=${ticket}`) : [this.world.url + stream];
    const headers = tickets.length > 0 ? {} : { Authorization: `Bearer ${this.world.secrets.TOWNWATCH_API_KEY}` };
    return this.ask("open", { urls, headers, cursors, acknowledges });
  }

  /** Until everybody has the event `last`; fails as soon as one is closed, has a hole or is told of a gap. */
  async untilAllHave(last, ms) {
    const end = Date.now() + ms;
    for (;;) {
      const progress = await this.ask("progress");
      if (progress.count > 0) throw new Error(`${progress.count} things went wrong: ${progress.problems.join("; ").slice(0, 1_000)}`);
      if (progress.slowest >= last) return progress;
      if (Date.now() > end) throw new Error(`after ${ms} ms the slowest of ${progress.viewers} viewers has event ${progress.slowest} of ${last}`);
      await sleep(50);
    }
  }

  async leave() {
    await this.ask("leave");
  }

  stop() {
    this.#process.disconnect();
  }
}

/** When this is, on the clock that processes share. */
export const now = () => performance.timeOrigin + performance.now();

/** The middle one. */
export function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

export const ms = (value) => `${value.toFixed(1)} ms`;
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * Runs a benchmark under workerd alone: `measure(world, crowd)` gives what was missed, and that or an error makes it
 * fail. Once for each of `times`, each time with a workerd of its own, whose memory remembers nothing.
 *
 * @param {(world: any, crowd: Crowd, time: any) => Promise<any[]>} measure
 */
export async function runBench(measure, times = /** @type {unknown[]} */ ([undefined])) {
  let missed = [];
  try {
    for (const time of times) {
      const world = await startWorld({ bare: true });
      const crowd = new Crowd(world);
      try {
        missed = await measure(world, crowd, time);
      } finally {
        crowd.stop();
        await world.stop();
      }
    }
  } catch (problem) {
    console.error(problem);
    missed = ["it broke off"];
  }
  for (const one of missed) console.error(`missed: ${one}`);
  process.exit(missed.length > 0 ? 1 : 0);
}
