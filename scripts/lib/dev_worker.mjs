// The Worker of development, run by wrangler's API: a program of its own, with one argument, as JSON. `wrangler dev` opens
// more than the Worker's port, and what listens on loopback is in reach of an agent in a sandbox, which shares the network:
//
// - a debugger, which reads the Worker's memory and its secrets;
// - the debug port of workerd, by which several Workers of development find each other, and which calls any of them;
// - the explorer, on the Worker's own port, which reads and writes every Durable Object's tables and asks for no key.
//
// Here all three are closed. `inspectPort` opens the first there, and the last.

import path from "node:path";
import wrangler from "wrangler";
import { DEV_ROOT, inRoot } from "./paths.mjs";

const HOST = "127.0.0.1";

const { port, inspectPort, persist, vars } = JSON.parse(process.argv[2]);
const isInspected = inspectPort !== undefined;

// Wrangler reads these when it starts the runtime.
for (const name of ["X_LOCAL_EXPLORER", "X_LOCAL_OBSERVABILITY"]) process.env[name] = String(isInspected);

await wrangler.unstable_startWorker({
  config: inRoot("wrangler.toml"),
  entrypoint: path.join(DEV_ROOT, "src/entrance.mjs"),
  build: { custom: { command: "node scripts/build.mjs --quiet dev-worker", workingDirectory: inRoot() } },
  bindings: Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, { type: "plain_text", value }])),
  dev: {
    server: { hostname: HOST, port },
    inspector: isInspected ? { hostname: HOST, port: inspectPort } : false,
    // Without a registry of Workers there is no debug port.
    registry: undefined,
    persist,
    liveReload: false,
    enableContainers: false,
  },
});
