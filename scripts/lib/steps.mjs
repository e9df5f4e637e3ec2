// Says what is going on: `step 3/7 building the Worker, about 2 min (12 s)`.

/** @import { Step } from "./types.d.ts" */

/**
 * Numbers the steps of a script. `total` steps; lines go to `out`.
 *
 * @param {number} total
 * @returns {Step}
 */
export function stepper(total, out = process.stdout) {
  let number = 0;
  /** Runs `work` as the next step. `about` is how long it takes, where it is worth saying. */
  return async function step(title, work, about = "") {
    number += 1;
    const started = Date.now();
    const line = `step ${number}/${total} ${title}${about && `, about ${about}`}`;
    out.write(line);
    const ticking = out.isTTY ? setInterval(() => out.write(`\r${line} … ${timeSince(started)}`), 1000) : undefined;
    try {
      const result = await work();
      clearInterval(ticking);
      out.write(`${ticking ? `\r\x1b[K${line}` : ""} (${timeSince(started)})\n`);
      return result;
    } catch (error) {
      clearInterval(ticking);
      out.write(`${ticking ? `\r\x1b[K${line}` : ""} failed (${timeSince(started)})\n`);
      throw error;
    }
  };
}

/**
 * `0.4 s`, `12 s` or `3 min 5 s`.
 *
 * @param {number} started
 */
export function timeSince(started) {
  const seconds = (Date.now() - started) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}
