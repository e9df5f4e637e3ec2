// A container engine as the sandbox of development: the control server runs with all agents in a container of the image that
// is deployed, too (container/Dockerfile). Docker and Podman take the same words.

import { createHash } from "node:crypto";
import os from "node:os";
import { CONTROL_DEFAULTS } from "./control_settings.mjs";
import { ROOT } from "./paths.mjs";
import { isDevelopment } from "./port_holder.mjs";
import { Problem } from "./problem.mjs";
import { ask, runShown } from "./run.mjs";

/** @import { Env } from "./types.d.ts" */

/** Those that are tried, in this order. */
export const ENGINES = ["docker", "podman"];

/** By these a container is found again: whose checkout it is of, and which process started it. */
const CHECKOUT_LABEL = "townwatch.checkout";
const PROCESS_LABEL = "townwatch.process";
/** What the control server's root may do: give runs their users, hand them their directories, and end them. */
const CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"];
/** Sixty-four agents of a hundred processes each, and some. */
const PROCESSES_MAX = 8_192;
/** Of this machine's memory; the rest is the person's. */
const MEMORY_SHARE = 0.75;
/** Where the control server listens in the image, and its settings that hold inside as outside. What is not among them stays out, keys first. */
const { CONTROL_PORT: INNER_PORT, ...HANDED_ON } = CONTROL_DEFAULTS;

const checkout = createHash("sha256").update(ROOT).digest("hex").slice(0, 12);

/**
 * What is in its way, or nothing.
 *
 * @param {string} engine
 * @param {Env} env
 */
export function engineObstacle(engine, env) {
  if (ask(engine, ["info"], env) !== undefined) return undefined;
  const remedy = `start it, and start again; \`${engine} info\` says what is in the way`;
  return new Problem(`--sandbox=${engine} needs ${engine}, which is not there or does not answer`, { remedy });
}

/**
 * The sandbox that an engine makes.
 *
 * @param {string} engine
 * @param {Env} env
 */
export function containerSandbox(engine, env) {
  const own = env.CONTROL_IMAGE?.trim();
  const image = own || `townwatch-control-${checkout}`;
  return {
    line: `sandbox: a container of ${engine}, for all agents together; each has a user of its own there, and none your HOME`,
    prepare: {
      title: own ? `looking for the image ${own}` : "building the image of the sandbox",
      about: own || hasImage(engine, image, env) ? "" : "10 min",
      work: () => (own ? find(engine, image, env) : build(engine, image, env)),
    },
    program: (/** @type {{ port: number, publicKey: string }} */ { port, publicKey }) => ({
      command: engine,
      args: ["run", ...options(port), ...handedOn(env).flatMap((name) => ["--env", name]), image],
      // Named above and read here, so that no value stands in a command line.
      env: { ...env, CONTROL_PUBLIC_KEY: publicKey },
    }),
    sweep: () => removeAll(engine, env, (pid) => !isDevelopment(pid)),
    end: () => removeAll(engine, env, (pid) => pid === process.pid),
  };
}

/**
 * How it is shut in.
 *
 * @param {number} port
 */
function options(port) {
  const memory = String(Math.floor(os.totalmem() * MEMORY_SHARE));
  return [
    // Never from a registry: somebody else might have an image of that name there. No `--init`: the control server is one, as
    // it is deployed, and Podman may have none.
    ...["--rm", "--pull=never"],
    ...["--label", `${CHECKOUT_LABEL}=${checkout}`, "--label", `${PROCESS_LABEL}=${process.pid}`],
    ...["--publish", `127.0.0.1:${port}:${INNER_PORT}`],
    ...["--volume", `townwatch-${checkout}-${port}:/work`],
    ...["--memory", memory, "--memory-swap", memory, "--pids-limit", String(PROCESSES_MAX)],
    ...["--security-opt", "no-new-privileges", "--cap-drop", "ALL", ...CAPABILITIES.flatMap((name) => ["--cap-add", name])],
  ];
}

/**
 * The variables that go in: what only verifies, settings, and what is there for agents.
 *
 * @param {Env} env
 */
const handedOn = (env) => ["CONTROL_PUBLIC_KEY", ...Object.keys(HANDED_ON).filter((name) => env[name]), ...Object.keys(env).filter((name) => name.startsWith("AGENT_ENV_"))];

/**
 * @param {string} engine
 * @param {string} image
 * @param {Env} env
 */
const hasImage = (engine, image, env) => ask(engine, ["image", "inspect", image], env) !== undefined;

/**
 * @param {string} engine
 * @param {string} image
 * @param {Env} env
 */
async function build(engine, image, env) {
  const args = ["build", "--file", "container/Dockerfile", "--tag", image, "."];
  const { code, output } = await runShown(engine, args, { env, show: false });
  if (code === 0) return;
  const isAway = /pull access denied|source metadata|initializing source|no such host|dial tcp|i\/o timeout|TLS handshake|x509|could not resolve host/i.test(output);
  const remedy = isAway
    ? "what it begins with comes from a registry (FROM in container/Dockerfile): is the network there? CONTROL_IMAGE names an image of yours instead"
    : `${engine} ${args.join(" ")}  builds it alone`;
  throw new Problem("the image of the sandbox could not be built", { remedy, output });
}

/**
 * @param {string} engine
 * @param {string} image
 * @param {Env} env
 */
async function find(engine, image, env) {
  if (hasImage(engine, image, env)) return;
  throw new Problem(`CONTROL_IMAGE: ${engine} has no image ${image}`, { remedy: "build it, or leave CONTROL_IMAGE away: then it is built" });
}

/**
 * Removes the containers of this checkout whose `npm run dev` is chosen, by its process.
 *
 * @param {string} engine
 * @param {Env} env
 * @param {(pid: number) => boolean} isChosen
 */
function removeAll(engine, env, isChosen) {
  const all = ask(engine, ["ps", "--all", "--quiet", "--filter", `label=${CHECKOUT_LABEL}=${checkout}`], env) ?? "";
  /** @param {string} id */
  const processOf = (id) => Number(ask(engine, ["inspect", "--format", `{{index .Config.Labels "${PROCESS_LABEL}"}}`, id], env));
  for (const id of all.split("\n").filter(Boolean)) {
    const pid = processOf(id);
    // What does not tell is let alone: it may be another one's.
    if (Number.isInteger(pid) && pid > 0 && isChosen(pid)) ask(engine, ["rm", "--force", id], env);
  }
}
