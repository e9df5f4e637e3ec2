// The table: a line for each row, as soon as it is measured.

/** @import { Row, Target } from "./comparison.mjs" */

/**
 * Titles and widths; one below zero is at the left.
 *
 * @type {[title: string, width: number][]}
 */
const COLUMNS = [["", -46], ["ours", 10], ["rival", 10], ["unit", -10], ["ratio", 7], ["spread", 7], ["target", 14], ["met", -4], ["others", 7], ["load", 6]];

const laid = (cells) => COLUMNS.map(([, width], index) => (width < 0 ? cells[index].padEnd(Math.abs(width)) : cells[index].padStart(width))).join(" ").trimEnd();

export const header = () => laid(COLUMNS.map(([title]) => title));

/** Three digits, as many as a measurement has. */
const digits = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2));
const percent = (share) => `${(100 * share).toFixed(0)} %`;

/** @param {Row} row */
export function line({ name, ours, rival, unit, ratio, spread, target, better, others, load }) {
  const met = target === null ? "" : isMet(target, { ratio, ours, better }) ? "yes" : "no";
  return laid([name, digits(ours), digits(rival), unit, ratioWords(ratio), percent(spread), target === null ? "" : targetWords(target, better), met, percent(others), load.toFixed(1)]);
}

const ratioWords = (ratio) => (ratio < 0.1 ? ratio.toFixed(3) : ratio.toFixed(2));

function targetWords({ of, bound }, better) {
  const shown = Number.isInteger(bound) ? bound.toFixed(of === "ratio" ? 1 : 0) : String(bound);
  return `${of === "ratio" ? "ratio" : "ours"} ${better === "more" ? "≥" : "≤"} ${shown}`;
}

/** @param {Target} target */
function isMet({ of, bound }, { ratio, ours, better }) {
  const reached = of === "ratio" ? ratio : ours;
  return better === "more" ? reached >= bound : reached <= bound;
}
