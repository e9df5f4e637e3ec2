// What must be there: where it is not, the test has failed, and says what was missing.

import assert from "node:assert/strict";

/**
 * @template T
 * @param {T} value
 * @param {string} [what]
 * @returns {NonNullable<T>}
 */
export function present(value, what = "a value that must be there") {
  assert.ok(value !== null && value !== undefined, `missing: ${what}`);
  return value;
}
