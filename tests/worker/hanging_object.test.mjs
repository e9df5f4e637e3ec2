// An object that panics never answers, and neither does one that waits for something that never comes. Its caller is told
// after a minute, whatever it asked for.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { convertV4MiniflareOptions, Miniflare } from "miniflare";

import { present } from "../present.mjs";
import { MODULES } from "./bare_worker.mjs";
import { mustRefuse } from "./harness.mjs";
import { request } from "./http.mjs";
import { freePort } from "./processes.mjs";
import { connect } from "./socket.mjs";

const LIMIT_MS = 60_000;
const HANGING = `export class Hanging {
  fetch() { return new Promise((resolve) => setTimeout(resolve, 3_600_000)); }
}
export default { fetch: () => new Response(null) };`;

describe("an object that never answers", () => {
  let miniflare;
  let url;
  const secret = () => randomBytes(32).toString("hex");
  const secrets = { TOWNWATCH_API_KEY: secret(), TOWNWATCH_JWT_SECRET: secret(), CONTAINER_TOKEN: secret() };
  const headers = { authorization: `Bearer ${secrets.TOWNWATCH_API_KEY}` };

  before(async () => {
    const port = await freePort();
    const toml = readFileSync(join(MODULES.rootPath, "wrangler.toml"), "utf8");
    const compatibilityDate = present(/^compatibility_date = "(.+)"/m.exec(toml))[1];
    const object = { className: "Hanging", scriptName: "hanging" };
    miniflare = new Miniflare(
      convertV4MiniflareOptions(/** @type {any} */ ({
        cf: false,
        workers: [
          {
            name: "townwatch",
            ...MODULES,
            compatibilityDate,
            bindings: { CONTAINER_URL: "http://127.0.0.1:1", ...secrets },
            durableObjects: { TOWN: object, RIG: object, ACCOUNT: object },
            unsafeDirectSockets: [{ host: "127.0.0.1", port }],
          },
          { name: "hanging", modules: true, script: HANGING, compatibilityDate, durableObjects: { SELF: { className: "Hanging" } } },
        ],
      })),
    );
    await miniflare.ready;
    url = `http://127.0.0.1:${port}`;
  });
  after(() => miniflare?.dispose());

  it("is 503 after a minute, for reads, writes, uploads and streams", async () => {
    const began = performance.now();
    const ask = (method, path, body) =>
      request(url + path, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
        body,
        timeout_ms: LIMIT_MS + 15_000,
      });
    const image = `/api/rigs/r/agents/a/images/${"0".repeat(32)}`;
    const answers = await Promise.all([
      ask("GET", "/api/towns"),
      ask("POST", "/api/towns", '{"name":"x"}'),
      ask("GET", "/api/towns/t/events?wait_ms=30000"),
      ask("POST", "/api/rigs/r/agent-events", '{"agent_id":"a","event_type":"x"}'),
      ask("POST", "/api/rigs/r/agents/a/token", "{}"),
      request(url + image, { method: "PUT", headers: { ...headers, "content-type": "image/png" }, body: "x", timeout_ms: LIMIT_MS + 15_000 }),
      request(`${url}/api/towns/t/stream`, { headers: { ...headers, accept: "text/event-stream" }, timeout_ms: LIMIT_MS + 15_000 }),
    ]);
    const took_ms = performance.now() - began;
    assert.ok(took_ms > LIMIT_MS - 1_000 && took_ms < LIMIT_MS + 10_000, `${took_ms} ms`);
    for (const answer of answers) {
      mustRefuse(answer, 503, "town_unavailable", "no answer within 60 s");
      assert.match(answer.json.error.message, /may have been done or not/);
      assert.ok(Number(answer.headers["retry-after"]) > 0);
    }
    // The Worker itself lives.
    assert.equal((await request(`${url}/health`)).status, 200);
    mustRefuse(await connect(`${url}/api/towns/t/stream`), 401, "unauthorized");
  });
});
