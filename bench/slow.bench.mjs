// One viewer stops reading while 100 MB pass: what that costs the Worker's memory, and the other viewers.
//
//   npm run bench -- slow
//
// Rounds without such a viewer alternate with rounds in which there is one that acknowledged so far, and rounds in which
// there is one that never did; each in a fresh workerd whose heap has grown before to what such traffic needs.
// Fails if the median growth of workerd's memory is 16 MB or more above that of the rounds without, or the others'
// median p99 is 10 % or more above.

import { must } from "../tests/worker/harness.mjs";
import { sleep } from "../tests/worker/until.mjs";
import { median, megabytes, ms, now, runBench } from "./lib/crowd.mjs";
import { LightViewer } from "./lib/light_viewer.mjs";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const BYTES = 100e6;
const WARM_UP_BYTES = 50e6;
const EVENT_BYTES = 40_000;
const BATCH_EVENTS = 5;
const BYTES_PER_SECOND = 10e6;
const OTHERS = 5;
const GROWTH_BYTES_MAX = 16e6;
const SLOWER_MAX = 1.1;
const KINDS = ["none", "acknowledging", "silent"];

const results = [];
await runBench(
  async (world, crowd, kind) => {
    await pass(world, crowd, "none", WARM_UP_BYTES);
    const result = await pass(world, crowd, kind, BYTES);
    results.push({ kind, ...result });
    const { growth, p50, p99, took_ms } = result;
    console.log(`  ${kind}: memory ${megabytes(growth)}, p50 ${ms(p50)}, p99 ${ms(p99)}, ${(took_ms / 1_000).toFixed(1)} s`);
    return judged();
  },
  Array.from({ length: ROUNDS }, () => KINDS).flat(),
);

/** Lets so many bytes of events pass through a town with other viewers and a slow one of this kind. */
async function pass(world, crowd, kind, bytes_max) {
  const { worker } = world;
  const town = await world.town(kind);
  await world.registerAgent(town, "poster");
  must(await post(world, town), 201);
  await crowd.open(town.stream, Array(OTHERS).fill(0), { acknowledges: true });
  const slow = await stopped(world, town, kind);
  await crowd.ask("latencies", { quantiles: [] });
  const [before, began] = [worker.memory_bytes(), now()];
  let [peak, events] = [before, BATCH_EVENTS];
  for (let bytes = 0; bytes < bytes_max; bytes += BATCH_EVENTS * EVENT_BYTES) {
    const due = began + (bytes / BYTES_PER_SECOND) * 1_000;
    if (due > now()) await sleep(due - now());
    must(await post(world, town), 201);
    events += BATCH_EVENTS;
    peak = Math.max(peak, worker.memory_bytes());
  }
  await crowd.untilAllHave(events, 60_000);
  const { found } = await crowd.ask("latencies", { quantiles: [0.5, 0.99] });
  await crowd.leave();
  slow?.cut();
  return { growth: peak - before, p50: found[0], p99: found[1], took_ms: now() - began };
}

/** A viewer that has caught up and reads no more; none where none is wanted. */
async function stopped(world, town, kind) {
  if (kind === "none") return null;
  const caughtUp = Promise.withResolvers();
  const viewer = new LightViewer({ acknowledges: kind === "acknowledging", onCaughtUp: caughtUp.resolve });
  await viewer.open(world.url + town.stream, { headers: { Authorization: `Bearer ${world.secrets.TOWNWATCH_API_KEY}` } });
  await caughtUp.promise;
  viewer.pause();
  return viewer;
}

function post(world, town) {
  const text = "x".repeat(EVENT_BYTES);
  const event = () => ({ event_type: "note", data: { sent: now(), text } });
  return world.post(town, "poster", Array.from({ length: BATCH_EVENTS }, event));
}

/** After the last round: what was missed. */
function judged() {
  if (results.length < ROUNDS * KINDS.length) return [];
  const middle = (kind, key) => median(results.filter((result) => result.kind === kind).map((result) => result[key]));
  return KINDS.slice(1).flatMap((kind) => {
    const growth = middle(kind, "growth") - middle("none", "growth");
    const slower = middle(kind, "p99") / middle("none", "p99");
    console.log(`one ${kind} viewer stops reading while ${megabytes(BYTES)} pass: memory ${megabytes(growth)} above (bound ${megabytes(GROWTH_BYTES_MAX)}),`);
    console.log(`  p99 of the ${OTHERS} others ${ms(middle(kind, "p99"))}, without it ${ms(middle("none", "p99"))}: × ${slower.toFixed(2)} (bound ${SLOWER_MAX})`);
    return [
      ...(growth >= GROWTH_BYTES_MAX ? [`${kind}: memory grew by ${megabytes(growth)} more`] : []),
      ...(slower >= SLOWER_MAX ? [`${kind}: the others' p99 × ${slower.toFixed(2)}`] : []),
    ];
  });
}
