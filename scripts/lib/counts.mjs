// How many tests passed, failed and were skipped.

/** @import { Counts, GroupResult } from "./types.d.ts" */

export const NONE = { passed: 0, failed: 0, skipped: 0 };

/**
 * The sum of all.
 *
 * @param {readonly Counts[]} counts
 */
export function sum(counts) {
  const add = (/** @type {Counts} */ all, /** @type {Counts} */ one) => ({
    passed: all.passed + one.passed,
    failed: all.failed + one.failed,
    skipped: all.skipped + one.skipped,
  });
  return counts.reduce(add, NONE);
}

/**
 * `12 passed, 0 failed, 1 skipped`: the last line of `npm test`, which tools read.
 *
 * @param {Counts} counts
 */
export const line = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

/**
 * What `cargo test` printed: one `test result:` line for each test program.
 *
 * @param {string} output
 */
export function fromCargo(output) {
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const results = plain.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/gm);
  return sum([...results].map(([, passed, failed, skipped]) => ({ passed: +passed, failed: +failed, skipped: +skipped })));
}

/**
 * What `count_reporter.mjs` wrote.
 *
 * @param {string} lines
 */
export function fromReporter(lines) {
  const outcomes = lines.split("\n").filter(Boolean).map((text) => JSON.parse(text).outcome);
  return sum(outcomes.map((outcome) => ({ ...NONE, [outcome]: 1 })));
}

/**
 * Holds a runner to its counts: one that failed without a failed test (it did not compile, it was killed) or that ran
 * nothing has failed once. Returns the counts and, where it was not the tests, why.
 *
 * @param {Counts} counts
 * @param {unknown} exitCode
 * @returns {GroupResult}
 */
export function judged(counts, exitCode) {
  if (counts.failed > 0) return { counts };
  const failure = exitCode !== 0 ? `the runner failed (${exitCode})` : sum([counts]).passed + counts.skipped === 0 && "no test ran";
  return failure ? { counts: { ...counts, failed: 1 }, failure } : { counts };
}
