// `npm run dev` as a person starts it: where it listens, its runtime that dies, and that it ends with all that it started.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { holderOf } from "../../scripts/lib/port_holder.mjs";
import { present } from "../present.mjs";
import { request } from "../worker/http.mjs";
import { listenersOf } from "../worker/listeners.mjs";
import { freePort, Process, temporaryDirectory } from "../worker/processes.mjs";
import { until, untilHolds } from "../worker/until.mjs";

const DEV = fileURLToPath(new URL("../../scripts/dev.mjs", import.meta.url));
const MINIFLARE = fileURLToPath(import.meta.resolve("miniflare"));
const skip = process.platform !== "linux" && "only Linux tells without more which process holds a port";

/** Starts it on free ports, and waits for the link. */
async function startDev(...options) {
  const [port, controlPort, inspectPort] = [await freePort(), await freePort(), await freePort()];
  const env = { PORT: String(port), CONTROL_PORT: String(controlPort), INSPECT_PORT: String(inspectPort), STATE_DIR: temporaryDirectory(), XDG_STATE_HOME: temporaryDirectory() };
  const dev = new Process(process.execPath, [DEV, ...options], { env });
  await until("the link", () => /^ready http/m.test(dev.log) || dev.ended !== null, 240_000, () => dev.log.slice(-2_000));
  assert.equal(dev.ended, null, dev.log);
  return { dev, port, controlPort, inspectPort };
}

/** What the address says of a debugger, as Chrome asks for one. */
async function debuggersAt(port) {
  const answers = await Promise.all(["/json", "/json/list", "/json/version"].map((path) => request(`http://127.0.0.1:${port}${path}`).catch(() => null)));
  return answers.filter((answer) => /webSocketDebuggerUrl|Protocol-Version/.test(answer?.text ?? ""));
}

describe("npm run dev", { skip }, () => {
  let dev;
  let port;
  let controlPort;

  before(async () => ({ dev, port, controlPort } = await startDev()));
  after(() => dev?.kill("SIGTERM"));

  const healthy = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(3_000) });
    assert.equal(answer.status, 200);
  };

  it("listens where README says and nowhere else: no debugger is among it", async () => {
    const open = listenersOf(dev.group);
    assert.deepEqual([...new Set(open.map(({ address }) => address))], ["127.0.0.1"]);
    /** @type {{ port: number, program: string }[][]} */
    const [named, inner] = [[], []];
    for (const one of open) ([port, controlPort].includes(one.port) ? named : inner).push(one);
    assert.deepEqual(named.map((one) => one.port).sort(), [port, controlPort].sort());
    assert.deepEqual(inner.map(({ program }) => program).sort(), ["node", "node", "workerd"], JSON.stringify(inner));
    for (const one of open) assert.deepEqual(await debuggersAt(one.port), [], JSON.stringify(one));
    for (const { port } of inner.filter(({ program }) => program === "node")) {
      assert.equal((await request(`http://127.0.0.1:${port}/`)).status, 403, "wrangler's own answers its own runtime alone");
    }
    const { port: behind } = present(inner.find(({ program }) => program === "workerd"));
    assert.equal((await request(`http://127.0.0.1:${behind}/api/towns`)).status, 401, "it is the Worker, and wants a key, too");
  });

  it("opens no other door to the stores, whatever wrangler has for that", async () => {
    // Every path of its own that the runtime's keeper knows; without it the Worker answers, here with its page.
    const paths = new Set([...readFileSync(MINIFLARE, "utf8").matchAll(/"(\/(?:cdn-cgi|__cf_local)\/[\w/-]+)"/g)].map(([, path]) => path));
    assert.ok(paths.has("/cdn-cgi/local/explorer"), [...paths].join(" "));
    paths.add("/cdn-cgi/local/explorer/api/workers/durable_objects/namespaces");
    const doors = listenersOf(dev.group).filter(({ program }) => program === "workerd");
    assert.equal(doors.length, 2);
    for (const door of doors) {
      const page = (await request(`http://127.0.0.1:${door.port}/`)).text;
      for (const path of paths) {
        for (const method of ["GET", "POST"]) {
          const { status, text } = await request(`http://127.0.0.1:${door.port}${path}`, { method });
          assert.ok(status >= 400 || text === page, `${method} ${path} at ${door.port}: ${status} ${text.slice(0, 200)}`);
        }
      }
    }
  });

  it("starts the Worker anew where its runtime died and nothing is answered any more", async () => {
    await healthy();
    process.kill(present(holderOf(port)).pid, "SIGKILL");
    await until("the word", () => /its runtime died, and it does not answer any more; it is started anew/.test(dev.log), 40_000, () => dev.log.slice(-2_000));
    await untilHolds("an answer", healthy, 60_000);
    assert.equal(dev.ended, null);
  });

  it("ends with all that it started", async () => {
    const runtime = present(holderOf(port)).pid;
    await dev.kill("SIGTERM");
    await untilHolds("its runtime is gone", () => assert.throws(() => process.kill(runtime, 0)), 15_000);
  });
});

describe("npm run dev -- --inspect", { skip }, () => {
  it("opens a debugger where it says", async () => {
    const { dev, inspectPort } = await startDev("--inspect");
    after(() => dev.kill("SIGTERM"));
    assert.match(dev.log, new RegExp(`^debugger at 127\\.0\\.0\\.1:${inspectPort} `, "m"));
    assert.notDeepEqual(await debuggersAt(inspectPort), []);
  });
});
