import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { link, pathOf } from "../../scripts/lib/link.mjs";
import { Problem } from "../../scripts/lib/problem.mjs";

const KEY = "0123456789abcdef0123456789abcdef";

/**
 * Asks for a link where everything is answered so.
 *
 * @param {string} body
 */
async function linkWhere(status, body) {
  const asked = [];
  const server = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  try {
    return { port, asked, made: await link(`http://127.0.0.1:${port}`, { TOWNWATCH_API_KEY: KEY }, "/towns/t1?x=1") };
  } finally {
    server.close();
  }
}

test("a link holds a code that the server made for it, and not the key", async () => {
  const { port, asked, made } = await linkWhere(201, '{"success":true,"data":{"code":"abc","expires_at":""}}');
  assert.equal(made, `http://localhost:${port}/towns/t1?x=1#code=abc`);
  assert.deepEqual(asked, [`POST /api/session/code Bearer ${KEY}`]);
});

test("where no link can be made it is said what to do", async () => {
  const nobody = link("http://127.0.0.1:1", { TOWNWATCH_API_KEY: KEY });
  await assert.rejects(nobody, (error) => error instanceof Problem && /nothing answers/.test(error.message) && /npm run dev/.test(error.remedy));
  await assert.rejects(linkWhere(401, "{}"), /another key than \.dev\.vars/);
  await assert.rejects(linkWhere(503, '{"error":{"message":"EVENT_CAP: is bad"}}'), /makes no link: EVENT_CAP: is bad/);
  await assert.rejects(linkWhere(404, "no JSON"), /makes no link: 404/);
});

test("a page is named by its path or its address", () => {
  for (const [typed, path] of [
    [undefined, "/"],
    ["/towns/t1", "/towns/t1"],
    ["http://localhost:8787/towns/t1/agents/a?event=5", "/towns/t1/agents/a?event=5"],
    ["http://localhost:8787", "/"],
    ["/towns/t1#code=old", "/towns/t1"],
  ]) {
    assert.equal(pathOf(typed), path, typed);
  }
  assert.throws(() => pathOf("towns"), Problem);
});
