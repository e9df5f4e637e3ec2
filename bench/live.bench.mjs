// How soon a dashboard that is opened is live, and what that costs: a town of 23 agents, three of which have as many events
// as the town keeps, opened on a slow phone (4x CPU throttle, 1.6 Mbps down, 750 kbps up, 150 ms), while one posts.
//
//   npm run bench -- live        (or, after npm run build: node bench/live.bench.mjs)
//
// The page's own files are in the browser's cache, as on each visit but the first. Prints the bytes of streams and API until
// "Live", and when the first line is seen that was posted after the page was asked for. Fails beyond 120 kB or 2.5 s.

import { findChromium } from "../scripts/lib/chromium.mjs";
import { addressOf, launch, signIn } from "../tests/e2e/browser.mjs";
import { crowdedTown } from "../tests/e2e/crowded_town.mjs";
import { noteFirsts, POSTED, Traffic } from "../tests/e2e/traffic.mjs";
import { must, startWorld } from "../tests/worker/harness.mjs";
import { sleep } from "../tests/worker/until.mjs";

const BYTES_MAX = 120_000;
const FIRST_LINE_MS_MAX = 2_500;
const POST_EVERY_MS = 100;
const ROUNDS = 3;
const number = new Intl.NumberFormat("en");

const chromium = findChromium();
if (chromium === undefined) throw new Error("there is no Chromium: set CHROMIUM, or install one");
const world = await startWorld({ control: false });
const browser = await launch(chromium);
let failed = false;
try {
  const { town, agents } = await crowdedTown(world);
  for (const [name, address] of [
    ["the town's page", addressOf(world, town)],
    ["an agent's page", addressOf(world, town, agents[0])],
    ["all activity", `${addressOf(world, town)}/activity`],
  ]) {
    for (let round = 1; round <= ROUNDS; round += 1) failed = !(await opens(name, address, town, agents[0])) || failed;
  }
} finally {
  await browser.close();
  await world.stop();
}
process.exit(failed ? 1 : 0);

async function opens(name, address, town, agent) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  await signIn(page, world);
  // Its files come into the cache.
  await page.goto(address);
  await page.getByText("Live", { exact: true }).waitFor({ timeout: 120_000 });
  await sleep(1_000);
  await page.goto("about:blank");
  await noteFirsts(page);
  const traffic = await Traffic.of(page);
  await traffic.slowDown();
  let isOver = false;
  const line = () => ({ event_type: "agent_output", data: { text: `${POSTED} ${Date.now()}`, stream: "assistant" } });
  const posting = (async () => {
    for (; !isOver; await sleep(POST_EVERY_MS)) must(await world.post(town, agent, [line()]), 201);
  })();
  await page.goto(address, { waitUntil: "commit" });
  await page.waitForFunction(() => /** @type {any} */ (window).firsts?.live, null, { timeout: 120_000, polling: 20 });
  const { stream, api, assets, paths } = traffic;
  const shows = name !== "the town's page";
  if (shows) await page.waitForFunction(() => /** @type {any} */ (window).firsts.line, null, { timeout: 120_000, polling: 20 });
  const { live, line: first_ms } = await page.evaluate(() => /** @type {any} */ (window).firsts);
  isOver = true;
  await posting;
  await context.close();
  const first = shows ? `, first new line after ${number.format(Math.round(first_ms))} ms` : "";
  console.log(`${name}: ${number.format(stream + api)} bytes until Live (stream ${number.format(stream)}, API ${number.format(api)}; assets ${number.format(assets)}), Live after ${number.format(Math.round(live))} ms${first}`);
  if (process.env.TOWNWATCH_PATHS) console.log([...paths].map(([path, bytes]) => `  ${path} ${bytes}`).join("\n"));
  return stream + api <= BYTES_MAX && (!shows || first_ms <= FIRST_LINE_MS_MAX);
}
