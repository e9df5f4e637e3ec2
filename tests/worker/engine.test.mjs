// `npm run dev -- --sandbox` with a container engine: the real one, the real control server, and what an agent in it reaches.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { present } from "../present.mjs";
import { containerEngine } from "./container_engine.mjs";
import { controlBinary, must } from "./harness.mjs";
import { apiAt } from "./http.mjs";
import { freePort, Process, temporaryDirectory } from "./processes.mjs";
import { until } from "./until.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const IMAGE = `townwatch-control-test-${process.pid}`;
const START_MS = 120_000;

const engine = await containerEngine(IMAGE, controlBinary());

describe("npm run dev in a container engine", { skip: engine.missing }, () => {
  let dev;
  let api;
  let env;
  let container;
  // Not by the filter `ancestor`, to which Podman wants a longer name.
  const all = () => engine.run(["ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Image}}"]).split("\n");
  const ours = () => all().filter((line) => line.includes(IMAGE)).map((line) => line.split(" ")[0]);
  const volumes = () => engine.run(["volume", "ls", "--quiet", "--filter", `name=-${env.CONTROL_PORT}`]).split("\n").filter(Boolean);

  async function start(...options) {
    dev = new Process(process.execPath, [join(ROOT, "scripts/dev.mjs"), `--sandbox=${engine.name}`, ...options], { env });
    await until("the link", () => /^ready http/m.test(dev.log) || dev.ended !== null, START_MS, () => dev.log.slice(-2_000));
    assert.equal(dev.ended, null, dev.log);
    const [, key] = present(/^TOWNWATCH_API_KEY=(.+)$/m.exec(readFileSync(join(ROOT, ".dev.vars"), "utf8")));
    api = apiAt(() => `http://127.0.0.1:${env.PORT}`, key.replace(/^"|"$/g, ""));
    [container] = ours();
  }

  before(async () => {
    const [port, controlPort] = [await freePort(), await freePort()];
    env = { ...engine.env, PORT: String(port), CONTROL_PORT: String(controlPort), STATE_DIR: temporaryDirectory(), CONTROL_IMAGE: IMAGE, AGENT_ENV_GIVEN: "to agents", CONTROL_KEY: "0".repeat(64) };
    await start();
  });
  after(async () => {
    await dev?.kill("SIGTERM");
    for (const left of ours()) engine.run(["rm", "--force", left]);
    for (const volume of volumes()) engine.run(["volume", "rm", volume]);
    engine.run(["image", "rm", "--force", IMAGE]);
    await engine.stop();
  });

  /** What a command says that runs as an agent. */
  async function said(town, agent_id, script) {
    const order = { rig_id: town.rig_id, agent_id, name: agent_id, role: "polecat", runtime: "process", command: ["bash", "-c", script] };
    must(await api("POST", `${town.path}/container/agents/start`, order), 201);
    const events = async () => must(await api("GET", `${town.path}/agents/${agent_id}/events?tail=200`)).events;
    await until("its end", async () => (await events()).some(({ event }) => event === "agent.exited"), 20_000);
    return (await events()).filter(({ event }) => event === "agent_output").map(({ data }) => data.text);
  }

  async function makeTown() {
    const { town_id } = must(await api("POST", "/api/towns", { name: "Riverside" }), 201);
    const { rig_id } = must(await api("POST", `/api/towns/${town_id}/rigs`, { name: "main" }), 201);
    return { town_id, rig_id, path: `/api/towns/${town_id}` };
  }

  it("says which sandbox it is in one line, and shuts it in", () => {
    assert.match(dev.log, new RegExp(`^sandbox: a container of ${engine.name}, for all agents together`, "m"));
    const [{ HostConfig: host, Mounts: mounts, Config: config }] = JSON.parse(engine.run(["inspect", container]));
    assert.deepEqual(host.PortBindings, { "8788/tcp": [{ HostIp: "127.0.0.1", HostPort: env.CONTROL_PORT }] });
    assert.deepEqual(mounts.map(({ Type, Destination }) => [Type, Destination]), [["volume", "/work"]]);
    assert.deepEqual([host.AutoRemove, host.Privileged, host.PidsLimit], [true, false, 8_192]);
    assert.ok(host.Memory > 0 && host.MemorySwap === host.Memory, `${host.Memory}`);
    const variables = config.Env.map((variable) => variable.split("=")[0]);
    assert.ok(variables.includes("CONTROL_PUBLIC_KEY") && variables.includes("AGENT_ENV_GIVEN"));
    for (const secret of ["CONTROL_KEY", "TOWNWATCH_API_KEY", "TOWNWATCH_JWT_SECRET", "HOME"]) assert.ok(!variables.includes(secret), secret);
  });

  it("runs agents that reach neither this machine's files, nor its loopback, nor the control server's process", async () => {
    const town = await makeTown();
    const { agents_apart, sandbox } = must(await api("GET", town.path)).container;
    assert.deepEqual([agents_apart, sandbox], [true, "image"]);
    const keys = join(ROOT, ".dev.vars");
    assert.ok(existsSync(keys));
    const asks = (port) => `(exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null && echo reached || echo unreached`;
    const tries = ["id -u", "echo $GIVEN", `cat ${keys} 2>&1`, asks(8788), asks(env.PORT), "cat /proc/[0-9]*/environ 2>/dev/null | grep -ac CONTROL_", "echo $CONTROL_PUBLIC_KEY.", "grep CapEff /proc/self/status"];
    const [user, ...came] = await said(town, "looks", tries.join("; "));
    assert.ok(Number(user) > 20_000 && Number(user) < 20_500, user);
    // The control server's own port shows that the try for the Worker's is one.
    assert.deepEqual(came, ["to agents", `cat: ${keys}: No such file or directory`, "reached", "unreached", "0", ".", "CapEff:\t0000000000000000"]);
  });

  it("leaves nothing at its end but the volume with what agents made", async () => {
    await dev.kill("SIGTERM");
    assert.deepEqual(ours(), []);
    assert.equal(volumes().length, 1);
    await start();
  });

  it("ends what was left when it was killed, at the next start", async () => {
    const left = container;
    await dev.kill("SIGKILL");
    assert.deepEqual(ours(), [left], "it goes on without it");
    await start("--replace");
    assert.deepEqual(ours(), [container]);
    assert.notEqual(container, left);
  });
});
