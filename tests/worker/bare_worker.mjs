// The built Worker under workerd alone, for measuring: no proxy of wrangler's between it and its clients, and one
// process whose memory and time are the Worker's own.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";

import { present } from "../present.mjs";
import { freePort } from "./processes.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** The Worker as it is built, its entrance first; modules are named by where they lie below the root. */
export const MODULES = {
  rootPath: ROOT,
  modules: [
    { type: "ESModule", path: join(ROOT, "src/entrance.mjs") },
    { type: "ESModule", path: join(ROOT, "build/index.js") },
    { type: "CompiledWasm", path: join(ROOT, "build/index_bg.wasm") },
  ],
  modulesRoot: ROOT,
};
/** The kernel's clock for CPU time, on every Linux that Node runs on. */
export const TICKS_PER_SECOND = 100;
const LOG_LINES_KEPT = 10_000;

export class BareWorker {
  url = "";
  /** What a test may have in their place: the modules, entrance first, the objects' classes, and flags beside those of wrangler.toml. */
  modules = MODULES;
  /** @type {{ [binding: string]: string }} */
  objects = { TOWN: "Town", RIG: "Rig", ACCOUNT: "Account" };
  flags = [];
  #lines = [];
  #world;
  #vars;
  /** @type {Miniflare | null} */
  #miniflare = null;
  #pid;

  constructor(world, vars) {
    [this.#world, this.#vars] = [world, vars];
  }

  get log() {
    return this.#lines.join("\n");
  }

  async start() {
    const port = await freePort();
    const toml = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
    /** @type {any} Its types are those of a newer form, to which this is converted. */
    const given = {
      name: "townwatch",
      ...this.modules,
      compatibilityDate: present(/^compatibility_date = "(.+)"/m.exec(toml))[1],
      compatibilityFlags: [...JSON.parse(present(/^compatibility_flags = (.+)/m.exec(toml))[1]), ...this.flags],
      bindings: { CONTAINER_URL: this.#world.control.url, ...this.#world.secrets, ...this.#vars },
      durableObjects: Object.fromEntries(Object.entries(this.objects).map(([binding, className]) => [binding, { className, useSQLite: true }])),
      // On disk, as everywhere: under storage in memory an alarm that fires crashes workerd.
      resourcePersistencePath: join(this.#world.directory, "objects"),
      unsafeDirectSockets: [{ host: "127.0.0.1", port }],
      cf: false,
      log: new Log(LogLevel.ERROR),
      handleStructuredLogs: ({ message }) => {
        this.#lines.push(message);
        if (this.#lines.length > 2 * LOG_LINES_KEPT) this.#lines.splice(0, LOG_LINES_KEPT);
      },
    };
    const options = convertV4MiniflareOptions(given);
    const others = new Set(workerdsHere());
    const miniflare = new Miniflare(options);
    this.#miniflare = miniflare;
    await miniflare.ready;
    this.#pid = workerdsHere().find((pid) => !others.has(pid));
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Asks as if it were reached by this address, whatever its host and scheme. */
  fetch(url, init) {
    return present(this.#miniflare).dispatchFetch(url, init);
  }

  /** Memory of workerd that is not shared with a file, in bytes. On Linux, as is the next. */
  memory_bytes() {
    return Number(present(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.#pid}/status`, "utf8")))[1]) * 1024;
  }

  /** CPU time of workerd so far, in seconds. */
  cpu_seconds() {
    const fields = readFileSync(`/proc/${this.#pid}/stat`, "utf8").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  async stop() {
    await this.#miniflare?.dispose();
  }
}

/** Those that this process has started and not ended; none where `/proc` does not tell. */
function workerdsHere() {
  if (!existsSync("/proc/self/task")) return [];
  return childrenOf(process.pid).filter((pid) => commandOf(pid).includes("workerd"));
}

/** The numbers of a process's children. */
export function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
}

const commandOf = (pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8");
