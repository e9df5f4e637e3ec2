// A container engine for tests: one that answers already, or Docker's, started here with a place of its own; and a small
// image of the control server, since none can be had from a registry everywhere.

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { present } from "../present.mjs";
import { Process, temporaryDirectory } from "./processes.mjs";

const DOCKERFILE = fileURLToPath(new URL("../../container/Dockerfile", import.meta.url));
/** What the image has beside the control server. */
const PROGRAMS = ["bash", "cat", "grep", "id"];

const succeeds = (command, args, env) => spawnSync(command, args, { env: { ...process.env, ...env }, stdio: "ignore", timeout: 20_000 }).status === 0;

/**
 * `{name, env, run(args), stop()}` of the first engine that runs a container of a small image of the control server, which it
 * makes and names so; or `{missing}`: why there is none.
 */
export async function containerEngine(image, controlServer) {
  const reasons = [];
  for (const start of [() => answering("docker"), () => answering("podman"), started]) {
    const found = await start();
    const reason = found.missing ?? (await problemOf(found, image, controlServer));
    if (!reason) return found;
    reasons.push(reason);
  }
  return { missing: `no container engine runs here (${reasons.join("; ")})` };
}

async function problemOf(engine, image, controlServer) {
  try {
    makeImage(engine, image, controlServer);
    engine.run(["run", "--rm", "--pull=never", "--entrypoint", "/usr/bin/id", image]);
    return undefined;
  } catch (problem) {
    succeeds(engine.name, ["image", "rm", "--force", image], engine.env);
    await engine.stop();
    return `${engine.name}: ${/** @type {Error} */ (problem).message.trim().split("\n").at(-1)}`;
  }
}

const answering = (name) => (succeeds(name, ["info"]) ? engine(name, {}, async () => {}) : { missing: `${name} does not answer` });

/** Docker's own, with a place of its own. */
async function started() {
  if (process.getuid?.() !== 0 || !succeeds("dockerd", ["--version"])) return { missing: "none can be started, which root with docker.io could" };
  const directory = temporaryDirectory();
  const host = `unix://${join(directory, "socket")}`;
  const place = ["--data-root", join(directory, "data"), "--exec-root", join(directory, "exec"), "--pidfile", join(directory, "pid"), "--host", host];
  const daemon = new Process("dockerd", place, {});
  const env = { DOCKER_HOST: host };
  try {
    await daemon.ready("it answers", () => succeeds("docker", ["info"], env), 20_000);
  } catch {
    await daemon.kill().catch(() => {});
    return { missing: `dockerd does not start: ${daemon.log.trim().split("\n").at(-1)}` };
  }
  return engine("docker", env, () => daemon.kill("SIGTERM"));
}

function engine(name, env, stop) {
  const run = (args) => execFileSync(name, args, { env: { ...process.env, ...env }, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  return { name, env, run, stop };
}

/** Makes it of this machine's own files, with all that container/Dockerfile says of how it is run. */
function makeImage({ run }, name, controlServer) {
  const directory = temporaryDirectory();
  const put = (from, to) => {
    const place = join(directory, "root", to);
    mkdirSync(dirname(place), { recursive: true });
    copyFileSync(realpathSync(from), place);
    chmodSync(place, 0o755);
  };
  const paths = PROGRAMS.map((program) => execFileSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).trim());
  const programs = [[controlServer, "/usr/local/bin/townwatch-control"], ...paths.map((path, index) => [path, join("/usr/bin", PROGRAMS[index])])];
  for (const [from, to] of programs) {
    put(from, to);
    for (const [, library] of execFileSync("ldd", [from], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g)) put(library, library);
  }
  const [, how] = present(/^(WORKDIR \/work\n[\s\S]*)$/m.exec(readFileSync(DOCKERFILE, "utf8")));
  writeFileSync(join(directory, "Dockerfile"), `FROM scratch\nCOPY root/ /\n${how}`);
  run(["build", "--tag", name, directory]);
}
