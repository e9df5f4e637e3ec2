// `npm run dev` as a person starts it, and its runtime that dies.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "node:test";

import { holderOf } from "../../scripts/lib/port_holder.mjs";
import { Process, freePort, temporaryDirectory } from "../worker/processes.mjs";
import { until, untilHolds } from "../worker/until.mjs";

const DEV = fileURLToPath(new URL("../../scripts/dev.mjs", import.meta.url));
const skip = process.platform !== "linux" && "only Linux tells without more which process holds a port";

describe("npm run dev", { skip }, () => {
  let dev;
  let port;

  before(async () => {
    const controlPort = await freePort();
    port = await freePort();
    const env = { PORT: String(port), CONTROL_PORT: String(controlPort), STATE_DIR: temporaryDirectory(), XDG_STATE_HOME: temporaryDirectory() };
    dev = new Process(process.execPath, [DEV], { env });
    await until("the link", () => /^ready http/m.test(dev.log) || dev.ended !== null, 240_000, () => dev.log.slice(-2_000));
    assert.equal(dev.ended, null, dev.log);
  });
  after(() => dev?.kill("SIGTERM"));

  const healthy = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(3_000) });
    assert.equal(answer.status, 200);
  };

  it("starts the Worker anew where its runtime died and nothing is answered any more", async () => {
    await healthy();
    process.kill(holderOf(port).pid, "SIGKILL");
    await until("the word", () => /its runtime died, and it does not answer any more; it is started anew/.test(dev.log), 40_000, () => dev.log.slice(-2_000));
    await untilHolds("an answer", healthy, 60_000);
    assert.equal(dev.ended, null);
  });

  it("ends with all that it started", async () => {
    const runtime = holderOf(port).pid;
    await dev.kill("SIGTERM");
    await untilHolds("its runtime is gone", () => assert.throws(() => process.kill(runtime, 0)), 15_000);
  });
});
