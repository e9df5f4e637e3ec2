// A port that is taken: by whom, and that only what an earlier `npm run dev` left behind is ended, when told to.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { fileURLToPath } from "node:url";

import { holderOf } from "../../scripts/lib/port_holder.mjs";
import { checkPort } from "../../scripts/lib/ports.mjs";
import { freePort } from "../worker/processes.mjs";
import { untilHolds } from "../worker/until.mjs";

const RUNTIME = fileURLToPath(new URL("../../node_modules/workerd/bin/workerd", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "townwatch-ports-"));
const groups = new Set();
after(() => {
  for (const group of groups) spawnSync("kill", ["-KILL", "--", `-${group}`]);
  rmSync(folder, { recursive: true, force: true });
});

/**
 * The real runtime on a port, at the head of a group of its own; `parent` is who starts it, and stays or goes.
 *
 * @param {number} port
 * @param {{ file: string, stays: boolean }} parent
 */
async function runtimeOn(port, parent) {
  const config = join(folder, `${port}.capnp`);
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = (compatibilityDate = "2026-01-01", modules = [ (name = "main.mjs", esModule = "export default { fetch() { return new Response('here'); } }") ])) ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ]
);`,
  );
  const script = join(folder, parent.file);
  writeFileSync(script, `const child = require("node:child_process").spawn(${JSON.stringify(RUNTIME)}, ["serve", ${JSON.stringify(config)}], { detached: true, stdio: "ignore" }); child.unref(); console.log(child.pid); ${parent.stays ? "setInterval(() => {}, 1000);" : ""}`);
  const starter = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  const group = Number(await new Promise((resolve) => starter.stdout.once("data", resolve)));
  groups.add(group);
  await untilHolds("the runtime listens", async () => assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), "here"));
  if (!parent.stays) await untilHolds("its parent is gone", () => assert.notEqual(starter.exitCode, null));
  return { starter, group };
}

/**
 * @param {number} port
 * @param {{ replace?: boolean }} [options]
 */
const refusal = (port, options) => checkPort("PORT", port, options).then(() => "none", (problem) => `${problem}`);

it("says that it was left behind, and ends all of it when told to", async () => {
  const port = await freePort();
  const { group } = await runtimeOn(port, { file: "left.cjs", stays: false });
  assert.equal(holderOf(port)?.group, group);
  const words = await refusal(port);
  assert.match(words, new RegExp(`^port ${port} is held by what an earlier \`npm run dev\` of this folder left behind when it was killed: .*workerd.*\\(process \\d+\\)`));
  assert.match(words, new RegExp(`npm run dev -- --replace ends it first; or leave it and choose another port: PORT=${port + 10} npm run dev$`));
  assert.equal(await refusal(port, { replace: true }), "none");
  assert.equal(holderOf(port), undefined, "it is gone");
});

it("does not end another one that runs", async () => {
  const port = await freePort();
  spawnSync("mkdir", ["-p", join(folder, "scripts")]);
  const { starter, group } = await runtimeOn(port, { file: "scripts/dev.mjs.cjs", stays: true });
  assert.match(await refusal(port, { replace: true }), new RegExp(`^port ${port} is in use by another \`npm run dev\` \\(process ${starter.pid}\\)\nstop it, or`));
  assert.equal(holderOf(port)?.group, group, "it is still there");
  starter.kill();
});

it("does not end one that somebody else has started, a test say", async () => {
  const port = await freePort();
  const { starter, group } = await runtimeOn(port, { file: "test.cjs", stays: true });
  assert.match(await refusal(port, { replace: true }), new RegExp(`^port ${port} is in use by .*workerd.*; stop it or choose another: PORT=`));
  assert.equal(holderOf(port)?.group, group, "it is still there");
  starter.kill();
});

it("names a program that is none of ours, and leaves it alone", async () => {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  assert.match(await refusal(port, { replace: true }), new RegExp(`^port ${port} is in use by .*\\(process ${process.pid}\\); stop it or choose another: PORT=`));
  server.close();
});
