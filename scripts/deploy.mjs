// `npm run deploy` checks, builds and deploys. `npm run deploy:container` also builds the container's image, which needs
// Docker. Anything after `--` goes to wrangler: `npm run deploy -- --dry-run --outdir /tmp/out`.

import { spawnSync } from "node:child_process";
import { buildAll } from "./build.mjs";
import { writeContainerConfig } from "./lib/container_config.mjs";
import { main } from "./lib/main.mjs";
import { ROOT } from "./lib/paths.mjs";
import { Problem } from "./lib/problem.mjs";
import { ask } from "./lib/run.mjs";
import { checkSecrets } from "./lib/secrets.mjs";
import { CONTAINER_TOKEN, CONTROL_KEY, checkSettings, fromWranglerToml, SECRETS } from "./lib/settings.mjs";
import { stepper } from "./lib/steps.mjs";
import { SETUP_STEPS, setUp } from "./setup.mjs";

/** @import { Variables } from "./lib/types.d.ts" */

const CONTAINER = "--container";

/** @param {readonly string[]} given */
async function deploy(given) {
  const container = given.includes(CONTAINER);
  const rest = given.filter((arg) => arg !== CONTAINER);
  const settings = fromWranglerToml();
  checkSettings(settings, "wrangler.toml");
  if (container) needDocker();
  const step = stepper(SETUP_STEPS + 3);
  const tools = await setUp({ step });
  await buildAll(tools, step, ["worker", "dashboard"]);
  const flags = named(rest);
  await step("checking the secrets", async () => {
    if (!rest.includes("--dry-run")) await checkSecrets(tools, secrets(container, settings), flags);
  });
  const config = container ? ["--config", writeContainerConfig()] : [];
  const [command, args] = tools.wrangler(["deploy", ...config, ...tagged(rest), ...rest]);
  // Wrangler may ask something, so it gets the terminal.
  return spawnSync(command, args, { env: tools.env, cwd: ROOT, stdio: "inherit" }).status ?? 1;
}

/**
 * Those that this deployment needs, each as the names that will do: for a container of its own a town makes its own key.
 *
 * @param {boolean} container
 * @param {Variables} settings
 */
function secrets(container, { CONTAINER_URL }) {
  const needed = SECRETS.map((name) => [name]);
  if (CONTAINER_URL) return [...needed, [CONTROL_KEY, CONTAINER_TOKEN]];
  if (!container) console.log("no container and no CONTAINER_URL: this town shows agents that run elsewhere and post their events");
  return needed;
}

function needDocker() {
  if (ask("docker", ["info"]) === undefined) {
    throw new Problem("there is no Docker engine, which builds the container's image", {
      remedy: "start Docker, or deploy without the container:  npm run deploy",
    });
  }
}

/**
 * The commit as the deployment's tag, which `GET /health` shows, unless one is given or this is no git checkout.
 *
 * @param {readonly string[]} rest
 */
function tagged(rest) {
  const commit = ask("git", ["describe", "--always", "--dirty", "--abbrev=12"]);
  return commit === undefined || rest.includes("--tag") ? [] : ["--tag", commit];
}

/**
 * `--name x` and `--env x`, which choose the Worker for every command of wrangler.
 *
 * @param {readonly string[]} args
 */
const named = (args) => args.flatMap((arg, at) => (["--name", "--env", "-e"].includes(arg) ? [arg, args[at + 1]] : []));

await main(() => deploy(process.argv.slice(2)));
