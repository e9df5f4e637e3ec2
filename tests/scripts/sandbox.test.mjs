// Which sandbox `npm run dev -- --sandbox` takes, and that it never goes on without one: what it says where there is none.

import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, it } from "node:test";

import { chooseSandbox } from "../../scripts/lib/sandbox.mjs";
import { present } from "../present.mjs";

const bin = mkdtempSync(join(tmpdir(), "townwatch-sandbox-"));
after(() => rmSync(bin, { recursive: true, force: true }));
const env = { PATH: bin };

/**
 * @param {string} name
 * @param {string} script
 */
const standIn = (name, script) => {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
};
const INSTALLED_ONLY = '[ "$1" = --version ]';
const ANSWERS = '[ "$1" = info ]';

beforeEach(() => ["bwrap", "docker", "podman"].forEach((name) => rmSync(join(bin, name), { force: true })));

/**
 * The line of the choice, or the words of the refusal.
 *
 * @param {string} wanted
 * @param {NodeJS.Platform} [platform]
 */
function choice(wanted, platform = "linux", variables = env) {
  try {
    return chooseSandbox(wanted, variables, platform).line ?? "";
  } catch (problem) {
    return `${problem}`;
  }
}

/** @param {string} wanted */
const program = (wanted, variables = env) => chooseSandbox(wanted, variables, "linux").program({ port: 8788, publicKey: "verifies" });

it("says how to get one where there is none", () => {
  const anyway = /and no container engine answers \(docker, podman\), which would do as well\n[\s\S]*\nor start a container engine\. Without --sandbox agents ask before they do things$/;
  assert.match(choice("any", "darwin"), /^--sandbox needs bubblewrap, which is there for Linux only; /);
  assert.match(choice("any", "darwin"), anyway);
  assert.match(choice("any"), /^--sandbox needs bubblewrap, which is not installed; /);
  assert.match(choice("any"), /\nsudo apt-get install bubblewrap /);
  assert.match(choice("any"), anyway);
});

it("says what is in the way of the one that was asked for, and takes no other", () => {
  standIn("bwrap", "exit 0");
  assert.match(choice("docker"), /^--sandbox=docker needs docker, which is not there or does not answer\nstart it, .*`docker info` says/);
  standIn("docker", "exit 1");
  assert.match(choice("docker"), /^--sandbox=docker needs docker, /);
  standIn("docker", ANSWERS);
  rmSync(join(bin, "bwrap"));
  assert.match(choice("bubblewrap"), /^--sandbox needs bubblewrap, which is not installed\nsudo apt-get install bubblewrap /);
});

it("tries bubblewrap first, and says so where the system forbids it", () => {
  standIn("bwrap", INSTALLED_ONLY);
  assert.match(choice("any"), /^bubblewrap is installed, but this system does not let it make a sandbox; [\s\S]*\nallow user namespaces/);
  standIn("docker", ANSWERS);
  assert.match(choice("any"), /^sandbox: a container of docker, for all agents together/);
  standIn("bwrap", "exit 0");
  assert.equal(choice("any"), "sandbox: bubblewrap, one for each run");
  assert.equal(program("any").env.CONTROL_SANDBOX, "bubblewrap");
});

it("takes the first container engine that answers", () => {
  standIn("docker", "exit 1");
  standIn("podman", ANSWERS);
  assert.match(choice("any", "darwin"), /^sandbox: a container of podman/);
  standIn("docker", ANSWERS);
  assert.match(choice("any", "darwin"), /^sandbox: a container of docker/);
  assert.match(choice("podman", "darwin"), /^sandbox: a container of podman/);
});

it("hands the container nothing that it was not told to, and no value in the command line", () => {
  standIn("docker", ANSWERS);
  const secrets = { CONTROL_KEY: "signs", TOWNWATCH_API_KEY: "key", HOME: "/home/me", SOME_TOKEN: "t" };
  const given = { CONTROL_KEEP_DAYS: "3", AGENT_ENV_ANTHROPIC_API_KEY: "of-agents", CONTROL_PORT: "1", CONTROL_SANDBOX_READABLE: "/x" };
  const { command, args, env: variables } = program("docker", { ...env, ...secrets, ...given });
  assert.equal(command, "docker");
  const named = args.flatMap((arg, at) => (arg === "--env" ? [args[at + 1]] : []));
  assert.deepEqual(named, ["CONTROL_PUBLIC_KEY", "CONTROL_KEEP_DAYS", "AGENT_ENV_ANTHROPIC_API_KEY"]);
  assert.equal(variables.CONTROL_PUBLIC_KEY, "verifies");
  for (const value of ["verifies", "of-agents", "signs", "/home/me"]) assert.ok(!args.some((arg) => arg.includes(value)), value);
  assert.deepEqual(args.filter((_, at) => args[at - 1] === "--publish"), ["127.0.0.1:8788:8788"]);
  assert.deepEqual(args.filter((_, at) => args[at - 1] === "--volume").map((volume) => volume.replace(/-[0-9a-f]{12}-/, "-…-")), ["townwatch-…-8788:/work"]);
});

it("says why there is no image: what it begins with cannot be had, its own build fails, or the one that was named is not there", async () => {
  const refused = (variables = env) =>
    Promise.resolve(present(chooseSandbox("docker", variables, "linux").prepare).work()).then(
      () => "none",
      (problem) => `${problem}`,
    );
  /** @param {string} words */
  const builds = (words) => standIn("docker", `case "$1" in info) ;; build) echo '${words}' >&2; exit 1 ;; *) exit 1 ;; esac`);
  builds('Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host');
  assert.match(await refused(), /no such host\n\nthe image of the sandbox could not be built\nwhat it begins with comes from a registry .*: is the network there\? CONTROL_IMAGE names/);
  builds("error: could not compile `townwatch`");
  assert.match(await refused(), /could not compile .*\n\nthe image of the sandbox could not be built\ndocker build --file container\/Dockerfile --tag townwatch-control-[0-9a-f]{12} \. {2}builds it alone$/);
  assert.equal(await refused({ ...env, CONTROL_IMAGE: "mine" }), "CONTROL_IMAGE: docker has no image mine\nbuild it, or leave CONTROL_IMAGE away: then it is built");
  standIn("docker", "exit 0");
  assert.equal(await refused(), "none");
});
