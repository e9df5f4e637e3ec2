// A reporter for `node --test`: one line of JSON for each test that ended, so that nothing is read out of prose.

/** @param {AsyncIterable<{ type: string, data: any }>} source */
export default async function* countReporter(source) {
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    if (data.details?.type === "suite" && (type === "test:pass" || isByItsTests(data))) continue;
    // A file without a test counts as one that passed; it is none.
    if (type === "test:pass" && data.nesting === 0 && data.file?.endsWith(data.name)) continue;
    yield `${JSON.stringify({ name: data.name, outcome: outcomeOf(type, data) })}\n`;
  }
}

/**
 * Whether a suite failed only because a test in it did, which is counted already.
 *
 * @param {{ details: { error?: { failureType?: string } } }} data
 */
const isByItsTests = ({ details }) => details.error?.failureType === "subtestsFailed";

/**
 * @param {string} type
 * @param {{ skip?: unknown, todo?: unknown }} data
 */
function outcomeOf(type, { skip, todo }) {
  if (skip !== undefined || todo !== undefined) return "skipped";
  return type === "test:pass" ? "passed" : "failed";
}
