// Metrics as a scraper reads them.

import assert from "node:assert/strict";

/**
 * Metrics by their names without `townwatch_`: of a town or rig by its `path`, of the account by `/api`.
 *
 * @returns {Promise<any>}
 */
export async function metricsOf(world, path) {
  const answer = await world.api("GET", `${path}/metrics`);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  const values = {};
  for (const line of answer.text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name, value] = /^townwatch_([a-z_]+)\{(?:town|rig|account)_id="[^"]+"\} ([0-9.]+)$/.exec(line) ?? assert.fail(line);
    values[name] = Number(value);
  }
  return values;
}

/**
 * What all counters rose by while `work` ran, with what `work` gave as `value`. Both looks have to be at one instance.
 *
 * @returns {Promise<any>}
 */
export async function countedOver(world, path, work) {
  const before = await metricsOf(world, path);
  const value = await work();
  const after = await metricsOf(world, path);
  assert.equal(after.instance_start_time_seconds, before.instance_start_time_seconds, "the object was evicted meanwhile");
  const counters = Object.keys(after).filter((name) => name.endsWith("_total"));
  return { ...Object.fromEntries(counters.map((name) => [name, after[name] - before[name]])), value };
}

/** Whether nothing is due but, in some minutes, the silence of an agent that posts and has an open run. */
export const isQuiet = ({ alarm_time_seconds }) => alarm_time_seconds === 0 || alarm_time_seconds > Date.now() / 1000 + 60;
