// How fast events are taken: from the first post until a viewer has the last one.

import { sleep } from "../../../tests/worker/until.mjs";
import { now } from "../../lib/crowd.mjs";
import { fill, newTown, post } from "../lib/towns.mjs";

const EVENT_CAP = 2_000;
/** Below the cap: no agent gets more than this. */
const AGENT_EVENTS_MAX = 1_900;
/** Ours is at most so far behind when a viewer of a filled town has all; what it still does is not measured. */
const SETTLE_MS = 600;
/** Events a post, events of a run (and of a short one), and what is to be reached: events/s and CPU below the cap, events/s at it. */
const SIZES = [
  { each: 1, events: 1_200, short: 400, speed: 1, cpu: 1, cap_speed: 1 },
  { each: 10, events: 4_000, short: 1_500, speed: 1.4, cpu: 0.7, cap_speed: 1.3 },
  { each: 100, events: 4_800, short: 4_800, speed: 2, cpu: 0.5, cap_speed: 1.6 },
];

/** `comparison` as everywhere in this folder: what the rows are added to. */
export async function ingest(comparison) {
  const worlds = await comparison.worlds();
  for (const { each, events, short, speed, cpu } of SIZES) {
    const pairs = await comparison.pairs(comparison.count(6, 4), (name) => run(comparison, worlds[name], { each, events: comparison.count(events, short) }));
    comparison.row(`ingest, ${each} a post`, pairs, "events_per_s", { better: "more", unit: "events/s", target: { of: "ratio", bound: speed } });
    comparison.row(`ingest, ${each} a post, answered`, pairs, "answered_per_s", { better: "more", unit: "events/s" });
    comparison.row(`ingest, ${each} a post, CPU`, pairs, "cpu_us", { better: "less", unit: "µs/event", target: { of: "ratio", bound: cpu } });
  }
}

/** The same of an agent that has as many events as are kept, so that each one prunes one. */
export async function cap(comparison) {
  const worlds = await comparison.worlds();
  for (const { each, events, short, cap_speed } of comparison.isShort ? SIZES.slice(1, 2) : SIZES) {
    const wish = { each, events: comparison.count(events, short), kept: EVENT_CAP };
    const pairs = await comparison.pairs(comparison.count(6, 3), (name) => run(comparison, worlds[name], wish));
    comparison.row(`ingest at the cap, ${each} a post`, pairs, "events_per_s", { better: "more", unit: "events/s", target: { of: "ratio", bound: cap_speed } });
    comparison.row(`ingest at the cap, ${each} a post, CPU`, pairs, "cpu_us", { better: "less", unit: "µs/event" });
  }
}

async function run(comparison, world, { each, events, kept = 0 }) {
  const town = await newTown(world, { agents: kept > 0 ? 1 : Math.ceil(events / AGENT_EVENTS_MAX) });
  if (kept > 0) {
    await fill(town, town.agents[0], kept);
    await comparison.watching(world, town, [0], () => comparison.crowd.untilAllHave(kept, 20_000));
    await sleep(SETTLE_MS);
  }
  return comparison.watching(world, town, [town.head], async () => {
    const [began, cpu] = [now(), world.worker.cpu_seconds()];
    for (let posted = 0; posted < events; posted += each) await post(town, town.agents[kept > 0 ? 0 : Math.floor(posted / AGENT_EVENTS_MAX)], each);
    const answered = now();
    const { last_at } = await comparison.crowd.untilAllHave(town.head, 30_000);
    const used = world.worker.cpu_seconds() - cpu;
    town.connection.close();
    const per_s = (until) => events / ((until - began) / 1_000);
    return { events_per_s: per_s(last_at), answered_per_s: per_s(answered), cpu_us: (used * 1e6) / events };
  });
}
