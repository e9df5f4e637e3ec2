// The link that signs a browser in. It holds a code that is good once and for a minute, behind `#`: so it is in no request
// and no log, and what a browser keeps of it is worth nothing.

import { Problem } from "./problem.mjs";

/** @import { Variables } from "./types.d.ts" */

const START = "npm run dev  starts it; then `npm run link` works in another terminal";

/**
 * A link to a page of the Townwatch at `base`, signed in.
 *
 * @param {string} base
 * @param {Variables} secrets
 */
export async function link(base, { TOWNWATCH_API_KEY }, path = "/") {
  const request = { method: "POST", headers: { authorization: `Bearer ${TOWNWATCH_API_KEY}` }, signal: AbortSignal.timeout(10_000) };
  const answer = await fetch(`${base}/api/session/code`, request).catch(() => null);
  if (answer === null) throw new Problem(`nothing answers at ${base}`, { remedy: START });
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 201) return `${base.replace("//127.0.0.1", "//localhost")}${path}#code=${said.data.code}`;
  if (answer.status === 401) throw new Problem(`what answers at ${base} has another key than .dev.vars`, { remedy: `end it; ${START}` });
  throw new Problem(`${base} makes no link: ${said.error?.message ?? answer.status}`, { remedy: START });
}

/**
 * The page's path out of what was typed: an address or a path, or nothing.
 *
 * @param {string | undefined} typed
 */
export function pathOf(typed) {
  const path = /^(?:https?:\/\/[^/]*)?(\/[^#]*)?(?:#.*)?$/.exec(typed ?? "");
  if (path === null) throw new Problem(`${typed} is no page`, { remedy: "name a path, /towns/… say, or a page's address" });
  return path[1] ?? "/";
}
