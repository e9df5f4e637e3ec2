// Every route refuses what is wrong with the contract's code and a message that names the field, and stores nothing.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";

import { IMAGE_ID, routesOf } from "./bad_input_table.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { connect } from "./socket.mjs";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const NOT_JSON = ["", " ", "{", '{"name":}', "{'name':'x'}", '{"name":"x"} {}', '{"name":"x",}', "undefined", "NaN", "\ufeff{}"];
const NOT_OBJECTS = ["null", "5", '"x"', "true", "[]"];
const PLACEHOLDER = { town_id: "TOWN", rig_id: "RIG" };

describe("bad input", () => {
  let world;
  let town;
  let stored;
  let addresses = 0;
  const agent_id = "worker-1";

  /** What the town and the directory hold, to be compared. */
  const snapshot = async () => {
    const paths = ["/api/towns", town.path, `${town.path}/rigs`, `${town.path}/agents`, `${town.path}/agents/${agent_id}/runs`];
    paths.push(`${town.path}/events?tail=1000`, `/api/rigs/${town.rig_id}/agents`, `/api/rigs/${town.rig_id}/agents/${agent_id}/events`);
    const found = {};
    for (const path of paths) found[path] = must(await world.api("GET", path));
    return found;
  };
  /** A path of the table, made before the town was, as it is now. */
  const real = (text) => text.replaceAll("TOWN", town.town_id).replaceAll("RIG", town.rig_id);
  const realBody = (body) => (body === undefined ? undefined : real(JSON.stringify(body)));
  const ask = (route, { path = route.path, query = "", body = route.bytes ?? realBody(route.body), ...more } = /** @type {any} */ ({})) => {
    const url = real(path) + (query && `?${query}`);
    const options = { ...more, headers: { ...route.headers, ...more.headers } };
    if (!route.stream) return world.api(route.method, url, body, options);
    const bearer = options.token === undefined ? world.secrets.TOWNWATCH_API_KEY : options.token;
    return connect(world.url + url, { ...options.headers, ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }) });
  };

  before(async () => {
    world = await startWorld();
    town = await world.town();
    await world.registerAgent(town, agent_id);
    must(await world.post(town, agent_id, [{ event_type: "note", data: "the only one" }]), 201);
    const viewer = await world.watch(town.stream, { tail: 1 });
    await viewer.until("the posted event", () => viewer.events.length > 0);
    viewer.cut();
    stored = await snapshot();
  });
  after(() => world?.stop());

  for (const route of routesOf(PLACEHOLDER, agent_id)) {
    describe(`${route.method} ${route.path}`, () => {
      after(async () => {
        const [before, now] = [stored, await snapshot()];
        stored = now; // each route answers for itself
        assert.deepEqual(now, before, "something was stored");
      });

      if (route.always) {
        it("is refused", async () => mustRefuse(await ask(route), ...route.always));
        return;
      }
      if (!route.open) {
        it("asks for a credential, and for a right one", async () => {
          const refused = await ask(route, { token: null });
          // From an address of its own: wrong keys from one address are not looked at for long.
          const from = { "cf-connecting-ip": `198.51.100.${++addresses}` };
          mustRefuse(refused, 401, "unauthorized");
          assert.equal(refused.headers["www-authenticate"], "Bearer");
          for (const token of ["wrong", "x.y.z", `${world.secrets.TOWNWATCH_API_KEY}0`]) {
            mustRefuse(await ask(route, { token, headers: from }), 401, "unauthorized");
          }
          mustRefuse(await ask(route, { token: null, headers: { ...from, authorization: "Basic dG93bjp3YXRjaA==" } }), 401, "unauthorized");
          mustRefuse(await ask(route, { token: null, headers: { cookie: `townwatch_session_${new URL(world.url).port}=forged` } }), 401, "unauthorized");
        });
      }
      it("knows its methods", async () => {
        const known = routesOf(PLACEHOLDER, agent_id).filter(({ path }) => path === route.path).map(({ method }) => method);
        for (const method of METHODS.filter((one) => !known.includes(one))) {
          mustRefuse(await world.api(method, real(route.path), method === "GET" ? undefined : {}), 405, "method_not_allowed");
        }
      });
      if (route.path.includes("TOWN") || route.path.includes("RIG")) {
        it("checks the ids of its path", async () => {
          for (const id of ["a%20b", "a.b", "%C3%A4", "a%2Fb", "..%2f", "%00", "x".repeat(65)]) {
            for (const [part, field] of [["TOWN", "town_id"], ["RIG", "rig_id"], [agent_id, "agent_id"], [IMAGE_ID, "image_id"]]) {
              if (!route.path.includes(part)) continue;
              mustRefuse(await ask(route, { path: route.path.replace(part, id) }), 400, "invalid_request", field);
            }
          }
        });
        it("knows only towns and rigs that exist", async () => {
          for (const part of ["TOWN", "RIG"]) {
            if (!route.path.includes(part)) continue;
            const path = route.path.replace(part, "0198c0de-0000-7000-8000-000000000000");
            mustRefuse(await ask(route, { path }), 404, "not_found");
          }
        });
      }
      if (route.body !== undefined) bodies(route);
      for (const [parameter, queries] of Object.entries(route.query ?? {})) {
        it(`checks ${parameter} in its query`, async () => {
          for (const query of queries) mustRefuse(await ask(route, { query }), 400, "invalid_request", parameter);
        });
      }
    });
  }

  function bodies(route) {
    it("takes JSON only", async () => {
      for (const body of NOT_JSON) {
        if (route.optionalBody && body.trim() === "") continue;
        mustRefuse(await ask(route, { body }), 400, "invalid_request");
      }
      for (const body of NOT_OBJECTS) mustRefuse(await ask(route, { body }), 400, "invalid_request");
      // The values in the order of the fields, but without their names.
      const list = JSON.stringify(Object.values(route.body));
      if (list !== "[]") mustRefuse(await ask(route, { body: real(list) }), 400, "invalid_request");
      const latin = Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xe4]), Buffer.from('"}')]);
      mustRefuse(await ask(route, { body: latin }), 400, "invalid_request");
    });
    it("takes JSON by its content type only", async () => {
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"]) {
        mustRefuse(await ask(route, { headers: { "content-type": type } }), 415, "unsupported_media_type");
      }
    });
    it("takes nothing packed", async () => {
      const headers = { "content-encoding": "gzip" };
      mustRefuse(await ask(route, { body: gzipSync(realBody(route.body)), headers }), 415, "unsupported_media_type");
    });
    it("takes 4 MiB at most", async () => {
      const body = JSON.stringify({ ...route.body, padding: "p".repeat(4 << 20) });
      mustRefuse(await ask(route, { body: real(body) }), 413, "too_large");
    });
    if (route.missing !== undefined) {
      it(`cannot do without ${route.missing.join(", ")}`, async () => {
        for (const field of route.missing) {
          const { [field]: _, ...rest } = route.body;
          mustRefuse(await ask(route, { body: real(JSON.stringify(rest)) }), 400, "invalid_request", field);
        }
      });
    }
    for (const [field, values] of Object.entries(route.wrong ?? {})) {
      it(`checks ${field}`, async () => {
        for (const value of values) {
          // A path like events[1].at is wrong by fields of its own, which the table gives as a whole.
          const change = field.includes("[") ? value : { [field]: value };
          const answer = await ask(route, { body: real(JSON.stringify({ ...route.body, ...change })) });
          assert.equal(answer.status, 400, `${field}: ${JSON.stringify(value).slice(0, 80)}: ${answer.status} ${answer.text.slice(0, 300)}`);
          mustRefuse(answer, 400, "invalid_request", field);
        }
      });
    }
  }

  it("a path that nobody knows is 404", async () => {
    const unknown = ["/api/", "/api/nothing", "/api/towns/", "/api//towns", "/api/towns/TOWN/nothing", "/api/towns/TOWN/events/1/2"];
    unknown.push("/api/rigs/RIG", "/api/towns/TOWN/container", "/api/towns/TOWN/container/agents", `/api/towns/TOWN/container/agents/${agent_id}`);
    for (const path of unknown) mustRefuse(await world.api("GET", real(path)), 404, "not_found");
  });

  it("an agent that nobody knows is 404", async () => {
    for (const path of ["agents/nobody", "agents/nobody/runs", `agents/nobody/images/${IMAGE_ID}`, "container/agents/nobody/status"]) {
      mustRefuse(await world.api("GET", `${town.path}/${path}`), 404, "not_found");
    }
    const message = await world.api("POST", `${town.path}/container/agents/nobody/message`, { prompt: "x" });
    mustRefuse(message, 404, "not_found");
    mustRefuse(await world.api("POST", `${town.path}/agents/nobody/answer`, { request_id: "q", answer: "once" }), 404, "not_found");
    assert.deepEqual(await snapshot(), stored);
  });

  it("an agent's id belongs to one rig of a town", async () => {
    const other = await world.town("Another");
    must(await world.api("POST", `/api/rigs/${other.rig_id}/agents`, { agent_id: "twice", name: "x", role: "mayor" }), 201);
    const second = must(await world.api("POST", `${other.path}/rigs`, { name: "second" }), 201);
    const clash = await world.api("POST", `/api/rigs/${second.rig_id}/agents`, { agent_id: "twice", name: "x", role: "mayor" });
    mustRefuse(clash, 409, "conflict");
    const erased = await world.api("DELETE", other.path);
    assert.ok(erased.status < 300, erased.text);
  });
});
