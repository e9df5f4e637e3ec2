// Waiting in tests: for something to come true, with words for the case that it does not.

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Waits until `predicate` (which may be async) gives something truthy, and gives that back. What does not come true
 * within `ms` is an error that names `what` and, where `describe` is given, how far it got.
 */
export async function until(what, predicate, ms = 10_000, describe = () => "") {
  const end = Date.now() + ms;
  for (let pause_ms = 5; ; pause_ms = Math.min(pause_ms * 2, 100)) {
    const value = await predicate();
    if (value) return value;
    if (Date.now() > end) {
      const error = new Error(`waited ${ms} ms in vain for ${what} ${describe()}`.trim());
      Error.captureStackTrace(error, until);
      throw error;
    }
    await sleep(pause_ms);
  }
}

/** Waits until `check`, which asserts something, passes; in vain, what it objected to last is the error, under `what`. */
export async function untilHolds(what, check, ms = 10_000) {
  let objection;
  const passes = async () => {
    try {
      await check();
      return true;
    } catch (problem) {
      objection = problem;
      return false;
    }
  };
  try {
    await until(what, passes, ms);
  } catch (problem) {
    throw new Error(`${/** @type {Error} */ (problem).message}:\n${objection.message}`, { cause: objection });
  }
}

/** Numbers that look random and are the same in every run with the same seed (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
