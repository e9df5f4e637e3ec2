// From a post to the sockets of viewers, at 20 posts a second.

import { sleep } from "../../../tests/worker/until.mjs";
import { now } from "../../lib/crowd.mjs";
import { newTown, post } from "../lib/towns.mjs";

const EVERY_MS = 50;
const SETTLE_MS = 300;
const VIEWERS = [1, 100, 1_000];

export async function latency(comparison) {
  const worlds = await comparison.worlds();
  for (const viewers of comparison.isShort ? VIEWERS.slice(0, 2) : VIEWERS) {
    const towns = {};
    for (const name of Object.keys(worlds)) {
      towns[name] = await newTown(worlds[name]);
      await post(towns[name], towns[name].agents[0], 1);
    }
    const posts = comparison.count(160, 30);
    const pairs = await comparison.pairs(comparison.count(6, 3), (name) => run(comparison, towns[name], { viewers, posts }));
    const crowd = viewers === 1 ? "1 viewer" : `${viewers} viewers`;
    const target = { of: "ratio", bound: 1 };
    comparison.row(`post to ${crowd}, p50`, pairs, "p50", { better: "less", unit: "ms", target });
    comparison.row(`post to ${crowd}, p99`, pairs, "p99", { better: "less", unit: "ms", target });
    comparison.row(`post to ${crowd}, CPU`, pairs, "cpu_ms", { better: "less", unit: "ms/event" });
    for (const town of Object.values(towns)) town.connection.close();
  }
}

function run(comparison, town, { viewers, posts }) {
  const { world, agents } = town;
  return comparison.watching(world, town, Array(viewers).fill(town.head), async () => {
    await sleep(SETTLE_MS);
    await comparison.crowd.ask("latencies", { quantiles: [] });
    const [began, cpu] = [now(), world.worker.cpu_seconds()];
    for (let index = 0; index < posts; index += 1) {
      const due = began + index * EVERY_MS;
      if (due > now()) await sleep(due - now());
      await post(town, agents[0], 1);
    }
    await comparison.crowd.untilAllHave(town.head, 10_000);
    const used = world.worker.cpu_seconds() - cpu;
    const { found } = await comparison.crowd.ask("latencies", { quantiles: [0.5, 0.99] });
    return { p50: found[0], p99: found[1], cpu_ms: (used * 1_000) / posts };
  });
}
