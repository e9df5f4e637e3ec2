// `npm run dev`: sets up, builds and runs everything on this machine, and prints a link that signs the browser in.
// Ctrl-C ends all of it. `npm run dev -- --sandbox` runs agents in a sandbox; `-- --replace` first ends what
// an earlier one left behind on its ports when it was killed; `-- --inspect` opens a debugger of the Worker.

import { setTimeout as sleep } from "node:timers/promises";
import { buildAll, DEV_PARTS } from "./build.mjs";
import { isEnding, whenAllHaveEnded } from "./lib/children.mjs";
import { publicKeyOf, signedHeaders } from "./lib/control_key.mjs";
import { devOptions } from "./lib/dev_options.mjs";
import { ensureDevVars, readDevVars } from "./lib/dev_vars.mjs";
import { link } from "./lib/link.mjs";
import { main } from "./lib/main.mjs";
import { DEV_WORKER, inRoot } from "./lib/paths.mjs";
import { checkPort, ports } from "./lib/ports.mjs";
import { Problem } from "./lib/problem.mjs";
import { chooseSandbox } from "./lib/sandbox.mjs";
import { answers, Server } from "./lib/server.mjs";
import { checkSettings, fromEnvironment, fromWranglerToml } from "./lib/settings.mjs";
import { stepper } from "./lib/steps.mjs";
import { newsOnly } from "./lib/wrangler_news.mjs";
import { SETUP_STEPS, setUp } from "./setup.mjs";

/** @import { Tools, Sandbox, Variables } from "./lib/types.d.ts" */

const DIED = "its runtime died";
/** A runtime that dies so often is not mended by another start. */
const RESTARTS_MAX = 5;

/** @param {readonly string[]} args */
async function dev(args) {
  const { replace, inspect, ...wanted } = devOptions(args);
  const sandbox = chooseSandbox(wanted.sandbox);
  if (sandbox.line) console.log(sandbox.line);
  sandbox.sweep();
  const { port, controlPort, inspectPort } = ports({ inspect });
  const settings = { ...fromWranglerToml(), ...readDevVars(), ...fromEnvironment() };
  checkSettings(settings, "wrangler.toml, .dev.vars or the environment");
  await checkPort("PORT", port, { replace });
  await checkPort("CONTROL_PORT", controlPort, { replace });
  if (inspect) await checkPort("INSPECT_PORT", inspectPort, { replace });
  const { prepare } = sandbox;
  const step = stepper(SETUP_STEPS + DEV_PARTS.length + (prepare ? 3 : 2));
  const tools = await setUp({ step });
  await buildAll(tools, step, DEV_PARTS);
  if (prepare) await step(prepare.title, prepare.work, prepare.about);
  const vars = ensureDevVars();
  whenAllHaveEnded(sandbox.end);
  const control = await step("starting the control server", () => startControl(controlPort, vars, sandbox));
  const startOne = () => startWorker(tools, { port, controlPort, inspectPort }, vars);
  const worker = await step("starting the Worker", startOne);
  for (const server of [control, worker]) server.show();
  console.log(`ready ${await link(`http://127.0.0.1:${port}`, vars)}\nThe link signs one browser in, once, within a minute; \`npm run link\` prints a new one.`);
  if (inspect) console.log(inspected({ port, inspectPort }));
  return untilOneEnds(control, worker, { startOne, health: `http://127.0.0.1:${port}/health` });
}

/**
 * @param {number} port
 * @param {Variables} secrets
 * @param {Sandbox} sandbox
 */
async function startControl(port, { CONTROL_KEY }, sandbox) {
  // It gets the half with which it can tell that a call is the Worker's, and make none.
  const { command, args, env } = sandbox.program({ port, publicKey: publicKeyOf(CONTROL_KEY) });
  const server = new Server("control", command, args, { env, tell: (line) => line.startsWith("agents run ") });
  const target = "/health";
  await server.ready(() => answers(`http://127.0.0.1:${port}${target}`, { headers: signedHeaders(CONTROL_KEY, { town_id: "dev", target }) }), 20);
  return server;
}

/**
 * @param {Tools} tools
 * @param {{ port: number, controlPort: number, inspectPort: number | undefined }} options
 * @param {Variables} secrets
 */
async function startWorker(tools, { port, controlPort, inspectPort }, secrets) {
  const vars = { ...fromEnvironment(), CONTAINER_URL: `http://127.0.0.1:${controlPort}` };
  const persist = process.env.STATE_DIR || inRoot(".wrangler/state");
  const args = ["--no-warnings", DEV_WORKER, JSON.stringify({ port, inspectPort, persist, vars })];
  const server = new Server("worker", tools.node, args, { env: tools.env, keep: newsOnly() });
  const base = `http://127.0.0.1:${port}`;
  await server.ready(async () => (await answers(`${base}/health`)) && answers(`${base}/`), 90);
  await checkSignIn(base, secrets);
  return server;
}

/** @param {{ port: number, inspectPort: number | undefined }} options */
const inspected = ({ port, inspectPort }) =>
  `debugger at 127.0.0.1:${inspectPort} (chrome://inspect), stores at http://127.0.0.1:${port}/cdn-cgi/local/explorer\n` +
  "Whoever reaches this machine's loopback, an agent too, reads the Worker's memory, secrets and stores there.";

/**
 * The Worker's own word on whether the link will work.
 *
 * @param {string} base
 * @param {Variables} secrets
 */
async function checkSignIn(base, { TOWNWATCH_API_KEY }) {
  const headers = { authorization: `Bearer ${TOWNWATCH_API_KEY}` };
  const response = await fetch(`${base}/api/towns`, { headers, signal: AbortSignal.timeout(10_000) });
  const answer = await response.json().catch(() => ({}));
  if (response.status === 503) throw new Problem(`the Worker refuses to work: ${answer.error?.message ?? "503"}`);
}

/**
 * Until a program ends. A Worker whose runtime died is started anew: wrangler goes on, but may answer nothing any more.
 *
 * @param {Server} control
 * @param {Server} first
 * @param {{ startOne: () => Promise<Server>, health: string }} options
 */
async function untilOneEnds(control, first, { startOne, health }) {
  let worker = first;
  for (let restarts = 0; ; restarts += 1) {
    const end = await Promise.race([endOf(control), endOf(worker), diedUnder(worker, health)]);
    if (isEnding()) return 0;
    if (end.why !== DIED) {
      console.error(`[${end.name}] ended (${end.why}); the rest is ended too`);
      return 1;
    }
    if (restarts === RESTARTS_MAX) throw new Problem(`the Worker's runtime died ${restarts + 1} times; what it printed is above`);
    console.error("[worker] its runtime died, and it does not answer any more; it is started anew, and pages come back by themselves");
    await worker.stop();
    worker = await startOne();
    worker.show();
  }
}

/** @param {Server} server */
const endOf = async ({ name, ended }) => ({ name, why: await ended });

/**
 * Resolves when wrangler has said that its runtime died, and nothing is answered after that.
 *
 * @param {Server} worker
 * @param {string} health
 */
async function diedUnder(worker, health) {
  for (;;) {
    await worker.says(/Workers runtime crashed/);
    const tries = [1, 2, 3].map((seconds) => sleep(seconds * 1_000).then(() => answers(health)).catch(() => false));
    if (!(await Promise.all(tries)).includes(true)) return { name: worker.name, why: DIED };
  }
}

await main(() => dev(process.argv.slice(2)), { codeForSignal: () => 0 });
