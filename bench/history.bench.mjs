// How long it takes until a viewer is current: 2,000 events of 300 bytes from the upgrade to `caught_up`, and 500 viewers
// that come back at once, each with a cursor of its own.
//
//   npm run bench -- history
//
// Fails if the median history is not there within 50 ms, or not all of the 500 are current within 2 s.

import { must } from "../tests/worker/harness.mjs";
import { sleep } from "../tests/worker/until.mjs";
import { median, ms, runBench } from "./lib/crowd.mjs";

const EVENTS = 2_000;
const EVENT_BYTES = 300;
const TIMES = 31;
const HISTORY_MS_MAX = 50;
const VIEWERS = 500;
const RETURN_TIMES = 5;
const RETURN_MS_MAX = 2_000;

await runBench(async (world, crowd) => {
  const missed = [];
  const town = await world.town("Bench");
  await world.registerAgent(town, "poster");
  for (let posted = 0; posted < EVENTS; posted += 500) must(await world.post(town, "poster", batch(500)), 201);
  await world.watch(town.stream).then((viewer) => viewer.until("all events", () => viewer.events.length === EVENTS));
  const page = await world.api("GET", `${town.path}/events?limit=1000`);
  const bytes = page.text.length / page.data.events.length;
  const stream = `${town.path}/container/agents/poster/stream`;
  for (const acknowledges of [false, true]) {
    const times = [];
    for (let time = 0; time < TIMES; time += 1) {
      const { took_ms } = await crowd.open(stream, [0], { acknowledges });
      await crowd.untilAllHave(EVENTS, 5_000);
      await crowd.leave();
      times.push(took_ms);
      await sleep(20);
    }
    const words = `${EVENTS} events of ${bytes.toFixed(0)} bytes, ${acknowledges ? "acknowledged" : "not acknowledged"}`;
    console.log(`${words}: median ${ms(median(times))} (bound ${HISTORY_MS_MAX}), best ${ms(Math.min(...times))}, worst ${ms(Math.max(...times))}`);
    if (median(times) > HISTORY_MS_MAX) missed.push(`${words}: ${ms(median(times))}`);
  }
  // Where they stood when they were cut: all near the head, as after a deploy, or spread over all that is kept.
  for (const [where, oldest] of /** @type {any[][]} */ ([["behind by 100 at most", EVENTS - 100], [`behind by up to ${EVENTS}`, 0]])) {
    for (const withTickets of [false, true]) {
      const cursors = Array.from({ length: VIEWERS }, (_, index) => oldest + Math.floor((index * (EVENTS - oldest)) / VIEWERS));
      /** @type {number[][]} */
      const [times, cpu] = [[], []];
      for (let time = 0; time < RETURN_TIMES; time += 1) {
        const [began, cpu_before] = [performance.now(), world.worker.cpu_seconds()];
        const tickets = withTickets ? await Promise.all(cursors.map(() => world.ticket(town.stream))) : [];
        const tickets_ms = performance.now() - began;
        const { took_ms } = await crowd.open(town.stream, cursors, { tickets });
        cpu.push(world.worker.cpu_seconds() - cpu_before);
        await crowd.untilAllHave(EVENTS, 5_000);
        await crowd.leave();
        times.push(took_ms + tickets_ms);
        await sleep(500);
      }
      const words = `${VIEWERS} viewers at once, ${where}, ${withTickets ? "each with a new ticket" : "with the operator's key"}`;
      console.log(`${words}: median ${ms(median(times))} (bound ${RETURN_MS_MAX}), worst ${ms(Math.max(...times))}; workerd ${median(cpu).toFixed(2)} CPU seconds`);
      if (median(times) > RETURN_MS_MAX) missed.push(`${words}: ${ms(median(times))}`);
    }
  }
  return missed;
});

function batch(count) {
  const text = "x".repeat(EVENT_BYTES - 240);
  return Array.from({ length: count }, () => ({ event_type: "agent_output", data: { text, stream: "assistant" } }));
}
