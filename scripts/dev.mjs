// `npm run dev`: sets up, builds and runs everything on this machine, and prints a link that signs the browser in.
// Ctrl-C ends all of it. `npm run dev -- --sandbox` runs each agent in a sandbox of its own; `-- --replace` first ends what
// an earlier one left behind on its ports when it was killed.

import { buildAll, SERVED_PARTS } from "./build.mjs";
import { checkBubblewrap } from "./lib/bubblewrap.mjs";
import { isEnding } from "./lib/children.mjs";
import { publicKeyOf, signedHeaders } from "./lib/control_key.mjs";
import { ensureDevVars, readDevVars } from "./lib/dev_vars.mjs";
import { link } from "./lib/link.mjs";
import { main } from "./lib/main.mjs";
import { CONTROL_SERVER, inRoot } from "./lib/paths.mjs";
import { checkPort, ports } from "./lib/ports.mjs";
import { Problem } from "./lib/problem.mjs";
import { answers, Server } from "./lib/server.mjs";
import { checkSettings, fromEnvironment, fromWranglerToml } from "./lib/settings.mjs";
import { stepper } from "./lib/steps.mjs";
import { newsOnly } from "./lib/wrangler_news.mjs";
import { SETUP_STEPS, setUp } from "./setup.mjs";

const OPTIONS = ["--sandbox", "--replace"];

async function dev(args) {
  const [sandbox, replace] = OPTIONS.map((option) => args.includes(option));
  const unknown = args.find((arg) => !OPTIONS.includes(arg));
  if (unknown) throw new Problem(`there is no option ${unknown}`, { remedy: `npm run dev, with ${OPTIONS.join(" or ")} behind \`--\`` });
  if (sandbox) checkBubblewrap();
  const { port, controlPort } = ports();
  const settings = { ...fromWranglerToml(), ...readDevVars(), ...fromEnvironment() };
  checkSettings(settings, "wrangler.toml, .dev.vars or the environment");
  await checkPort("PORT", port, { replace });
  await checkPort("CONTROL_PORT", controlPort, { replace });
  const step = stepper(SETUP_STEPS + SERVED_PARTS.length + 2);
  const tools = await setUp({ step });
  await buildAll(tools, step, SERVED_PARTS);
  const vars = ensureDevVars();
  const control = await step("starting the control server", () => startControl(controlPort, vars, sandbox));
  const worker = await step("starting the Worker", () => startWorker(tools, port, controlPort, vars));
  for (const server of [control, worker]) server.show();
  console.log(`ready ${await link(`http://127.0.0.1:${port}`, vars)}\nThe link signs one browser in, once, within a minute; \`npm run link\` prints a new one.`);
  return untilOneEnds(control, worker);
}

async function startControl(port, { CONTROL_KEY }, sandbox) {
  // It gets the half with which it can tell that a call is the Worker's, and make none.
  const env = { ...process.env, CONTROL_PORT: String(port), CONTROL_PUBLIC_KEY: publicKeyOf(CONTROL_KEY) };
  if (sandbox) env.CONTROL_SANDBOX = "bubblewrap";
  const server = new Server("control", CONTROL_SERVER, [], { env, tell: (line) => line.startsWith("agents run ") });
  const target = "/health";
  await server.ready(() => answers(`http://127.0.0.1:${port}${target}`, { headers: signedHeaders(CONTROL_KEY, { town_id: "dev", target }) }), 20);
  return server;
}

async function startWorker(tools, port, controlPort, vars) {
  const settings = { ...fromEnvironment(), CONTAINER_URL: `http://127.0.0.1:${controlPort}` };
  const [command, args] = tools.wrangler([
    ...["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"],
    ...["--persist-to", process.env.STATE_DIR || inRoot(".wrangler/state")],
    ...["--show-interactive-dev-session=false", "--live-reload=false"],
    ...Object.entries(settings).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
  ]);
  const server = new Server("worker", command, args, { env: tools.env, keep: newsOnly() });
  const base = `http://127.0.0.1:${port}`;
  await server.ready(async () => (await answers(`${base}/health`)) && answers(`${base}/`), 90);
  await checkSignIn(base, vars);
  return server;
}

/** The Worker's own word on whether the link will work. */
async function checkSignIn(base, { TOWNWATCH_API_KEY }) {
  const headers = { authorization: `Bearer ${TOWNWATCH_API_KEY}` };
  const response = await fetch(`${base}/api/towns`, { headers, signal: AbortSignal.timeout(10_000) });
  const answer = await response.json().catch(() => ({}));
  if (response.status === 503) throw new Problem(`the Worker refuses to work: ${answer.error?.message ?? "503"}`);
}

async function untilOneEnds(...servers) {
  const { name, why } = await Promise.race(servers.map(async ({ name, ended }) => ({ name, why: await ended })));
  if (isEnding()) return 0;
  console.error(`[${name}] ended (${why}); the rest is ended too`);
  return 1;
}

await main(() => dev(process.argv.slice(2)), { codeForSignal: () => 0 });
