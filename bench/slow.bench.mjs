// One viewer stops reading while 100 MB pass: what that costs the Worker's memory, and the other viewers.
//
//   npm run bench -- slow
//
// Rounds without such a viewer alternate with rounds in which there is one that acknowledged so far, and rounds in which
// there is one that never did. Fails if the median growth of workerd's memory is 16 MB or more above that of the rounds
// without, or the others' median p99 is 10 % or more above.

import { must, startWorld } from "../tests/worker/harness.mjs";
import { sleep } from "../tests/worker/until.mjs";
import { Crowd, median, megabytes, ms, now, runBench } from "./lib/crowd.mjs";
import { LightViewer } from "./lib/light_viewer.mjs";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7);
const BYTES = 100e6;
const EVENT_BYTES = 40_000;
const BATCH_EVENTS = 5;
const BYTES_PER_SECOND = 10e6;
const OTHERS = 5;
const GROWTH_BYTES_MAX = 16e6;
const SLOWER_MAX = 1.1;
const KINDS = ["none", "acknowledging", "silent"];

const world = await startWorld({ bare: true });
await runBench(world, async () => {
  const { worker } = world;
  const crowd = new Crowd(world);
  const results = new Map(KINDS.map((kind) => [kind, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const kind of KINDS) {
      const town = await world.town(kind);
      await world.registerAgent(town, "poster");
      must(await post(town), 201);
      await crowd.open(town.stream, Array(OTHERS).fill(0), { acknowledges: true });
      const slow = await stopped(town, kind);
      await crowd.ask("latencies", { quantiles: [] });
      const before = worker.memory_bytes();
      let peak = before;
      const began = now();
      let events = BATCH_EVENTS;
      for (let bytes = 0; bytes < BYTES; bytes += BATCH_EVENTS * EVENT_BYTES) {
        const due = began + (bytes / BYTES_PER_SECOND) * 1_000;
        if (due > now()) await sleep(due - now());
        must(await post(town), 201);
        events += BATCH_EVENTS;
        peak = Math.max(peak, worker.memory_bytes());
      }
      await crowd.untilAllHave(events, 60_000);
      const { found } = await crowd.ask("latencies", { quantiles: [0.5, 0.99] });
      await crowd.leave();
      slow?.cut();
      const result = { growth: peak - before, p50: found[0], p99: found[1], took_ms: now() - began };
      // The first time the heap grows to what it needs in any case.
      if (round > 0) results.get(kind).push(result);
      console.log(`  round ${round}, ${kind}: ${megabytes(result.growth)}, p50 ${ms(result.p50)}, p99 ${ms(result.p99)}, ${ms(result.took_ms)}`);
      must(await world.api("DELETE", town.path), 204);
      await sleep(500);
    }
  }
  crowd.stop();
  const middle = (kind, key) => median(results.get(kind).map((result) => result[key]));
  const missed = [];
  for (const kind of KINDS.slice(1)) {
    const growth = middle(kind, "growth") - middle("none", "growth");
    const slower = middle(kind, "p99") / middle("none", "p99");
    console.log(`one ${kind} viewer stops reading while ${megabytes(BYTES)} pass: memory ${megabytes(growth)} above (bound ${megabytes(GROWTH_BYTES_MAX)}),`);
    console.log(`  p99 of the ${OTHERS} others ${ms(middle(kind, "p99"))}, without it ${ms(middle("none", "p99"))}: × ${slower.toFixed(2)} (bound ${SLOWER_MAX})`);
    if (growth >= GROWTH_BYTES_MAX) missed.push(`${kind}: memory grew by ${megabytes(growth)}`);
    if (slower >= SLOWER_MAX) missed.push(`${kind}: the others' p99 × ${slower.toFixed(2)}`);
  }
  return missed;
});

/** A viewer that has caught up and reads no more; none where none is wanted. */
async function stopped(town, kind) {
  if (kind === "none") return null;
  const caughtUp = Promise.withResolvers();
  const viewer = new LightViewer({ acknowledges: kind === "acknowledging", onCaughtUp: caughtUp.resolve });
  await viewer.open(world.url + town.stream, { headers: { Authorization: `Bearer ${world.secrets.TOWNWATCH_API_KEY}` } });
  await caughtUp.promise;
  viewer.pause();
  return viewer;
}

function post(town) {
  const text = "x".repeat(EVENT_BYTES);
  const event = () => ({ event_type: "note", data: { sent: now(), text } });
  return world.post(town, "poster", Array.from({ length: BATCH_EVENTS }, event));
}
