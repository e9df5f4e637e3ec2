// How long to wait before the next attempt: Fibonacci steps of 100 ms up to 15 s, ±10 % so that the tabs of a
// whole town do not come back in the same instant after a deploy.

const UNIT_MS = 100;
const DELAY_MAX_MS = 15_000;
const JITTER = 0.1;

/**
 * The delay before attempt number `attempt` (1 is the first one after a failure), in whole milliseconds.
 * `random` is in [0, 1).
 */
export function backoff_ms(attempt: number, random: number): number {
  let current = 1;
  let following = 2;
  for (let step = 1; step < attempt && current * UNIT_MS < DELAY_MAX_MS; step += 1) {
    [current, following] = [following, current + following];
  }
  const delay_ms = Math.min(current * UNIT_MS, DELAY_MAX_MS);
  return Math.round(delay_ms * (1 + JITTER * (2 * random - 1)));
}
