// How many rows an event costs, as the runtime counts them and bills them: an alarm that is set is one more written.

import { metricsOf } from "../../../tests/worker/metrics.mjs";
import { ScriptedControl } from "../../../tests/worker/scripted_control.mjs";
import { sleep, until } from "../../../tests/worker/until.mjs";
import { startContender } from "../lib/contenders.mjs";
import { SmallContainer } from "../lib/small_container.mjs";
import { fill, newTown, post } from "../lib/towns.mjs";

const EVENT_CAP = 2_000;
/** By then a rig's outbox has ended its turn, and the states that are due have been sent. */
const SETTLE_MS = 700;
const RELAYED_AT_ONCE = 10;
const RELAYED = 100;
/** The rival asks twice a second. */
const RELAYED_MS_MAX = 30_000;

/** What is to be reached below the cap, rig and town together. */
const POSTED = [
  { each: 1, posts: 20, written: 6, read: 12 },
  { each: 10, posts: 10, written: 2.7, read: null },
];

export async function rows(comparison) {
  const worlds = await comparison.worlds();
  for (const kept of comparison.isShort ? [0] : [0, EVENT_CAP]) {
    for (const { each, posts, written, read } of POSTED) {
      const pairs = await comparison.pairs(1, (name) => posted(comparison, worlds[name], { each, posts, kept }));
      const row = (key, bound) =>
        comparison.row(`rows ${key} an event, posted × ${each}${kept > 0 ? ", at the cap" : ""}`, pairs, key, {
          better: "less",
          unit: "rows",
          isExact: true,
          target: bound === null || kept > 0 ? null : { of: "ours", bound },
        });
      row("written", written);
      row("read", read);
    }
  }
  if (comparison.isShort) return;
  const pairs = await comparison.pairs(1, (name) => (name === "ours" ? relayed(comparison) : polled(comparison)));
  const target = { of: "ours", bound: 1.3 };
  comparison.row(`rows written an event, relayed × ${RELAYED_AT_ONCE}`, pairs, "written", { better: "less", unit: "rows", isExact: true, target });
  comparison.row(`rows read an event, relayed × ${RELAYED_AT_ONCE}`, pairs, "read", { better: "less", unit: "rows", isExact: true });
}

/** Post by post: each is in the town, and with a viewer, before the next. */
async function posted(comparison, world, { each, posts, kept }) {
  const town = await newTown(world);
  const places = [town.path, `/api/rigs/${town.rig_ids[0]}`];
  await fill(town, town.agents[0], Math.max(kept, each));
  return comparison.watching(world, town, [0], async () => {
    await comparison.crowd.untilAllHave(town.head, 20_000);
    await sleep(SETTLE_MS);
    const costs = await counted(world, places, async () => {
      for (let index = 0; index < posts; index += 1) {
        await post(town, town.agents[0], each);
        await comparison.crowd.untilAllHave(town.head, 20_000);
      }
      await sleep(SETTLE_MS);
    });
    town.connection.close();
    return perEvent(costs, posts * each);
  });
}

/** What each of these places counted while `work` ran. */
async function counted(world, places, work) {
  const look = () => Promise.all(places.map((place) => metricsOf(world, place)));
  const before = await look();
  await work();
  return (await look()).map((after, index) => (name) => after[name] - before[index][name]);
}

function perEvent(costs, events) {
  const sum = (name) => costs.reduce((all, cost) => all + cost(name), 0) / events;
  return { written: sum("sql_rows_written_total") + sum("alarms_set_total"), read: sum("sql_rows_read_total") };
}

/** Events of a control server that gives ten at once, as the relay takes them. */
async function relayed(comparison) {
  const control = await ScriptedControl.start();
  control.batch_events = RELAYED_AT_ONCE;
  return besideContainer(comparison, "ours", control);
}

/** The same of a small container that is polled. */
async function polled(comparison) {
  return besideContainer(comparison, "rival", await SmallContainer.start({ batch_events: RELAYED_AT_ONCE }));
}

async function besideContainer(comparison, name, container) {
  const agent_id = "speaker";
  const texts = (count) => Array.from({ length: count }, (_, index) => `line ${index} of something that an agent says`);
  const world = await startContender(name, { vars: { CONTAINER_URL: container.url } });
  try {
    const town = await world.town();
    return await comparison.watching(world, town, [0], async () => {
      await world.startAgent(town, { agent_id, runtime: "process", command: ["true"] });
      const stored = async () => (await metricsOf(world, town.path)).events_stored_total;
      const said = async (count) => {
        const all = (await stored()) + count;
        container.say(agent_id, texts(count));
        await until("the events", async () => (await stored()) >= all, RELAYED_MS_MAX);
      };
      await said(RELAYED_AT_ONCE);
      await sleep(SETTLE_MS);
      return perEvent(await counted(world, [town.path], () => said(RELAYED)), RELAYED);
    });
  } finally {
    await world.stop();
    await container.stop();
  }
}
