// How the past is read: by a new viewer, page by page, and by a crowd that comes back at once.

import { sleep } from "../../../tests/worker/until.mjs";
import { now } from "../../lib/crowd.mjs";
import { middle, quantile } from "../lib/numbers.mjs";
import { fill, newTown } from "../lib/towns.mjs";

const EVENTS = 2_000;
const REST_MS = 30;
const PAGE_EVENTS = 200;
/** From page to page: not a page's size, so that each begins elsewhere. */
const PAGE_STEP = 7;
const BACK_VIEWERS = 200;
const BACK_REST_MS = 300;

/** 2,000 events to a viewer who comes while nobody else is there. */
export async function history(comparison) {
  const towns = await filledTowns(comparison);
  const times = comparison.count(15, 7);
  const target = { of: "ratio", bound: 0.5 };
  const again = await comparison.pairs(comparison.count(6, 3), (name) => joined(comparison, towns[name], Array(times).fill(0)));
  comparison.row("history of 2,000 to a new viewer", again, "ms", { better: "less", unit: "ms", target });
  if (comparison.isShort) return;
  // Ours keeps frames of history, so that a second viewer from the same place costs less. Here no place comes twice.
  const elsewhere = (round) => Array.from({ length: times }, (_, index) => 1 + round * times + index);
  const apart = await comparison.pairs(6, (name, round) => joined(comparison, towns[name], elsewhere(round)));
  comparison.row("the same, from another place each time", apart, "ms", { better: "less", unit: "ms", target });
}

/** A page of 200 events by REST. */
export async function page(comparison) {
  const towns = await filledTowns(comparison);
  const pages = comparison.count(200, 100);
  const pairs = await comparison.pairs(comparison.count(6, 4), async (name) => {
    const { connection, path, world } = towns[name];
    const [times, cpu] = [/** @type {number[]} */ ([]), world.worker.cpu_seconds()];
    for (let index = 0; index < pages; index += 1) {
      const began = now();
      await connection.must("GET", `${path}/events?after_id=${index * PAGE_STEP}&limit=${PAGE_EVENTS}`);
      times.push(now() - began);
    }
    return { ms: middle(times), p99: quantile(times, 0.99), cpu_ms: ((world.worker.cpu_seconds() - cpu) * 1_000) / pages };
  });
  comparison.row("REST page of 200", pairs, "ms", { better: "less", unit: "ms", target: { of: "ratio", bound: 0.9 } });
  comparison.row("REST page of 200, p99", pairs, "p99", { better: "less", unit: "ms" });
  comparison.row("REST page of 200, CPU", pairs, "cpu_ms", { better: "less", unit: "ms/page" });
}

/** 200 viewers who come back at once, each from where it was. */
export async function back(comparison) {
  const towns = await filledTowns(comparison);
  for (const behind of comparison.isShort ? [100] : [100, EVENTS]) {
    const cursors = Array.from({ length: BACK_VIEWERS }, (_, index) => EVENTS - behind + Math.floor((index * behind) / BACK_VIEWERS));
    const pairs = await comparison.pairs(comparison.count(8, 3), async (name) => {
      const { world } = towns[name];
      const cpu = world.worker.cpu_seconds();
      const ms = await opened(comparison, towns[name], cursors);
      const cpu_ms = (world.worker.cpu_seconds() - cpu) * 1_000;
      await sleep(BACK_REST_MS);
      return { ms, cpu_ms };
    });
    const target = behind === 100 ? { of: "ratio", bound: 0.9 } : null;
    comparison.row(`200 viewers back, behind by up to ${behind}`, pairs, "ms", { better: "less", unit: "ms", target });
    comparison.row(`200 viewers back, behind by up to ${behind}, CPU`, pairs, "cpu_ms", { better: "less", unit: "ms" });
  }
}

/** A town of each of the two with 2,000 events of one agent. */
async function filledTowns(comparison) {
  const worlds = await comparison.worlds();
  const towns = {};
  for (const [name, world] of Object.entries(worlds)) {
    const town = await newTown(world);
    await fill(town, town.agents[0], EVENTS);
    await comparison.watching(world, town, [0], () => comparison.crowd.untilAllHave(EVENTS, 20_000));
    towns[name] = town;
  }
  return towns;
}

/** Opens a viewer after each of these events, one after the other; gives the median time until it was current. */
async function joined(comparison, town, cursors) {
  const times = [];
  for (const cursor of cursors) {
    times.push(await opened(comparison, town, [cursor]));
    await sleep(REST_MS);
  }
  return { ms: middle(times) };
}

/** How long viewers after these events took until all were current. */
function opened(comparison, town, cursors) {
  return comparison.watching(town.world, town, cursors, async ({ took_ms }) => {
    await comparison.crowd.untilAllHave(EVENTS, 5_000);
    return took_ms;
  });
}
