// The page's own files: what a browser is told to hold them to, how long they are good, and what it gets for one that is
// not there any more.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { mustRefuse, startWorld } from "./harness.mjs";
import { request } from "./http.mjs";

const PAGES = ["/", "/towns/some-town", "/towns/some-town/agents/some-agent?tab=output", "/no/page/of/ours"];

describe("the page's files", () => {
  let world;
  let page;
  const get = (path, headers = {}) => request(world.url + path, { headers: { "accept-encoding": "identity", ...headers } });
  before(async () => {
    world = await startWorld({ control: false });
    page = await get("/");
  });
  after(() => world?.stop());

  for (const path of PAGES) {
    it(`${path} is the page, with its policies`, async () => {
      for (const headers of [{}, { "sec-fetch-mode": "navigate", accept: "text/html" }]) {
        const answer = await get(path, headers);
        assert.deepEqual([answer.status, answer.text], [200, page.text]);
        const policy = answer.headers["content-security-policy"];
        for (const part of ["default-src 'none'", "require-trusted-types-for 'script'", "trusted-types townwatch-worker", "frame-ancestors 'none'"]) {
          assert.ok(policy.split("; ").includes(part), `${part} in ${policy}`);
        }
        assert.equal(answer.headers["cross-origin-opener-policy"], "same-origin");
        assert.equal(answer.headers["cross-origin-resource-policy"], "same-origin");
        assert.match(answer.headers["permissions-policy"], /camera=\(\), .*microphone=\(\)/);
        assert.equal(answer.headers["x-content-type-options"], "nosniff");
        assert.doesNotMatch(answer.headers["cache-control"] ?? "", /immutable/, "the next build's page is to be seen");
      }
    });
  }

  it("whose names have a hash never change", async () => {
    const files = [...page.text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);
    assert.ok(files.length >= 2, page.text);
    for (const path of files) {
      const answer = await get(path);
      assert.equal(answer.status, 200, path);
      assert.match(answer.headers["cache-control"], /max-age=31536000.*immutable/);
      assert.match(answer.headers["content-security-policy"], /require-trusted-types-for/, "a worker's script has its policy from its own answer");
    }
  });

  it("that are not there are 404, however they are asked for, and never HTML", async () => {
    for (const path of ["/assets/index-0ld0ld0l.js", "/assets/worker-gone.js", "/assets/no_dot", "/missing.js", "/towns/x/style.css", "/favicon.ico"]) {
      for (const mode of ["cors", "no-cors", "navigate"]) {
        const answer = await get(path, { "sec-fetch-mode": mode, accept: "text/html,*/*" });
        mustRefuse(answer, 404, "not_found");
        assert.match(answer.headers["content-type"], /^application\/json/);
        assert.doesNotMatch(answer.headers["cache-control"] ?? "", /immutable|max-age=[1-9]/);
      }
    }
  });

  it("and answers of the API are for pages of this origin only", async () => {
    const answer = await world.api("GET", "/api/towns");
    assert.equal(answer.headers["cross-origin-resource-policy"], "same-origin");
    assert.equal((await world.api("GET", "/api/towns", undefined, { token: null })).headers["cross-origin-resource-policy"], "same-origin");
  });
});

describe("a server that is reached over TLS", () => {
  let world;
  before(async () => {
    world = await startWorld({ control: false, bare: true });
  });
  after(() => world?.stop());

  it("says so to the browser that signs in; over plain HTTP it says nothing", async () => {
    const { TOWNWATCH_API_KEY: key } = world.secrets;
    for (const [scheme, expected] of [["https", "max-age=31536000"], ["http", null]]) {
      const origin = `${scheme}://town.example`;
      const signedIn = await world.worker.fetch(`${origin}/api/session`, {
        method: "POST",
        headers: { origin, "content-type": "application/json" },
        body: JSON.stringify({ key }),
      });
      assert.equal(signedIn.status, 201, await signedIn.text());
      const asked = await world.worker.fetch(`${origin}/api/session`, { headers: { authorization: `Bearer ${key}` } });
      assert.deepEqual([signedIn, asked].map(({ headers }) => headers.get("strict-transport-security")), [expected, expected]);
      const cookie = signedIn.headers.get("set-cookie");
      assert.equal(/; Secure/.test(cookie), scheme === "https");
      // A browser takes a cookie with this prefix from this host alone, and over TLS.
      assert.match(cookie, scheme === "https" ? /^__Host-townwatch_session=/ : /^townwatch_session=/);
    }
  });
});
