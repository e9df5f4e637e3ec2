// Whether an event costs more where there is more: agents, rigs, history.

import { sleep } from "../../../tests/worker/until.mjs";
import { now } from "../../lib/crowd.mjs";
import { fill, newTown, post } from "../lib/towns.mjs";

/** Four runs of them stay below the cap of one agent. */
const POSTS = 450;
/** From agent to agent: a step that comes to all of them. */
const AGENT_STEP = 7;
/** States that are due are sent by then. */
const SETTLE_MS = 700;
const AGENT_EVENTS = 2_000;
/** Agents without a history, which post what is measured. */
const FRESH_AGENTS = 10;

const GROWTHS = [
  { what: "agents", sizes: [1, 100, 900], town: (world, agents) => newTown(world, { agents }) },
  { what: "rigs", sizes: [1, 5, 20], town: (world, rigs) => newTown(world, { agents: 20, rigs }) },
  { what: "events of history", sizes: [0, 50_000, 200_000], town: withHistory },
];

/** A row for each size, and one for how many times as much the largest costs as the smallest. */
export async function growth(comparison) {
  const worlds = await comparison.worlds();
  for (const { what, sizes, town } of GROWTHS) {
    const measured = [];
    for (const size of sizes) {
      const towns = {};
      for (const [name, world] of Object.entries(worlds)) towns[name] = await town(world, size, comparison);
      const pairs = await comparison.pairs(4, (name) => run(comparison, towns[name]));
      measured.push(pairs);
      comparison.row(`an event with ${size} ${what}, CPU`, pairs, "cpu_us", { better: "less", unit: "µs" });
      comparison.row(`an event with ${size} ${what}, p50`, pairs, "p50", { better: "less", unit: "ms" });
      for (const { connection } of Object.values(towns)) connection.close();
    }
    const [least, most] = [measured[0], measured.at(-1)];
    const times = (runs, name) => runs.map((one, index) => ({ times: one.cpu_us / least[name][index].cpu_us }));
    const grown = { ...most, ours: times(most.ours, "ours"), rival: times(most.rival, "rival") };
    comparison.row(`CPU with ${sizes.at(-1)} ${what}, by that with ${sizes[0]}`, grown, "times", { better: "less", unit: "times" });
  }
}

async function withHistory(world, events, comparison) {
  const old = events / AGENT_EVENTS;
  const town = await newTown(world, { agents: FRESH_AGENTS + old });
  const [fresh, filled] = [town.agents.slice(0, FRESH_AGENTS), town.agents.slice(FRESH_AGENTS)];
  await comparison.watching(world, town, [0], async () => {
    for (const agent of filled) {
      await fill(town, agent, AGENT_EVENTS);
      await comparison.crowd.untilAllHave(town.head, 60_000);
    }
  }, { acknowledges: true });
  town.agents = fresh;
  return town;
}

function run(comparison, town) {
  const { world, agents } = town;
  return comparison.watching(world, town, [town.head], async () => {
    await comparison.crowd.ask("latencies", { quantiles: [] });
    const [began, cpu] = [now(), world.worker.cpu_seconds()];
    for (let index = 0; index < POSTS; index += 1) await post(town, agents[(index * AGENT_STEP) % agents.length], 1);
    const { last_at } = await comparison.crowd.untilAllHave(town.head, 30_000);
    await sleep(SETTLE_MS);
    const used = world.worker.cpu_seconds() - cpu;
    const { found } = await comparison.crowd.ask("latencies", { quantiles: [0.5] });
    return { cpu_us: (used * 1e6) / POSTS, p50: found[0], per_s: POSTS / ((last_at - began) / 1_000) };
  });
}
