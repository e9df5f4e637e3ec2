// How many tests passed, failed and were skipped.

export const NONE = { passed: 0, failed: 0, skipped: 0 };

/** The sum of all. */
export function sum(counts) {
  return counts.reduce((all, one) => Object.fromEntries(Object.keys(NONE).map((key) => [key, all[key] + one[key]])), NONE);
}

/** `12 passed, 0 failed, 1 skipped`: the last line of `npm test`, which tools read. */
export const line = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** What `cargo test` printed: one `test result:` line for each test program. */
export function fromCargo(output) {
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const results = plain.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/gm);
  return sum([...results].map(([, passed, failed, skipped]) => ({ passed: +passed, failed: +failed, skipped: +skipped })));
}

/** What `count_reporter.mjs` wrote. */
export function fromReporter(lines) {
  const outcomes = lines.split("\n").filter(Boolean).map((text) => JSON.parse(text).outcome);
  return sum(outcomes.map((outcome) => ({ ...NONE, [outcome]: 1 })));
}

/**
 * Holds a runner to its counts: one that failed without a failed test (it did not compile, it was killed) or that ran
 * nothing has failed once. Returns the counts and, where it was not the tests, why.
 */
export function judged(counts, exitCode) {
  if (counts.failed > 0) return { counts };
  const failure = exitCode !== 0 ? `the runner failed (${exitCode})` : sum([counts]).passed + counts.skipped === 0 && "no test ran";
  return failure ? { counts: { ...counts, failed: 1 }, failure } : { counts };
}
