// The right to watch: a ticket opens one stream, once, soon, the one it was made for. Everything else is refused with
// an HTTP status before the upgrade, and a refusal for another reason leaves the ticket as it was.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, mustRefuse, startWorld } from "./harness.mjs";
import { connect } from "./socket.mjs";
import { sleep } from "./until.mjs";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe("tickets", () => {
  let world;
  let town;
  let agentStream;
  const open = (stream, ticket, headers) => connect(`${world.url}${stream}?ticket=${encodeURIComponent(ticket)}`, headers);
  /** Opens a stream and leaves it; fails the test if it is refused. */
  const mustOpen = async (stream, ticket, headers) => {
    const answer = await open(stream, ticket, headers);
    assert.equal(answer.status, 101, answer.text);
    answer.socket.cut();
  };

  before(async () => {
    world = await startWorld({ control: false });
    town = await world.town();
    await world.registerAgent(town, "watched");
    await world.registerAgent(town, "another");
    agentStream = `${town.path}/container/agents/watched/stream`;
  });
  after(() => world?.stop());

  it("are given for a town and for an agent, also one that has not started yet", async () => {
    for (const stream of [town.stream, agentStream, `${town.path}/container/agents/not-yet/stream`]) {
      const made = must(await world.api("POST", `${stream}-ticket`, {}));
      assert.equal(made.url.split("?")[0], stream);
      assert.ok(made.url.includes(encodeURIComponent(made.ticket)), made.url);
      assert.ok(made.ticket.length >= 22, "128 bits at least");
      assert.match(made.expires_at, TIME);
      const left_ms = Date.parse(made.expires_at) - Date.now();
      assert.ok(left_ms > 50_000 && left_ms < 61_000, `${left_ms} ms left of 60 s`);
      const answer = await connect(world.url + made.url);
      assert.equal(answer.status, 101, answer.text);
      answer.socket.cut();
    }
  });

  it("work once", async () => {
    const ticket = await world.ticket(town.stream);
    await mustOpen(town.stream, ticket);
    mustRefuse(await open(town.stream, ticket), 401, "ticket_invalid");
    mustRefuse(await open(town.stream, ticket), 401, "ticket_invalid");
  });

  it("let one in of 50 who come at the same time", async () => {
    const ticket = await world.ticket(agentStream);
    const answers = await Promise.all(Array.from({ length: 50 }, () => open(agentStream, ticket)));
    const opened = answers.filter(({ status }) => status === 101);
    assert.equal(opened.length, 1);
    opened[0].socket.cut();
    for (const answer of answers) if (answer.status !== 101) mustRefuse(answer, 401, "ticket_invalid");
  });

  it("are refused when they are nonsense", async () => {
    const real = await world.ticket(town.stream);
    const flipped = (real[0] === "A" ? "B" : "A") + real.slice(1);
    for (const nonsense of ["x", "0", "null", "' OR 1=1 --", "%00", "é", real.slice(0, -1), `${real}x`, flipped, "A".repeat(3000)]) {
      mustRefuse(await open(town.stream, nonsense), 401, "ticket_invalid");
    }
    await mustOpen(town.stream, real);
  });

  it("open no stream but their own, and a try elsewhere leaves them unused", async () => {
    const elsewhere = await world.town("Elsewhere");
    const forAgent = await world.ticket(agentStream);
    const forTown = await world.ticket(town.stream);
    const wrong = [
      [`${town.path}/container/agents/another/stream`, forAgent],
      [town.stream, forAgent],
      [`${elsewhere.path}/container/agents/watched/stream`, forAgent],
      [elsewhere.stream, forTown],
      [agentStream, forTown],
    ];
    for (const [stream, ticket] of wrong) mustRefuse(await open(stream, ticket), 401, "ticket_invalid");
    await mustOpen(agentStream, forAgent);
    await mustOpen(town.stream, forTown);
  });

  it("stay unused when the request is refused for another reason", async () => {
    const ticket = await world.ticket(town.stream);
    const url = `${town.stream}?ticket=${ticket}`;
    mustRefuse(await open(town.stream, ticket, { origin: "https://evil.example" }), 403, "origin_not_allowed");
    mustRefuse(await open(town.stream, ticket, { origin: "null" }), 403, "origin_not_allowed");
    mustRefuse(await world.api("GET", url, undefined, { token: null }), 426, "upgrade_required");
    mustRefuse(await world.api("POST", url, {}, { token: null }), 405, "method_not_allowed");
    for (const query of ["after_id=-1", "after_id=x", "after_id=1.5", "tail=3&after_id=1", "from=x", "tail=-1", "flow=nack", "until=dawn"]) {
      const answer = await connect(`${world.url}${url}&${query}`);
      mustRefuse(answer, 400, "invalid_request", query.split("=")[0]);
    }
    const unknown = await open("/api/towns/no-such-town/stream", ticket);
    mustRefuse(unknown, 404, "not_found");
    await mustOpen(town.stream, ticket);
  });

  it("come from pages of our own origin, by either name of this machine", async () => {
    const { port } = new URL(world.url);
    for (const host of ["127.0.0.1", "localhost"]) {
      await mustOpen(town.stream, await world.ticket(town.stream), { origin: `http://${host}:${port}` });
    }
    // Not https on this very host and port: `wrangler dev` rewrites that to our own before the Worker sees it.
    const foreign = ["http://127.0.0.1", `http://127.0.0.1:${Number(port) + 1}`, `https://localhost:${port}`, "http://localhost.evil.example", "file://"];
    for (const origin of foreign) {
      mustRefuse(await open(town.stream, await world.ticket(town.stream), { origin }), 403, "origin_not_allowed");
    }
  });

  it("are not needed by the operator's program, and an agent's token is none", async () => {
    const operator = { authorization: `Bearer ${world.secrets.TOWNWATCH_API_KEY}` };
    const opened = await connect(world.url + town.stream, operator);
    assert.equal(opened.status, 101, opened.text);
    opened.socket.cut();
    const agent = { authorization: `Bearer ${await world.agentToken(town, "watched")}` };
    for (const stream of [town.stream, agentStream]) {
      mustRefuse(await connect(world.url + stream, agent), 403, "forbidden");
      mustRefuse(await connect(world.url + stream), 401, "unauthorized");
      mustRefuse(await connect(world.url + stream, { authorization: "Bearer wrong" }), 401, "unauthorized");
    }
    const ticket = await world.api("POST", `${agentStream}-ticket`, {}, { token: agent.authorization.slice(7) });
    mustRefuse(ticket, 403, "forbidden");
  });

  it("and the other secrets stand in no log line", () => {
    for (const [name, value] of Object.entries(world.secrets)) {
      assert.ok(!world.worker.log.includes(value), `${name} is in the log`);
    }
    assert.doesNotMatch(world.worker.log, /ticket=(?!…|\*)[A-Za-z0-9_-]{16,}/);
  });
});

describe("tickets that live for one second", () => {
  let world;

  before(async () => {
    world = await startWorld({ control: false, vars: { TICKET_TTL_SECONDS: 1 } });
  });
  after(() => world?.stop());

  it("are refused afterwards", async () => {
    const { stream } = await world.town();
    const made = must(await world.api("POST", `${stream}-ticket`, {}));
    await sleep(Date.parse(made.expires_at) - Date.now() + 50);
    mustRefuse(await connect(world.url + made.url), 401, "ticket_invalid");
    const soon = must(await world.api("POST", `${stream}-ticket`, {}));
    const opened = await connect(world.url + soon.url);
    assert.equal(opened.status, 101, opened.text);
    opened.socket.cut();
  });
});
