// A container engine for tests: one that answers already, or Docker's, started here with a place of its own; and a small
// image of the control server, since none can be had from a registry everywhere.

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { Process, temporaryDirectory } from "./processes.mjs";

const DOCKERFILE = fileURLToPath(new URL("../../container/Dockerfile", import.meta.url));
/** What the image has beside the control server. */
const PROGRAMS = ["bash", "cat", "grep", "id"];

const succeeds = (command, args, env) => spawnSync(command, args, { env: { ...process.env, ...env }, stdio: "ignore", timeout: 20_000 }).status === 0;

/** `{name, env, run(args), stop()}`, or `{missing}`: why there is none. */
export async function containerEngine() {
  for (const name of ["docker", "podman"]) if (succeeds(name, ["info"])) return engine(name, {}, async () => {});
  if (process.getuid() !== 0 || !succeeds("dockerd", ["--version"])) return { missing: "no container engine answers here, and none can be started (root with docker.io could)" };
  const directory = temporaryDirectory();
  const host = `unix://${join(directory, "socket")}`;
  const place = ["--data-root", join(directory, "data"), "--exec-root", join(directory, "exec"), "--pidfile", join(directory, "pid"), "--host", host];
  const daemon = new Process("dockerd", place, {});
  const env = { DOCKER_HOST: host };
  try {
    await daemon.ready("it answers", () => succeeds("docker", ["info"], env), 20_000);
  } catch {
    await daemon.kill().catch(() => {});
    return { missing: `dockerd does not start here: ${daemon.log.trim().split("\n").at(-1)}` };
  }
  return engine("docker", env, () => daemon.kill("SIGTERM"));
}

function engine(name, env, stop) {
  const run = (args) => execFileSync(name, args, { env: { ...process.env, ...env }, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  return { name, env, run, stop };
}

/** Makes an image named so of this machine's own files, with all that container/Dockerfile says of how it is run. */
export function makeImage({ run }, name, controlServer) {
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
  const [, how] = /^(WORKDIR \/work\n[\s\S]*)$/m.exec(readFileSync(DOCKERFILE, "utf8"));
  writeFileSync(join(directory, "Dockerfile"), `FROM scratch\nCOPY root/ /\n${how}`);
  run(["build", "--tag", name, directory]);
}
