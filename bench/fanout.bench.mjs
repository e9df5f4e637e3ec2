// Many viewers of the same events: 1,000 on one agent, then 5,000 on its town, 30,000 events each time.
//
//   npm run bench -- fanout
//
// 30,000 events at 50 a second would take ten minutes. Here time is compressed: what happens in a second, 50 events, is
// posted at once, and the next second's as many times faster as stands below. (A viewer that acknowledges nothing may be
// sent 1,000 events a second at most.)
// Fails if any viewer misses an event, gets one twice or out of order, is told of a gap, or is closed.
// Prints the time from the post to the viewer's socket over all viewers and events, workerd's memory for each socket,
// and its CPU time. Sockets, Worker and poster share this machine.

import { must } from "../tests/worker/harness.mjs";
import { sleep } from "../tests/worker/until.mjs";
import { megabytes, ms, now, runBench } from "./lib/crowd.mjs";

const EVENTS = Number(process.env.BENCH_EVENTS ?? 30_000);
const EVENTS_PER_SECOND = 50;
const CROWDS = [
  { name: "1,000 viewers of one agent", viewers: 1_000, stream: (town) => `${town.path}/container/agents/poster/stream`, times_faster: 12 },
  { name: "5,000 viewers of its town", viewers: 5_000, stream: (town) => town.stream, times_faster: 3 },
];

await runBench(async (world, crowd) => {
  const { worker } = world;
  for (const { name, viewers, stream, times_faster } of CROWDS) {
    const town = await world.town(name);
    await world.registerAgent(town, "poster");
    must(await post(world, town, 1), 201);
    await sleep(1_000);
    const before = worker.memory_bytes();
    const { took_ms } = await crowd.open(stream(town), Array(viewers).fill(0));
    await sleep(1_000);
    const socket_bytes = (worker.memory_bytes() - before) / viewers;
    await crowd.ask("latencies", { quantiles: [] });
    const [began, cpu] = [now(), worker.cpu_seconds()];
    for (let posted = 0; posted < EVENTS; posted += EVENTS_PER_SECOND) {
      const due = began + (posted / (EVENTS_PER_SECOND * times_faster)) * 1_000;
      if (due > now()) await sleep(due - now());
      must(await post(world, town, EVENTS_PER_SECOND), 201);
    }
    const posted_ms = now() - began;
    const progress = await crowd.untilAllHave(EVENTS + 1, 60_000);
    const all_ms = now() - began;
    const { total, found } = await crowd.ask("latencies", { quantiles: [0.5, 0.99, 1] });
    const [p50, p99, slowest] = found.map(ms);
    const cpu_seconds = worker.cpu_seconds() - cpu;
    console.log(`${name}, ${EVENTS} events, posted in ${(posted_ms / 1_000).toFixed(1)} s (${Math.round((EVENTS / posted_ms) * 1_000)} a second), all had all after ${(all_ms / 1_000).toFixed(1)} s:`);
    console.log(`  nothing lost: ${total} arrivals, ${megabytes(progress.bytes)}; latency p50 ${p50}, p99 ${p99}, slowest ${slowest}`);
    console.log(`  joining took ${ms(took_ms)}; workerd: ${(socket_bytes / 1024).toFixed(1)} KiB a socket, ${cpu_seconds.toFixed(1)} CPU seconds, ${((cpu_seconds / total) * 1e6).toFixed(2)} µs an arrival`);
    await crowd.leave();
    if (total !== EVENTS * viewers) return [`${total} arrivals of ${EVENTS * viewers}`];
    await sleep(2_000);
  }
  return [];
});

function post(world, town, count) {
  const event = () => ({ event_type: "note", data: { sent: now() } });
  return world.post(town, "poster", Array.from({ length: count }, event));
}
