// What stands between agents of development and this machine: chosen once, a value that says how the control server is run.
//
// Of each: `line`, which tells of the choice; `prepare`, a step that it takes first; `program({port, publicKey})`, the control
// server as a command; `sweep()`, which ends what an earlier one left when it was killed; and `end()`, after which nothing of
// this one is left.

import { bubblewrapObstacle } from "./bubblewrap.mjs";
import { containerSandbox, ENGINES, engineObstacle } from "./container_engine.mjs";
import { DEV_CONTROL_SERVER } from "./paths.mjs";
import { Problem } from "./problem.mjs";

/** @import { Env, Sandbox, Variables } from "./types.d.ts" */

/**
 * Each by its name, in the order in which they are tried: what is in its way, as a problem, and the sandbox.
 *
 * @type {{ [name: string]: { obstacle: (env: Env, platform: NodeJS.Platform) => Problem | undefined, make: (env: Env) => Sandbox } }}
 */
const KINDS = {
  bubblewrap: {
    obstacle: bubblewrapObstacle,
    make: (env) => native(env, { CONTROL_SANDBOX: "bubblewrap" }, "sandbox: bubblewrap, one for each run"),
  },
  ...Object.fromEntries(
    ENGINES.map((engine) => [engine, { obstacle: (env) => engineObstacle(engine, env), make: (env) => containerSandbox(engine, env) }]),
  ),
};

/** What may be asked for by name. */
export const SANDBOXES = Object.keys(KINDS);

/**
 * The sandbox that is wanted: a name of these, `any` for the first that is there, or `none`.
 *
 * @param {string} wanted
 * @param {Env} [env]
 * @param {NodeJS.Platform} [platform]
 */
export function chooseSandbox(wanted, env = process.env, platform = process.platform) {
  if (wanted === "none") return native(env, {});
  const names = wanted === "any" ? SANDBOXES : [wanted];
  const obstacles = [];
  for (const name of names) {
    const obstacle = KINDS[name].obstacle(env, platform);
    if (!obstacle) return KINDS[name].make(env);
    obstacles.push(obstacle);
  }
  const [first] = obstacles;
  if (wanted !== "any") throw first;
  throw new Problem(`${first.message}; and no container engine answers (${ENGINES.join(", ")}), which would do as well`, {
    remedy: `${first.remedy}\nor start a container engine. Without --sandbox agents ask before they do things`,
  });
}

/**
 * The control server as a program of this machine.
 *
 * @param {Env} env
 * @param {Variables} variables
 * @param {string} [line]
 * @returns {Sandbox}
 */
function native(env, variables, line) {
  /** @param {{ port: number, publicKey: string }} options */
  const program = ({ port, publicKey }) => ({
    command: DEV_CONTROL_SERVER,
    args: [],
    env: { ...env, CONTROL_PORT: String(port), CONTROL_PUBLIC_KEY: publicKey, ...variables },
  });
  return { line, program, sweep: () => {}, end: () => {} };
}
