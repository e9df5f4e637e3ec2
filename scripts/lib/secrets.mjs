// The secrets of the deployed Worker: which there are; their values never leave Cloudflare.

import { runShown } from "./run.mjs";
import { Problem } from "./problem.mjs";

/** Refuses a deployment whose Worker would answer everything with 503 because a secret is not set. */
export async function checkSecrets({ wrangler, env }, needed, flags) {
  const there = await secretNames({ wrangler, env }, flags);
  const missing = needed.filter((name) => !there.includes(name));
  if (missing.length === 0) return;
  const commands = missing.map((name) => `  openssl rand -hex 32 | npx wrangler secret put ${[name, ...flags].join(" ")}`);
  throw new Problem(`not set in the deployed Worker: ${missing.join(", ")}`, {
    remedy: ["set a random value for each, keep TOWNWATCH_API_KEY for signing in, and deploy again:", ...commands].join("\n"),
  });
}

async function secretNames({ wrangler, env }, flags) {
  const [command, args] = wrangler(["secret", "list", "--format", "json", ...flags]);
  const { code, output } = await runShown(command, args, { env, show: false });
  if (code === 0) return [...output.matchAll(/"name":\s*"([^"]+)"/g)].map(([, name]) => name);
  if (/10007|does not exist/.test(output)) return []; // the first deployment
  const signIn = "sign in with  npx wrangler login  or set CLOUDFLARE_API_TOKEN, and check CLOUDFLARE_ACCOUNT_ID";
  throw new Problem("cannot ask Cloudflare which secrets are set", { output, remedy: signIn });
}
