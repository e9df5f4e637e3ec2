// The secrets of the deployed Worker: which there are; their values never leave Cloudflare.

import { Problem } from "./problem.mjs";
import { runShown } from "./run.mjs";
import { CONTROL_KEY } from "./settings.mjs";

/** @import { Tools } from "./types.d.ts" */

/**
 * Refuses a deployment whose Worker would answer everything with 503 because a secret is not set: of each list one will do.
 *
 * @param {Pick<Tools, "wrangler" | "env">} tools
 * @param {readonly string[][]} needed
 * @param {readonly string[]} flags
 */
export async function checkSecrets({ wrangler, env }, needed, flags) {
  const there = await secretNames({ wrangler, env }, flags);
  const missing = needed.filter((names) => !names.some((name) => there.includes(name))).map(([name]) => name);
  if (missing.length === 0) return;
  const commands = missing.map((name) => {
    const put = `npx wrangler secret put ${[name, ...flags].join(" ")}`;
    if (name !== CONTROL_KEY) return `  openssl rand -hex 32 | ${put}`;
    return `  ${put}    # the first line of \`npm run key\`; the control server gets the second (a container of another make: CONTAINER_TOKEN)`;
  });
  throw new Problem(`not set in the deployed Worker: ${missing.join(", ")}`, {
    remedy: ["set a random value for each, keep TOWNWATCH_API_KEY for signing in, and deploy again:", ...commands].join("\n"),
  });
}

/**
 * @param {Pick<Tools, "wrangler" | "env">} tools
 * @param {readonly string[]} flags
 */
async function secretNames({ wrangler, env }, flags) {
  const [command, args] = wrangler(["secret", "list", "--format", "json", ...flags]);
  const { code, output } = await runShown(command, args, { env, show: false });
  if (code === 0) return [...output.matchAll(/"name":\s*"([^"]+)"/g)].map(([, name]) => name);
  if (/10007|does not exist/.test(output)) return []; // the first deployment
  const signIn = "sign in with  npx wrangler login  or set CLOUDFLARE_API_TOKEN, and check CLOUDFLARE_ACCOUNT_ID";
  throw new Problem("cannot ask Cloudflare which secrets are set", { output, remedy: signIn });
}
