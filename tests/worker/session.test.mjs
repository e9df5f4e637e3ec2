// The dashboard's cookie: made by the key, good for reading, and for writing only from our own pages.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, mustRefuse, startWorld } from "./harness.mjs";
import { connect } from "./socket.mjs";

describe("a browser's session", () => {
  let world;
  let cookie;
  const asBrowser = (headers = {}) => ({ token: null, headers: { cookie, ...headers } });

  before(async () => {
    world = await startWorld({ control: false });
  });
  after(() => world?.stop());

  it("begins with the key", async () => {
    const key = world.secrets.TOWNWATCH_API_KEY;
    const answer = await world.api("POST", "/api/session", { key }, { token: null, headers: { origin: world.url } });
    must(answer, 201);
    const [set, ...more] = answer.headers["set-cookie"];
    assert.deepEqual(more, []);
    assert.match(set, /; *HttpOnly/i);
    assert.match(set, /; *SameSite=Strict/i);
    assert.match(set, /; *Path=\/(;|$)/i);
    assert.doesNotMatch(set, /; *Secure/i, "plain http on this machine must work");
    assert.ok(!set.includes(key), "the cookie does not hold the key");
    cookie = set.split(";")[0];
  });

  it("is refused with a wrong key, and then sets no cookie", async () => {
    for (const key of ["", "wrong", `${world.secrets.TOWNWATCH_API_KEY}x`]) {
      const answer = await world.api("POST", "/api/session", { key }, { token: null });
      mustRefuse(answer, 401, "unauthorized");
      assert.equal(answer.headers["set-cookie"], undefined);
    }
  });

  it("says who I am", async () => {
    must(await world.api("GET", "/api/session", undefined, asBrowser()));
    mustRefuse(await world.api("GET", "/api/session", undefined, { token: null }), 401, "unauthorized");
    const forged = { token: null, headers: { cookie: `${cookie.split(".").slice(0, -1).join(".")}.AAAA` } };
    mustRefuse(await world.api("GET", "/api/session", undefined, forged), 401, "unauthorized");
  });

  it("reads and writes from our own pages, by either name of this machine", async () => {
    for (const host of ["127.0.0.1", "localhost"]) {
      const origin = `http://${host}:${new URL(world.url).port}`;
      must(await world.api("POST", "/api/towns", { name: host }, asBrowser({ origin })), 201);
    }
    assert.equal(must(await world.api("GET", "/api/towns", undefined, asBrowser())).length, 2);
  });

  it("writes nothing for a foreign page", async () => {
    const foreign = ["https://evil.example", "null", "http://127.0.0.1:1", `${world.url}.evil.example`];
    for (const origin of foreign) {
      const answer = await world.api("POST", "/api/towns", { name: "evil" }, asBrowser({ origin }));
      mustRefuse(answer, 403, "origin_not_allowed");
    }
    mustRefuse(await world.api("POST", "/api/towns", { name: "none" }, asBrowser()), 403, "origin_not_allowed");
    assert.equal(must(await world.api("GET", "/api/towns", undefined, asBrowser())).length, 2);
  });

  it("opens a stream from our own page without a ticket, and none for a foreign page", async () => {
    const { stream } = await world.town();
    const own = await connect(world.url + stream, { cookie, origin: world.url });
    assert.equal(own.status, 101);
    own.socket.cut();
    mustRefuse(await connect(world.url + stream, { cookie, origin: "https://evil.example" }), 403, "origin_not_allowed");
  });

  it("ends on request", async () => {
    const answer = await world.api("DELETE", "/api/session", undefined, asBrowser({ origin: world.url }));
    must(answer, 204);
    assert.match(answer.headers["set-cookie"][0], /Max-Age=0|Expires=Thu, 01 Jan 1970/i);
  });
});
