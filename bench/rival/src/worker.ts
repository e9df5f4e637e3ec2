// The rival: Townwatch's hot paths as a TypeScript Worker with Durable Objects. Same routes, same envelope, same tables, same
// order of durability. README.md says what is left out.

import { answered, failure, noSuchPath, Refusal, success } from "./answers.ts";

export { Rig } from "./rig.ts";
export { Town } from "./town.ts";

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const encoder = new TextEncoder();
let keyBytes: Uint8Array | undefined;

/** Compares in constant time. */
function isKey(env: Env, shown: string | null): boolean {
  if (!shown) return false;
  keyBytes ??= encoder.encode(env.TOWNWATCH_API_KEY);
  const given = encoder.encode(shown);
  if (given.byteLength !== keyBytes.byteLength) return !crypto.subtle.timingSafeEqual(keyBytes, keyBytes);
  return crypto.subtle.timingSafeEqual(given, keyBytes);
}

function keyOf(request: Request): string | null {
  const bearer = request.headers.get("authorization");
  return bearer?.startsWith("Bearer ") ? bearer.slice("Bearer ".length) : null;
}

async function createTown(request: Request, env: Env): Promise<Response> {
  const town_id = crypto.randomUUID();
  const { name } = await request.json();
  const body = JSON.stringify({ town_id, name });
  return env.TOWN.getByName(town_id).fetch("https://object/create", { method: "POST", body });
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/health") return success(200, { status: "ok" });
    if (!isKey(env, keyOf(request))) return failure(new Refusal(401, "unauthorized", "show the key"));
    return answered(() => {
      const [, api, kind, id, part] = pathname.split("/");
      if (api !== "api") throw noSuchPath();
      if (kind === "towns" && id === undefined && request.method === "POST") return createTown(request, env);
      if (id === undefined || part === undefined || !ID.test(id)) throw noSuchPath();
      if (kind === "rigs") return env.RIG.getByName(id).fetch(request);
      if (kind === "towns") return env.TOWN.getByName(id).fetch(request);
      throw noSuchPath();
    });
  },
};
