// Every route, asked by every kind of caller: who is let in is what doors_table.mjs says, which has them all.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";

import { CALLERS, DOORS } from "./doors_table.mjs";
import { EventSource } from "./event_source.mjs";
import { must, startWorld } from "./harness.mjs";
import { request } from "./http.mjs";
import { connect } from "./socket.mjs";
import { sleep } from "./until.mjs";

const MARKS = { unauthorized: "u", token_expired: "x", token_revoked: "r", ticket_invalid: "t", forbidden: "f", origin_not_allowed: "o" };
const FOREIGN = "https://evil.example";

describe("the doors", () => {
  let world;
  let town;
  let callers;

  before(async () => {
    world = await startWorld({ control: false });
    town = await world.town();
    const elsewhere = await world.town("Elsewhere");
    for (const [where, agent_id] of [[town, "one"], [town, "two"], [town, "three"], [elsewhere, "one"]]) await world.registerAgent(where, agent_id);
    const { TOWNWATCH_API_KEY: key, CONTAINER_TOKEN: container } = world.secrets;
    // Some routes end sessions, so each request has its own.
    const session = (more) => async () => ({ headers: { cookie: (await world.signIn()).cookie, ...more } });
    const bearer = (token) => async () => ({ headers: { authorization: `Bearer ${token}` } });
    // Each from an address of its own: wrong keys from one address are not looked at for long.
    let asked = 0;
    const wrong = (token) => async () => ({ headers: { authorization: `Bearer ${token}`, "cf-connecting-ip": `198.51.100.${++asked % 250}` } });
    const [own, beside, namesake, expired] = await Promise.all([
      world.agentToken(town, "one"),
      world.agentToken(town, "two"),
      world.agentToken(elsewhere, "one"),
      world.agentToken(town, "one", 1),
    ]);
    const tokens = `/api/rigs/${town.rig_id}/agents/one/token`;
    const revoked = must(await world.api("POST", tokens, {}), 201);
    must(await world.api("DELETE", `${tokens}s/${revoked.token_id}`), 204);
    const ticket = (stream) => async () => ({ headers: {}, ticket: await world.ticket(stream) });
    callers = {
      nobody: async () => ({ headers: {} }),
      "a wrong key": wrong("0".repeat(64)),
      "the container's token": wrong(container),
      "the operator": bearer(key),
      "a session": session({ origin: world.url }),
      "a session without an origin": session({}),
      "a session from a foreign page": session({ origin: FOREIGN }),
      "the agent": bearer(own),
      "an agent beside it": bearer(beside),
      "its namesake in another town": bearer(namesake),
      "the agent, expired": bearer(expired),
      "the agent, revoked": bearer(revoked.token),
      "the agent's ticket": ticket(`${town.path}/container/agents/one/stream`),
      "the town's ticket": ticket(town.stream),
    };
    await sleep(2_000); // a token says its end in whole seconds
  });
  after(() => world?.stop());

  /** What a route is asked, such that nothing comes of it which would change what the next caller finds. */
  async function address(method, pattern) {
    const town_id = method === "DELETE" && pattern === "/api/towns/{town_id}" ? (await world.town("to go")).town_id : town.town_id;
    const agent_id = pattern.includes("/tokens") ? "three" : "one";
    const rig_id = pattern.startsWith("/api/towns/") ? "no-rig" : town.rig_id;
    const ids = { town_id, session_id: "1", token_id: "1", rig_id, agent_id, image_id: "0".repeat(32), id: "1" };
    return pattern.replaceAll(/\{(\w+)\}/g, (_, name) => ids[name]);
  }

  const mark = ({ status, text }) => (status === 401 || status === 403 ? MARKS[JSON.parse(text).error.code] : ".");

  async function ask(method, pattern, { headers, ticket }, kind) {
    const query = ticket === undefined ? "" : `?ticket=${ticket}`;
    const url = world.url + (await address(method, pattern)) + query;
    if (kind === "web_socket") {
      const answer = await connect(url, headers);
      answer.socket?.cut();
      return mark(answer);
    }
    if (kind === "event_stream") {
      const source = await EventSource.open(url, headers);
      source.cut();
      return mark(source);
    }
    const body = method === "GET" ? undefined : pattern.endsWith("/agent-events") ? '{"agent_id":"one","event_type":"note"}' : "{}";
    const type = body === undefined ? {} : { "content-type": "application/json" };
    return mark(await request(url, { method, headers: { ...headers, ...type }, body }));
  }

  it("have a line in the table for each route of the document and of the router, and for no other", async () => {
    const { paths } = JSON.parse((await request(`${world.url}/openapi.json`)).text);
    const methods = ["get", "post", "put", "patch", "delete"];
    const documented = Object.entries(paths).flatMap(([path, item]) => methods.filter((one) => item[one]).map((one) => `${one.toUpperCase()} ${path}`));
    const router = readFileSync(new URL("../../crates/town/src/route.rs", import.meta.url), "utf8");
    const routed = [...router.matchAll(/^ {4}\w+(?:\([^)]*\))? = (\w+) "(\/[^"]*)";$/gm)].map(([, method, path]) => `${method.toUpperCase()} ${path}`);
    assert.ok(routed.length > 30, "the router's table was found");
    assert.deepEqual(Object.keys(DOORS).sort(), routed.sort());
    assert.deepEqual(Object.keys(DOORS).sort(), documented.sort());
    assert.deepEqual(Object.keys(callers), CALLERS);
  });

  for (const [route, line] of Object.entries(DOORS)) {
    /** @type {[string | undefined, string][]} By the kind of the request where a route has several. */
    const expectations = typeof line === "string" ? [[undefined, line]] : Object.entries(line);
    for (const [kind, expected] of expectations) {
      it(`${route}${kind === undefined ? "" : ` (${kind})`}`, async () => {
        const [method, pattern] = route.split(" ");
        const marks = [...expected.replaceAll(" ", "")];
        assert.equal(marks.length, CALLERS.length);
        const found = {};
        for (const name of CALLERS) found[name] = await ask(method, pattern, await callers[name](), kind);
        assert.deepEqual(found, Object.fromEntries(CALLERS.map((name, at) => [name, marks[at]])));
      });
    }
  }

  it("stand where they stood: nobody was harmed by asking", async () => {
    assert.equal(must(await world.api("GET", town.path)).town_id, town.town_id);
  });
});
