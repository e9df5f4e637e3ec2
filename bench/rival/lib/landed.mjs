// What the short form had when it last landed, and whether it is worse now.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { QUIET_SHARE } from "./machine.mjs";

/** @import { Row } from "./comparison.mjs" */

const FILE = fileURLToPath(new URL("../landed.json", import.meta.url));
/** A ratio may be so much worse. */
const WORSE_SHARE = 0.1;
/** Pairs that are further apart say nothing of a tenth. */
const SPREAD_MAX = 0.2;

/** Ratios by the names of their rows. */
const landed = () => JSON.parse(readFileSync(FILE, "utf8"));

/**
 * Whether a row tells anything of a tenth: others left the machine alone while it was measured, and its pairs agree.
 *
 * @param {Row} row
 */
export const isQuiet = ({ isExact, others, spread }) => isExact || (others <= QUIET_SHARE && spread <= SPREAD_MAX);

/**
 * Rows that are worse than they landed by more than a tenth. Only what was measured in quiet is held to it.
 *
 * @param {readonly Row[]} rows
 */
export function worse(rows) {
  const before = landed();
  return rows.filter((row) => {
    if (before[row.name] === undefined || !isQuiet(row)) return false;
    const change = row.better === "more" ? before[row.name] / row.ratio : row.ratio / before[row.name];
    return change > 1 + WORSE_SHARE;
  });
}

/** @param {Row} row */
export const worseWords = ({ name, ratio }) => `${name}: ratio ${ratio.toFixed(3)}, landed with ${landed()[name].toFixed(3)}`;

/**
 * Keeps the ratios that were measured in quiet, in place of those before; gives how many.
 *
 * @param {readonly Row[]} rows
 */
export function land(rows) {
  const quiet = rows.filter(isQuiet);
  const all = { ...landed(), ...Object.fromEntries(quiet.map(({ name, ratio }) => [name, Number(ratio.toFixed(3))])) };
  writeFileSync(FILE, `${JSON.stringify(all, null, 2)}\n`);
  return quiet.length;
}
