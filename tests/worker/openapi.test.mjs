// openapi.json as it is served: a valid document, and what it says of the API is what the API does.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { Validator } from "@seriousme/openapi-schema-validator";

import { attached, HOSTILE, idOf, PICTURES, result } from "../pictures/pictures.mjs";
import { ApiDocument } from "./api_document.mjs";
import { must, startWorld } from "./harness.mjs";
import { request } from "./http.mjs";
import { connect } from "./socket.mjs";
import { until } from "./until.mjs";

describe("the document of the API", () => {
  let world;
  let served;
  let api;
  /** Calls a route, and holds what was asked and answered against the document. */
  const call = async (method, path, body, options) => {
    const answer = await world.api(method, path, body, options);
    api.mustDescribe(method, path, { body, kind: options?.headers?.["content-type"] }, answer);
    return answer;
  };
  const ok = async (...asked) => {
    const answer = await call(...asked);
    assert.ok(answer.status < 300, `${asked.slice(0, 2).join(" ")}: ${answer.status} ${answer.text}`);
    return answer.data;
  };
  const refused = async (status, code, ...asked) => {
    const answer = await call(...asked);
    assert.deepEqual([answer.status, answer.error?.code], [status, code], `${asked.slice(0, 2).join(" ")}: ${answer.text}`);
  };

  before(async () => {
    world = await startWorld();
    served = await request(`${world.url}/openapi.json`);
    api = new ApiDocument(served.json);
  });
  after(() => world?.stop());

  it("is served to anybody, as JSON, and by HEAD too", async () => {
    assert.equal(served.status, 200);
    assert.match(served.headers["content-type"], /^application\/json(;|$)/);
    const head = await request(`${world.url}/openapi.json`, { method: "HEAD" });
    assert.deepEqual([head.status, head.text, head.headers["content-type"]], [200, "", served.headers["content-type"]]);
    const again = await request(`${world.url}/openapi.json`, { headers: { "if-none-match": served.headers.etag } });
    assert.equal(again.status, 304);
  });

  it("is a valid OpenAPI 3.1 document whose references lead somewhere", async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(served.json));
    assert.ok(valid, JSON.stringify(errors));
    assert.equal(served.json.openapi, "3.1.0");
    const ids = api.operations.map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length, "each operation has a name of its own");
  });

  it("has every schema in a form that can be used", () => {
    for (const name of Object.keys(served.json.components.schemas)) api.problemsOf(name, null);
  });

  it("has no route that does not exist", async () => {
    for (const { method, path } of api.operations) {
      const answer = await world.api(method, path.replaceAll(/\{[a-z_]+\}/g, "1"), undefined, { token: null });
      assert.ok(![404, 405].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
    }
  });

  it("describes what a session, a town and a rig answer", async () => {
    await ok("GET", "/health");
    const key = world.secrets.TOWNWATCH_API_KEY;
    await ok("POST", "/api/session", { key }, { token: null });
    await refused(401, "unauthorized", "POST", "/api/session", { key: "wrong" }, { token: null });
    const headers = { origin: "https://elsewhere.test" };
    await refused(403, "origin_not_allowed", "POST", "/api/session", { key }, { token: null, headers });
    await ok("GET", "/api/session");
    await refused(401, "unauthorized", "GET", "/api/session", undefined, { token: null });
    await refused(400, "invalid_request", "POST", "/api/session", { key, code: "x" }, { token: null });
    const { code } = await ok("POST", "/api/session/code");
    const { session_id } = await ok("POST", "/api/session", { code }, { token: null });
    await refused(401, "unauthorized", "POST", "/api/session", { code }, { token: null });
    await ok("GET", "/api/sessions");
    await ok("DELETE", `/api/sessions/${session_id}`);
    await refused(404, "not_found", "DELETE", `/api/sessions/${session_id}`);
    await ok("DELETE", "/api/sessions");
    await ok("GET", "/api/metrics");
    await ok("DELETE", "/api/session");
    const { town_id } = await ok("POST", "/api/towns", { name: "Riverside" });
    await refused(400, "invalid_request", "POST", "/api/towns", { name: "" });
    await refused(415, "unsupported_media_type", "POST", "/api/towns", "{}", { headers: { "content-type": "text/plain" } });
    await refused(413, "too_large", "POST", "/api/towns", `{"name":"${"x".repeat(4 << 20)}"}`);
    await ok("GET", "/api/towns");
    const path = `/api/towns/${town_id}`;
    await ok("PATCH", path, { name: "Seaside" });
    await ok("PATCH", path, { max_cost_usd: 20, max_tokens: null });
    await refused(400, "invalid_request", "PATCH", path, { max_tokens: 0 });
    assert.equal((await ok("GET", path)).day_budget.max_cost_usd, 20);
    const { rig_id } = await ok("POST", `${path}/rigs`, { name: "bare" });
    await ok("POST", `${path}/rigs`, { name: "main", git_url: "https://example.test/x.git", default_branch: "main" });
    await ok("GET", `${path}/rigs`);
    await ok("GET", `${path}/metrics`);
    await ok("GET", `/api/rigs/${rig_id}/metrics`);
    await ok("GET", path);
    await refused(404, "not_found", "GET", "/api/towns/nowhere");
    await refused(400, "invalid_request", "GET", "/api/towns/no.where");
    await ok("POST", `/api/rigs/${rig_id}/agents`, { agent_id: "away", name: "Away", role: "witness" });
    await ok("POST", `${path}/agents/away/archive`);
    await ok("GET", `${path}/agents?archived=true`);
    await refused(409, "conflict", "POST", `/api/rigs/${rig_id}/agent-events`, { agent_id: "away", event_type: "note" });
    await ok("DELETE", `${path}/agents/away/archive`);
    await ok("POST", `${path}/rigs/${rig_id}/archive`);
    await ok("GET", `${path}/rigs`);
    await refused(409, "conflict", "DELETE", `${path}/agents/away/archive`);
    await ok("DELETE", `${path}/rigs/${rig_id}/archive`);
    await ok("DELETE", `${path}/rigs/${rig_id}`);
    await refused(404, "not_found", "DELETE", `${path}/rigs/${rig_id}`);
    await ok("DELETE", path);
    await refused(404, "not_found", "DELETE", path);
  });

  it("describes what agents that run elsewhere post, and what is read of it", async () => {
    const town = await world.town();
    const rig = `/api/rigs/${town.rig_id}`;
    await ok("POST", `${rig}/agents`, { agent_id: "poster", name: "Poster", role: "witness" });
    await refused(400, "invalid_request", "POST", `${rig}/agents`, { name: "x", role: "clown" });
    const other = (await ok("POST", `${town.path}/rigs`, { name: "other" })).rig_id;
    await refused(409, "conflict", "POST", `/api/rigs/${other}/agents`, { agent_id: "poster", name: "x", role: "mayor" });
    await ok("GET", `${rig}/agents`);
    const { token } = await ok("POST", `${rig}/agents/poster/token`, { ttl_seconds: 60 });
    const revoked = await ok("POST", `${rig}/agents/poster/token`);
    await ok("DELETE", `${rig}/agents/poster/tokens/${revoked.token_id}`);
    await refused(404, "not_found", "DELETE", `${rig}/agents/poster/tokens/unknown`);
    await refused(401, "token_revoked", "GET", "/api/session", undefined, { token: revoked.token });
    await refused(401, "token_revoked", "POST", `${rig}/agents/poster/heartbeat`, undefined, { token: revoked.token });
    assert.equal((await ok("GET", `${rig}/agents/poster/tokens`)).tokens.length, 2);
    await refused(404, "not_found", "GET", `${rig}/agents/nobody/tokens`);
    await ok("POST", `${rig}/agents`, { agent_id: "leaving", name: "Leaving", role: "witness" });
    await ok("DELETE", `${rig}/agents/leaving/tokens`);
    await ok("DELETE", `${town.path}/agents/leaving`);
    await refused(404, "not_found", "DELETE", `${town.path}/agents/leaving`);
    await refused(400, "invalid_request", "POST", `${rig}/agents/poster/token`, { ttl_seconds: 0 });
    await ok("GET", "/api/session", undefined, { token });
    await refused(403, "forbidden", "GET", town.path, undefined, { token });

    const post = (body) => ok("POST", `${rig}/agent-events`, { agent_id: "poster", ...body }, { token });
    await post({ event_type: "agent_output", data: { text: "Hello", stream: "assistant" }, event_id: "hello 1" });
    await post({ events: [{ event_type: "deploy.begun" }, { event_type: "agent_output", data: 42 }] });
    const at = "2026-11-22T18:00:00+01:00";
    await post({ events: [{ event_type: "agent_output", data: { text: "x".repeat(60_000), stream: "stdout", message_id: null }, at, run_id: "r1" }] });
    await post({ event_type: "agent_tool_call", data: { tool_use_id: "1", tool: "Bash", category: "Bash", input: ["x".repeat(60_000)], summary: "ls" } });
    const none = { agent_id: "poster" };
    await refused(400, "invalid_request", "POST", `${rig}/agent-events`, none, { token });
    assert.match(api.problemsOf("PostEvents", none), /required/);
    await refused(403, "forbidden", "POST", `${rig}/agent-events`, { agent_id: "another", event_type: "x" }, { token });
    await refused(404, "not_found", "POST", `${rig}/agent-events`, { agent_id: "another", event_type: "x" });
    assert.deepEqual(await ok("POST", `${rig}/agents/poster/heartbeat`, undefined, { token }), { heard: true });
    await refused(403, "forbidden", "POST", `${rig}/agents/another/heartbeat`, undefined, { token });
    await refused(404, "not_found", "POST", `${rig}/agents/another/heartbeat`);
    must(await world.registerAgent(town, "over").then(() => world.post(town, "over", [{ event_type: "x" }])), 201);
    await ok("POST", `${town.path}/container/agents/over/stop`);
    await refused(409, "run_ended", "POST", `${rig}/agent-events`, { agent_id: "over", event_type: "x" });
    const page = await ok("GET", `${rig}/agents/poster/events?after_id=1&limit=2`, undefined, { token });
    assert.equal(page.events.length, 2);

    const agent = `${town.path}/agents/poster`;
    const all = await until("all of them in the town", async () => {
      const { events } = await ok("GET", `${agent}/events?after_id=0&limit=1000`);
      return events.filter(({ event }) => event !== "agent.status").length >= 5 && events;
    });
    const cut = all.filter((event) => event.cut);
    assert.equal(cut.length, 2, "two had to be cut");
    await ok("GET", `${town.path}/events/${cut[0].id}`);
    await refused(404, "not_found", "GET", `${town.path}/events/999999`);
    await ok("GET", `${agent}`);
    await ok("PATCH", agent, { max_tokens: 1_000_000, max_cost_usd: 2.5 });
    await refused(404, "not_found", "PATCH", `${town.path}/agents/nobody`, { max_tokens: 1 });
    await ok("GET", `${agent}`);
    await ok("GET", `${agent}/runs`);
    for (const query of ["", "?before_id=3", "?tail=2", "?event=agent_output&event=x", "?after_id=0&run_id=r1&wait_ms=0"]) {
      await ok("GET", `${town.path}/events${query}`);
    }
    const anew = await ok("GET", `${town.path}/events?epoch=another&after_id=3`);
    assert.equal(anew.reset, true);
    await refused(400, "invalid_request", "GET", `${town.path}/events?limit=0`);
    await refused(400, "invalid_request", "GET", `${town.path}/events?tail=1&before_id=2`);
  });

  it("takes what its schemas take, and nothing else: control characters, nulls, integers", async () => {
    const town = await world.town();
    await world.registerAgent(town, "strict");
    const rig = `/api/rigs/${town.rig_id}`;
    const names = ['"a"', '" ä "', '"\\u0000a"', '"a\\u0085"', '"a\\nb"', '"a\\u007f"', '" "', '"\\u00a0"', '""', "null", "7", `"${"x".repeat(200)}"`, `"${"x".repeat(201)}"`];
    const posted = [
      '"event_type":"x"', '"event_type":"x","events":null', '"events":null', '"event_type":null', '"events":[]',
      '"events":[{"event_type":"x"}]', '"events":[{"event_type":"x"}],"data":null,"at":null', '"events":[{"event_type":"x"}],"data":1',
      '"event_type":"x","data":null,"at":null,"event_id":null,"run_id":null', '"events":[{"event_type":null}]', '"event_type":"a b"',
    ];
    const budgets = ["{}", '{"max_tokens":5.0}', '{"max_tokens":0}', '{"max_tokens":null}', '{"max_cost_usd":0.5}', '{"max_cost_usd":0}', '{"max_cost_usd":"1"}'];
    const changes = [[`${town.path}/agents/strict`, "BudgetChange", budgets], [town.path, "TownChange", [...budgets, '{"name":"x"}', '{"name":null}', '{"name":""}']]];
    const tables = [
      ...changes,
      ["/api/towns", "TownRequest", names.map((name) => `{"name":${name}}`)],
      [`${town.path}/rigs`, "RigRequest", ["null", '"x"', '"\\t"', '""'].map((url) => `{"name":"r","git_url":${url}}`)],
      [`${rig}/agents/strict/token`, "TokenRequest", ["60", "60.0", "6e1", "60.5", "-60", "0", "86401.0", "null", '"60"'].map((ttl) => `{"ttl_seconds":${ttl}}`)],
      [`${rig}/agent-events`, "PostEvents", posted.map((fields) => `{"agent_id":"strict",${fields}}`)],
    ];
    for (const [path, schema, bodies] of tables) {
      for (const body of bodies) {
        const answer = await world.api(schema.endsWith("Change") ? "PATCH" : "POST", path, body);
        const problems = api.problemsOf(schema, JSON.parse(body));
        assert.equal(problems === null, answer.status < 300, `${schema} ${body}: ${problems}; ${answer.status} ${answer.text}`);
        if (problems !== null) assert.equal(answer.error.code, "invalid_request", body);
      }
    }
  });

  it("describes pictures, brought and fetched", async () => {
    const town = await world.town();
    await world.registerAgent(town, "painter");
    const to = (bytes) => `/api/rigs/${town.rig_id}/agents/painter/images/${idOf(bytes)}`;
    const from = (bytes) => `${town.path}/agents/painter/images/${idOf(bytes)}`;
    for (const [kind, bytes] of Object.entries(PICTURES)) {
      for (const status of [201, 200]) {
        const answer = await call("PUT", to(bytes), bytes, { headers: { "content-type": kind } });
        assert.equal(answer.status, status, answer.text);
      }
      await ok("GET", from(bytes));
    }
    const png = { headers: { "content-type": "image/png" } };
    const [{ bytes: svg }] = HOSTILE;
    await refused(400, "invalid_request", "PUT", to(svg), svg, png);
    await refused(413, "too_large", "PUT", to(svg), Buffer.alloc(5 << 20), png);
    await refused(415, "unsupported_media_type", "PUT", to(svg), svg, { headers: { "content-type": "image/svg+xml" } });
    await refused(404, "not_found", "PUT", to(PICTURES["image/png"]).replace("painter", "nobody"), PICTURES["image/png"], png);
    await refused(404, "not_found", "GET", from(svg));
    must(await world.post(town, "painter", [{ event_type: "agent_tool_result", data: result("t", [attached(PICTURES["image/gif"])]) }]), 201);
    await ok("GET", `${town.path}/agents/painter/events?wait_ms=5000&after_id=0`);
  });

  it("describes agents in the container, and events of every shape that they have", async () => {
    const town = await world.town();
    const container = `${town.path}/container`;
    await ok("GET", `${container}/health`);
    await ok("GET", "/api/settings");
    const order = { rig_id: town.rig_id, name: "Reader", role: "polecat", runtime: "replay", transcript: "basic", speed: 0 };
    const { agent_id } = await ok("POST", `${container}/agents/start`, order);
    await until("the run's end", async () => (await ok("GET", `${town.path}/agents/${agent_id}`)).exit !== null, 40_000);
    await refused(400, "invalid_request", "POST", `${container}/agents/start`, { ...order, transcript: "no-such" });
    const long = { rig_id: town.rig_id, name: "Sleeper", role: "polecat", runtime: "process", command: ["sleep", "600"] };
    const sleeper = (await ok("POST", `${container}/agents/start`, long)).agent_id;
    const again = { ...long, agent_id: sleeper };
    await refused(409, "already_running", "POST", `${container}/agents/start`, again);
    await ok("GET", `${container}/agents/${sleeper}/status`);
    await refused(409, "not_supported_by_runtime", "POST", `${container}/agents/${sleeper}/message`, { prompt: "Hello" });
    const answer = { request_id: "q", answer: "once" };
    await refused(409, "not_supported_by_runtime", "POST", `${town.path}/agents/${sleeper}/answer`, answer);
    const mayor = `${town.path}/mayor`;
    assert.equal((await ok("GET", `${mayor}/status`)).configured, false);
    await refused(404, "not_found", "POST", `${mayor}/message`, { message: "Hello" });
    await ok("POST", `${mayor}/destroy`);
    await ok("POST", `${container}/agents/start`, { ...long, agent_id: "mayor", role: "mayor" });
    assert.equal((await ok("GET", `${mayor}/status`)).session.agentId, "mayor");
    await refused(409, "not_supported_by_runtime", "POST", `${mayor}/message`, { message: "Hello" });
    await ok("POST", `${mayor}/destroy`);
    await ok("POST", `${container}/agents/${sleeper}/stop`, { signal: "SIGKILL" });
    await ok("POST", `${container}/agents/${sleeper}/stop`);
    await refused(404, "not_found", "POST", `${container}/agents/nobody/stop`, {});
    await ok("GET", `${town.path}/agents`);
    await ok("GET", `${town.path}/agents/${agent_id}/runs`);

    const { events } = await ok("GET", `${town.path}/events?after_id=0&limit=1000`);
    const names = new Set(events.map(({ event }) => event));
    assert.ok(names.size >= 6, [...names].join(" "));
    const known = served.json.components.schemas.KnownEvent.discriminator.mapping;
    for (const event of events) {
      const name = known[event.event].split("/").at(-1);
      assert.equal(api.problemsOf(name, event), null, JSON.stringify(event));
      assert.notEqual(api.problemsOf("OtherEvent", event), null, "a known event is no other");
    }
    await world.control.stop();
    await refused(503, "container_unavailable", "GET", `${container}/health`);
    await world.control.start();
  });

  it("describes tickets and every frame of a stream", async () => {
    const town = await world.town();
    await world.registerAgent(town, "poster");
    must(await world.post(town, "poster", [{ event_type: "note", data: "x" }]), 201);
    await ok("POST", `${town.path}/container/agents/poster/stream-ticket`);
    const { url } = await ok("POST", `${town.path}/stream-ticket`);
    await refused(426, "upgrade_required", "GET", url);
    await refused(426, "upgrade_required", "GET", `${town.path}/container/agents/poster/stream`);
    await refused(401, "unauthorized", "GET", town.stream, undefined, { token: null, headers: { upgrade: "websocket" } });
    const { status, socket } = await connect(`${world.url}${url}&after_id=0`);
    assert.equal(status, 101);
    const frames = [];
    socket.on("text", (text) => frames.push(JSON.parse(text)));
    socket.resume();
    const has = (type) => until(type, () => frames.some((frame) => frame.type === type));
    await has("caught_up");
    const sent = [
      { type: "subscribe", agents: ["poster"], after_id: 0, filters: { progress: false } },
      { type: "ack", id: 0 },
      { type: "ping" },
    ];
    for (const frame of sent) {
      assert.equal(api.problemsOf("ClientFrame", frame), null, JSON.stringify(frame));
      socket.send(JSON.stringify(frame));
    }
    assert.notEqual(api.problemsOf("ClientFrame", { type: "subscribe" }), null);
    socket.send("{}");
    for (const type of ["hello", "state", "events", "subscription_confirmed", "pong", "error"]) await has(type);
    for (const frame of frames) assert.equal(api.problemsOf("ServerFrame", frame), null, JSON.stringify(frame));
    socket.close();
  });

  it("was held against every route", () => {
    const called = new Set([...api.seen].map((what) => what.split(" ").slice(0, 2).join(" ")));
    const left = api.operations.map(({ method, path }) => `${method} ${path}`).filter((one) => !called.has(one));
    assert.deepEqual(left, []);
  });
});
