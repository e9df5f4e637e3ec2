// The dashboard's session: begun by the key or by a link's code, good for reading, and for writing only from our own pages;
// listed, and ended one by one or all at once.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { link } from "../../scripts/lib/link.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { metricsOf } from "./metrics.mjs";
import { connect } from "./socket.mjs";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

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
    assert.match(set, new RegExp(`^townwatch_session_${new URL(world.url).port}=`), "a cookie knows no ports");
    assert.match(set, /; *HttpOnly/i);
    assert.match(set, /; *SameSite=Strict/i);
    assert.match(set, /; *Path=\/(;|$)/i);
    assert.match(set, /; *Max-Age=604800(;|$)/i);
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

  it("ends on request, also for whoever kept the cookie", async () => {
    const answer = await world.api("DELETE", "/api/session", undefined, asBrowser({ origin: world.url }));
    must(answer, 204);
    assert.match(answer.headers["set-cookie"][0], /Max-Age=0|Expires=Thu, 01 Jan 1970/i);
    mustRefuse(await world.api("GET", "/api/session", undefined, asBrowser()), 401, "unauthorized");
    must(await world.api("DELETE", "/api/session", undefined, asBrowser({ origin: world.url })), 204);
  });
});

describe("sessions", () => {
  let world;
  before(async () => {
    world = await startWorld({ control: false });
  });
  after(() => world?.stop());

  const as = ({ cookie }) => ({ token: null, headers: { cookie, origin: world.url } });
  const isIn = async (session) => (await world.api("GET", "/api/towns", undefined, as(session))).status === 200;
  const listed = async () => must(await world.api("GET", "/api/sessions")).map(({ session_id }) => session_id);

  it("begin with the code of a link, once, and which only the key can make", async () => {
    const { code, expires_at } = must(await world.api("POST", "/api/session/code"), 201);
    assert.ok(!code.includes(world.secrets.TOWNWATCH_API_KEY));
    const left_ms = Date.parse(expires_at) - Date.now();
    assert.ok(left_ms > 50_000 && left_ms <= 60_000, `${left_ms}`);
    const signedIn = await world.api("POST", "/api/session", { code }, { token: null });
    must(signedIn, 201);
    assert.ok(await isIn({ cookie: signedIn.headers["set-cookie"][0].split(";")[0] }));
    const again = await world.api("POST", "/api/session", { code }, { token: null });
    mustRefuse(again, 401, "unauthorized", "npm run link");
    assert.equal(again.headers["set-cookie"], undefined);
    mustRefuse(await world.api("POST", "/api/session/code", undefined, as(await world.signIn())), 403, "forbidden");
  });

  it("begin with what `npm run link` prints", async () => {
    const made = new URL(await link(world.url, world.secrets, "/towns/t1"));
    assert.deepEqual([made.hostname, made.pathname], ["localhost", "/towns/t1"]);
    const code = made.hash.replace("#code=", "");
    must(await world.api("POST", "/api/session", { code }, { token: null }), 201);
    await assert.rejects(link(world.url, { TOWNWATCH_API_KEY: "0".repeat(64) }), /another key/);
  });

  it("are listed, know which one is their own, and are ended one by one or all at once", async () => {
    const [mine, other, third] = [await world.signIn({ "user-agent": FIREFOX }), await world.signIn(), await world.signIn()];
    assert.equal(must(await world.api("GET", "/api/session", undefined, as(mine))).session_id, mine.session_id);
    assert.equal(must(await world.api("GET", "/api/session")).session_id, undefined);
    const entry = must(await world.api("GET", "/api/sessions", undefined, as(other))).find(({ session_id }) => session_id === mine.session_id);
    assert.equal(entry.browser, "Firefox on Linux");
    assert.equal(Date.parse(entry.ends_at) - Date.parse(entry.last_seen_at), 12 * 3_600_000);
    must(await world.api("DELETE", `/api/sessions/${other.session_id}`, undefined, as(mine)), 204);
    assert.deepEqual([await isIn(mine), await isIn(other), await isIn(third)], [true, false, true]);
    assert.ok(!(await listed()).includes(other.session_id));
    mustRefuse(await world.api("DELETE", `/api/sessions/${other.session_id}`, undefined, as(mine)), 404, "not_found");
    must(await world.api("DELETE", "/api/sessions", undefined, as(mine)), 204);
    assert.deepEqual([await isIn(mine), await isIn(other), await isIn(third), await listed()], [false, false, false, []]);
  });

  it("outlive a new start of the server", async () => {
    const session = await world.signIn();
    await world.worker.kill();
    await world.worker.start();
    assert.ok(await isIn(session));
  });

  it("cost the account nothing while they are used, but once a minute", async () => {
    const session = await world.signIn();
    assert.ok(await isIn(session));
    const path = must(await world.api("POST", "/api/towns", { name: "x" }), 201).town_id;
    const reads = async () => (await metricsOf(world, "/api")).sql_rows_read_total;
    const ask = () => world.api("GET", `/api/towns/${path}`, undefined, as(session));
    must(await ask());
    const before = await reads();
    for (let count = 0; count < 20; count += 1) must(await ask());
    assert.equal(await reads(), before);
  });

  it("are not what an agent shows that kept a token of an old secret: its address stays open", async () => {
    const from = { "cf-connecting-ip": "203.0.113.9" };
    const ask = (token) => world.api("GET", "/api/towns", undefined, { token, headers: from });
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const old = [part({ alg: "HS256" }), part({ town_id: "t", rig_id: "r", agent_id: "a", exp: 4_102_444_800 }), Buffer.alloc(32).toString("base64url")].join(".");
    const counted = async () => (await metricsOf(world, "/api")).wrong_keys_total;
    const before = await counted();
    for (let count = 0; count < 65; count += 1) mustRefuse(await ask(old), 401, "unauthorized");
    must(await ask(world.secrets.TOWNWATCH_API_KEY));
    assert.equal(await counted(), before);
  });

  it("that are wrong are counted and logged by address, and one that shows too many is not looked at any more", async () => {
    const key = world.secrets.TOWNWATCH_API_KEY;
    const from = { "cf-connecting-ip": "203.0.113.7" };
    const signIn = (proof, headers = from) => world.api("POST", "/api/session", proof, { token: null, headers });
    const bearer = (token, /** @type {object} */ headers = from) => world.api("GET", "/api/towns", undefined, { token, headers });
    const counted = async () => (await metricsOf(world, "/api")).wrong_keys_total;
    const before = await counted();
    for (let count = 0; count < 20; count += 1) {
      mustRefuse(await signIn({ key: "wrong" }), 401, "unauthorized");
      mustRefuse(await signIn({ code: "wrong" }), 401, "unauthorized");
      mustRefuse(await bearer("wrong"), 401, "unauthorized");
    }
    assert.equal(await counted(), before + 60);
    assert.match(world.worker.log, /\{"address":"203\.0\.113\.7","event":"wrong_key"\}|\{"event":"wrong_key","address":"203\.0\.113\.7"\}/);
    assert.ok(!world.worker.log.includes(key));
    for (const refused of [await bearer("wrong"), await bearer(key), await signIn({ key }), await signIn({ code: "wrong" })]) {
      mustRefuse(refused, 429, "rate_limited");
      assert.ok(Number(refused.headers["retry-after"]) > 0);
    }
    const session = await world.signIn();
    must(await world.api("GET", "/api/towns", undefined, { token: null, headers: { ...from, cookie: session.cookie } }));
    must(await bearer(key, { "cf-connecting-ip": "203.0.113.8" }));
    must(await bearer(key, {}));
  });
});
