// How long it takes from a line on an agent's stdout to the frame in a viewer's socket: 1,000 lines at 100 a second.
//
//   npm run bench -- latency     (or, after npm run build: node bench/latency.bench.mjs)
//
// Prints median, p99 and the slowest in milliseconds, and fails if the median is not under 20 ms or p99 not under
// 100 ms. Agent, control server, Worker and viewer share this machine and its clock.

import { startWorld } from "../tests/worker/harness.mjs";

const LINES = 1000;
const LINES_PER_SECOND = 100;
const MEDIAN_MS_BELOW = 20;
const P99_MS_BELOW = 100;

/** What the agent runs: each line says when it was printed. */
const AGENT = `
  const began = performance.now();
  let line = 0;
  (function next() {
    while (performance.now() >= began + line * ${1000 / LINES_PER_SECOND}) {
      console.log(JSON.stringify({ line, printed: performance.timeOrigin + performance.now() }));
      if (++line === ${LINES}) return;
    }
    setTimeout(next, began + line * ${1000 / LINES_PER_SECOND} - performance.now());
  })();
`;

const world = await startWorld();
let failed = true;
try {
  const town = await world.town("Bench");
  const viewer = await world.watch(town.stream);
  await viewer.untilCaughtUp();
  const { run_id } = await world.startAgent(town, { runtime: "process", command: [process.execPath, "-e", AGENT] });
  await viewer.untilExit(run_id, 90_000);
  const waits = viewer.events.filter(({ event }) => event === "agent_output").flatMap(({ id, data }) =>
    data.text.split("\n").filter((text) => text !== "").map((text) => {
      const { line, printed } = JSON.parse(text);
      return { line, wait_ms: viewer.arrived.get(id) - printed };
    }),
  );
  failed = !report(waits);
} finally {
  await world.stop();
}
process.exit(failed ? 1 : 0);

function report(waits) {
  const inOrder = waits.every(({ line }, index) => line === index);
  if (waits.length !== LINES || !inOrder) {
    console.error(`failed: ${waits.length} of ${LINES} lines arrived${inOrder ? "" : ", not in order"}`);
    return false;
  }
  const sorted = waits.map(({ wait_ms }) => wait_ms).sort((a, b) => a - b);
  const [median, p99, slowest] = [sorted[LINES / 2], sorted[Math.ceil(LINES * 0.99) - 1], sorted.at(-1)];
  const ms = (value) => `${value.toFixed(1)} ms`;
  console.log(`${LINES} lines at ${LINES_PER_SECOND} a second, from stdout to the viewer's socket:`);
  console.log(`median ${ms(median)} (bound ${MEDIAN_MS_BELOW}), p99 ${ms(p99)} (bound ${P99_MS_BELOW}), slowest ${ms(slowest)}`);
  return median < MEDIAN_MS_BELOW && p99 < P99_MS_BELOW;
}
