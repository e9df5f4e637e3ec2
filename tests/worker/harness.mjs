// The real thing for tests: the control server's binary and the built Worker under the real workerd, on free ports,
// with random secrets and a state of their own.
//
//   const world = await startWorld();
//   after(() => world.stop());

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { newControlKey, publicKeyOf, signedHeaders } from "../../scripts/lib/control_key.mjs";
import { present } from "../present.mjs";
import { BareWorker } from "./bare_worker.mjs";
import { apiAt, request } from "./http.mjs";
import { freePort, isFree, memoryOf, Process, temporaryDirectory } from "./processes.mjs";
import { until } from "./until.mjs";
import { Viewer } from "./viewer.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const WRANGLER = join(ROOT, "node_modules/wrangler");
/** A loaded machine with two cores takes its time. */
const START_MS = 90_000;

/**
 * Starts a world.
 * - `vars`: settings of the Worker beside its defaults; `secrets`: replaced ones, null to leave one out
 * - `control: false`: without a control server; the Worker gets an address where nobody answers
 * - `controlVars`: settings of the control server
 * - `evictable: true`: under wrangler's test rig, which can evict a Durable Object, instead of under `wrangler dev`,
 *   which can be killed
 * - `bare: true`: under workerd alone, to measure it; `worker`: a class of the test's own for that
 *
 * @param {{ vars?: { [name: string]: any }, secrets?: { [name: string]: any }, control?: boolean, controlVars?: { [name: string]: any }, evictable?: boolean, bare?: boolean, worker?: typeof BareWorker }} [options]
 */
export async function startWorld({ vars = {}, secrets = {}, control = true, controlVars = {}, evictable = false, bare = false, worker } = {}) {
  const Worker = worker ? worker : bare ? BareWorker : evictable ? EvictableWorker : DevWorker;
  const world = new World({ vars, secrets, controlVars, Worker });
  try {
    if (control) await world.control.start();
    else world.control.port = await freePort();
    await world.worker.start();
    return world;
  } catch (problem) {
    await world.stop();
    throw problem;
  }
}

/** What a success carries; anything else fails the test and shows the answer. */
export function must(answer, status = 200) {
  assert.equal(answer.status, status, `expected ${status}, got ${answer.status}: ${answer.text?.slice(0, 500)}`);
  if (status !== 204) assert.equal(answer.json?.success, true, answer.text?.slice(0, 500));
  return answer.data;
}

/** Asserts a refusal: its status, its code, the envelope, and that the message says `names`. */
export function mustRefuse(answer, status, code, names) {
  const shown = `${answer.status} ${answer.text?.slice(0, 500)}`;
  assert.equal(answer.status, status, `expected ${status} ${code}, got ${shown}`);
  assert.deepEqual([answer.json?.success, answer.json?.error?.code], [false, code], shown);
  assert.ok(answer.json.error.message?.length > 0, `a message for a person: ${shown}`);
  if (names !== undefined) assert.ok(answer.json.error.message.includes(names), `the message names ${names}: ${shown}`);
}

class World {
  directory = temporaryDirectory();

  constructor({ vars, secrets, controlVars, Worker }) {
    const secret = () => randomBytes(32).toString("hex");
    const all = { TOWNWATCH_API_KEY: secret(), TOWNWATCH_JWT_SECRET: secret(), CONTROL_KEY: newControlKey(), ...secrets };
    this.secrets = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
    this.control = new Control(this, controlVars);
    this.worker = new Worker(this, vars);
    this.api = apiAt(() => this.url, this.secrets.TOWNWATCH_API_KEY ?? null);
  }

  get url() {
    return this.worker.url;
  }

  async stop() {
    await Promise.allSettled([this.worker.stop(), this.control.stop()]);
  }

  /** A town with a rig. */
  async town(name = "Riverside") {
    const { town_id } = must(await this.api("POST", "/api/towns", { name }), 201);
    const { rig_id } = must(await this.api("POST", `/api/towns/${town_id}/rigs`, { name: "main" }), 201);
    return { town_id, rig_id, path: `/api/towns/${town_id}`, stream: `/api/towns/${town_id}/stream` };
  }

  /** Starts an agent under the control server; gives its state. */
  async startAgent({ path, rig_id }, order) {
    const whole = { rig_id, name: "Demo", role: "polecat", ...order };
    return must(await this.api("POST", `${path}/container/agents/start`, whole), 201);
  }

  /** Registers an agent that runs elsewhere. */
  async registerAgent({ rig_id }, agent_id) {
    const body = { agent_id, name: agent_id, role: "polecat" };
    return must(await this.api("POST", `/api/rigs/${rig_id}/agents`, body), 201);
  }

  async agentToken({ rig_id }, agent_id, ttl_seconds) {
    const body = ttl_seconds === undefined ? {} : { ttl_seconds };
    return must(await this.api("POST", `/api/rigs/${rig_id}/agents/${agent_id}/token`, body), 201).token;
  }

  /** Posts events as the operator, or as whoever `options.token` is; gives the answer. */
  post({ rig_id }, agent_id, events, options) {
    return this.api("POST", `/api/rigs/${rig_id}/agent-events`, { agent_id, events }, options);
  }

  /** Signs a browser in; gives what it then sends along, and its session's id. */
  async signIn(headers = {}) {
    const answer = await this.api("POST", "/api/session", { key: this.secrets.TOWNWATCH_API_KEY }, { token: null, headers });
    const { session_id } = must(answer, 201);
    return { cookie: answer.headers["set-cookie"][0].split(";")[0], session_id };
  }

  /** The link that signs a browser in, to a page's path; `base` is where it is opened. */
  async link(path = "/", base = this.url) {
    return `${base}${path}#code=${must(await this.api("POST", "/api/session/code"), 201).code}`;
  }

  /** A ticket for a stream's path. */
  async ticket(stream) {
    return must(await this.api("POST", `${stream}-ticket`, {})).ticket;
  }

  watch(stream, query) {
    return Viewer.open(this, stream, query);
  }

  /** All that a path of events has, page by page. */
  async pages(path, { limit = 1000, query = "" } = {}) {
    const events = [];
    for (let after_id = 0; ; ) {
      const page = must(await this.api("GET", `${path}?after_id=${after_id}&limit=${limit}${query}`));
      events.push(...page.events);
      if (page.events.length === 0 || page.next_after_id >= page.head) return events;
      assert.ok(page.next_after_id > after_id, `a page that leads nowhere: ${after_id} to ${page.next_after_id}`);
      after_id = page.next_after_id;
    }
  }
}

/** The control server of a world, of which it needs the `directory` and `secrets`. */
export class Control {
  port = 0;
  #world;
  #vars;
  /** @type {Process | null} */
  #process = null;

  constructor(world, vars = {}) {
    [this.#world, this.#vars] = [world, vars];
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get log() {
    return this.#process?.log ?? "";
  }

  /** Starts it, again on the same port. */
  async start() {
    const env = {
      CONTROL_PORT: String(this.port),
      CONTROL_WORK_DIR: join(this.#world.directory, "work"),
      CONTROL_PUBLIC_KEY: publicKeyOf(this.#world.secrets.CONTROL_KEY),
      ...this.#vars,
    };
    const started = new Process(controlBinary(), [], { cwd: this.#world.directory, env });
    this.#process = started;
    const listening = () => /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(started.log);
    this.port = Number((await started.ready("the line that it listens", listening, 20_000))[1]);
  }

  /** A call that the Worker would make; with `claims` one that says what it wants. */
  ask(method, target, { town_id, body, headers, ...claims }) {
    const signed = headers ?? signedHeaders(this.#world.secrets.CONTROL_KEY, { town_id, method, target, body, ...claims });
    return request(`${this.url}${target}`, { method, headers: { "content-type": "application/json", ...signed }, body });
  }

  /** The process's number. */
  get pid() {
    return present(this.#process).group;
  }

  /** To it and to what is in its process group, which its agents are not. */
  signal(signal) {
    present(this.#process).signal(signal);
  }

  async kill() {
    await present(this.#process).kill("SIGKILL");
  }

  async stop() {
    await this.#process?.kill("SIGKILL");
  }
}

/** Where the built control server is. */
export function controlBinary() {
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
  const places = [process.env.CONTROL_SERVER, ...["release", "debug"].map((one) => join(target, one, "townwatch-control"))];
  const found = places.find((place) => place !== undefined && existsSync(place));
  assert.ok(found, `no control server; build it with: cargo build --release -p townwatch-control (looked at ${places})`);
  return resolve(found);
}

/** Writes wrangler's configuration and the secrets into the world's own directory; gives its path. */
function writeConfig(world, vars) {
  const toml = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  const kept = toml
    .split(/^(?=\[)/m)
    // Built before the tests, once; and the control server runs beside the Worker, not in a container.
    .filter((table) => !/^\[(build|\[containers\]\])/.test(table))
    .join("")
    .replace(/^(main|directory)(\s*=\s*)"([^"]+)"/gm, (_, key, is, path) => `${key}${is}${JSON.stringify(resolve(ROOT, path))}`);
  assert.ok(existsSync(join(ROOT, "build/index.js")), "no built Worker at build/index.js; build it with: npm run build");
  const values = { CONTAINER_URL: world.control.url, ...world.secrets, ...vars };
  const lines = Object.entries(values).map(([name, value]) => `${name}=${JSON.stringify(String(value))}\n`);
  writeFileSync(join(world.directory, ".dev.vars"), lines.join(""));
  writeFileSync(join(world.directory, "wrangler.toml"), kept);
  return join(world.directory, "wrangler.toml");
}

/** `wrangler dev`: can be killed and started again on the same state. */
class DevWorker {
  url = "";
  #world;
  #vars;
  /** @type {Process | null} */
  #process = null;

  constructor(world, vars) {
    [this.#world, this.#vars] = [world, vars];
  }

  get log() {
    return this.#process?.log ?? "";
  }

  /** What workerd holds of the machine's memory, in bytes; undefined where `/proc` does not tell. */
  get memory() {
    return memoryOf("workerd", present(this.#process).group);
  }

  async start() {
    if (this.url === "") this.url = `http://127.0.0.1:${await freePort()}`;
    // On a busy machine a killed process holds its port for a moment.
    await until("the Worker's port to be free", () => isFree(Number(new URL(this.url).port)));
    const { directory } = this.#world;
    const args = ["dev", "--config", writeConfig(this.#world, this.#vars), "--ip", "127.0.0.1"];
    args.push("--port", new URL(this.url).port, "--inspector-port", String(await freePort()));
    args.push("--persist-to", join(directory, "state"), "--show-interactive-dev-session=false");
    const started = new Process(process.execPath, [join(WRANGLER, "bin/wrangler.js"), ...args], {
      cwd: directory,
      env: {
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_LOG_PATH: join(directory, "log"),
        WRANGLER_REGISTRY_PATH: join(directory, "registry"),
        CI: "1",
        NO_COLOR: "1",
      },
    });
    this.#process = started;
    const healthy = async () => {
      const answer = await request(`${this.url}/health`, { timeout_ms: 5_000 }).catch(() => null);
      return answer?.status === 200;
    };
    await started.ready("GET /health", healthy, START_MS);
  }

  /** Wrangler and workerd with it, by SIGKILL: what is on disk is all that is left. */
  async kill() {
    await present(this.#process).kill("SIGKILL");
  }

  async stop() {
    await this.#process?.kill("SIGKILL");
  }
}

/** Wrangler's test rig: can evict a Durable Object between two of its turns. */
class EvictableWorker {
  url = "";
  #world;
  #vars;
  /** @type {any} The test rig has no types of its own. */
  #server = null;

  constructor(world, vars) {
    [this.#world, this.#vars] = [world, vars];
  }

  get log() {
    return (this.#server?.getLogs() ?? []).map((line) => line.message).join("\n");
  }

  async start() {
    process.env.WRANGLER_SEND_METRICS = "false";
    const { main } = JSON.parse(readFileSync(join(WRANGLER, "package.json"), "utf8"));
    const { default: wrangler } = await import(pathToFileURL(join(WRANGLER, main)).href);
    this.#server = wrangler.createTestHarness({
      root: this.#world.directory,
      workers: [{ configPath: writeConfig(this.#world, this.#vars) }],
    });
    const { url } = await this.#server.listen();
    this.url = url.origin;
  }

  /** Throws an object out of memory while its hibernating sockets stay open; false if it was in the middle of a turn. */
  async evict(className, name) {
    try {
      await this.#server.getWorker().evictDurableObject(className, { name, webSockets: "hibernate" });
      return true;
    } catch (problem) {
      if (/not currently running/.test(String(problem))) return true;
      if (/active references/.test(String(problem))) return false;
      throw problem;
    }
  }

  async stop() {
    await this.#server?.close();
  }
}
