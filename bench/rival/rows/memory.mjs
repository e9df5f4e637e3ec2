// What workerd holds of the machine's memory after 30,000 events, and for each socket. (With the first town: start.mjs.)

import { sleep } from "../../../tests/worker/until.mjs";
import { startContender } from "../lib/contenders.mjs";
import { newTown, post } from "../lib/towns.mjs";

const AGENTS = 15;
const EVENTS = 30_000;
const EVENTS_AT_ONCE = 10;
const SOCKETS = 1_000;
/** So many frames make the buffers of a socket as large as they get. */
const FRAMES = 60;
const FRAME_EVERY_MS = 30;
/** The collector's time, and the system's. */
const SETTLE_MS = 2_000;

export async function memory(comparison) {
  const pairs = await comparison.pairs(4, (name) => run(comparison, name));
  comparison.row("memory after 30,000 events", pairs, "after_mb", { better: "less", unit: "MB", target: { of: "ratio", bound: 1 } });
  comparison.row("memory of a socket that has joined", pairs, "joined_kib", { better: "less", unit: "KiB" });
  comparison.row(`memory of a socket after ${FRAMES} frames`, pairs, "socket_kib", { better: "less", unit: "KiB", target: { of: "ours", bound: 40 } });
}

async function run(comparison, name) {
  const world = await startContender(name);
  try {
    const town = await newTown(world, { agents: AGENTS });
    const result = { ...(await filled(comparison, world, town)), ...(await crowded(comparison, world, town)) };
    town.connection.close();
    return result;
  } finally {
    await world.stop();
  }
}

function filled(comparison, world, town) {
  const fill = async () => {
    for (let turn = 0; turn < EVENTS / EVENTS_AT_ONCE; turn += 1) await post(town, town.agents[turn % AGENTS], EVENTS_AT_ONCE);
    await comparison.crowd.untilAllHave(EVENTS, 60_000);
    return { after_mb: world.worker.memory_bytes() / 1e6 };
  };
  return comparison.watching(world, town, [0], fill, { acknowledges: true });
}

async function crowded(comparison, world, town) {
  await sleep(SETTLE_MS);
  const before = world.worker.memory_bytes();
  const socket_kib = () => (world.worker.memory_bytes() - before) / SOCKETS / 1_024;
  return comparison.watching(world, town, Array(SOCKETS).fill(town.head), async () => {
    await sleep(SETTLE_MS);
    const joined_kib = socket_kib();
    for (let frame = 0; frame < FRAMES; frame += 1) {
      await post(town, town.agents[0], 1);
      await sleep(FRAME_EVERY_MS);
    }
    await comparison.crowd.untilAllHave(town.head, 60_000);
    await sleep(SETTLE_MS);
    return { joined_kib, socket_kib: socket_kib() };
  });
}
