// Agents' tokens: listed, with when they were used; revoked, one or all, wherever an agent may ask; and two secrets at once
// while one takes the other's place.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { idOf, PICTURES } from "../pictures/pictures.mjs";
import { Command } from "./command_line.mjs";
import { EventSource } from "./event_source.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { signedJwt } from "./jwt.mjs";
import { countedOver } from "./metrics.mjs";
import { sleep, until } from "./until.mjs";

const restart = async (world) => {
  await world.worker.kill();
  await world.worker.start();
};

describe("an agent's tokens", () => {
  let world;
  let town;
  const pathOf = (agent_id) => `/api/rigs/${town.rig_id}/agents/${agent_id}/tokens`;
  const make = async (agent_id, body = {}) => must(await world.api("POST", `/api/rigs/${town.rig_id}/agents/${agent_id}/token`, body), 201);
  const list = async (agent_id) => must(await world.api("GET", pathOf(agent_id)));
  const revoke = (agent_id, token_id) => world.api("DELETE", `${pathOf(agent_id)}/${token_id}`);
  const byHand = (agent_id, claims = {}) =>
    signedJwt(world.secrets.TOWNWATCH_JWT_SECRET, { town_id: town.town_id, rig_id: town.rig_id, agent_id, exp: Math.floor(Date.now() / 1_000) + 600, ...claims });
  const post = (agent_id, token) => world.post(town, agent_id, [{ event_type: "note" }], { token });
  const registered = async (agent_id) => {
    await world.registerAgent(town, agent_id);
    return agent_id;
  };

  before(async () => {
    world = await startWorld({ control: false });
    town = await world.town();
  });
  after(() => world?.stop());

  it("are listed by their ids, the newest first, and are not shown again themselves", async () => {
    const agent_id = await registered("listed");
    const before_ms = Date.now();
    const [first, second] = [await make(agent_id), await make(agent_id, { ttl_seconds: 60 })];
    assert.equal(JSON.parse(Buffer.from(first.token.split(".")[1], "base64url").toString()).jti, first.token_id);
    const answer = await world.api("GET", pathOf(agent_id));
    const { tokens, without_id } = must(answer);
    assert.deepEqual(tokens.map(({ token_id, expires_at, last_used_at, revoked_at }) => [token_id, expires_at, last_used_at, revoked_at]), [
      [second.token_id, second.expires_at, null, null],
      [first.token_id, first.expires_at, null, null],
    ]);
    assert.ok(tokens.every(({ created_at }) => Date.parse(created_at) >= before_ms && Date.parse(created_at) <= Date.now()));
    assert.deepEqual(without_id, { last_used_at: null, revoked_at: null });
    assert.ok(!answer.text.includes(first.token.split(".")[2]));
  });

  it("say when they were used, which costs a row a minute and no more", async () => {
    const agent_id = await registered("used");
    const { token } = await make(agent_id);
    const rig = `/api/rigs/${town.rig_id}`;
    const heard = (as) => async () => must(await world.api("POST", `${rig}/agents/${agent_id}/heartbeat`, {}, { token: as }));
    const byOperator = await countedOver(world, rig, heard());
    for (const as of [token, byHand(agent_id)]) {
      const [first, second] = [await countedOver(world, rig, heard(as)), await countedOver(world, rig, heard(as))];
      const more = (cost, what) => cost[`sql_rows_${what}_total`] - byOperator[`sql_rows_${what}_total`];
      assert.deepEqual([more(first, "written"), more(second, "written"), more(second, "read")], [1, 0, 1]);
    }
    const { tokens, without_id } = await list(agent_id);
    for (const at of [tokens[0].last_used_at, without_id.last_used_at]) assert.ok(Date.now() - Date.parse(at) < 60_000, at);
  });

  it("are refused from the next request on once they are revoked, wherever an agent may ask, and the others are not", async () => {
    const agent_id = await registered("revoked");
    const picture = PICTURES["image/png"];
    const agent = `/api/rigs/${town.rig_id}/agents/${agent_id}`;
    const kind = { "content-type": "image/png" };
    const requests = {
      post: (token) => post(agent_id, token),
      heartbeat: (token) => world.api("POST", `${agent}/heartbeat`, {}, { token }),
      read: (token) => world.api("GET", `${agent}/events`, undefined, { token }),
      picture: (token) => world.api("PUT", `${agent}/images/${idOf(picture)}`, picture, { token, headers: kind }),
      "who am I": (token) => world.api("GET", "/api/session", undefined, { token }),
    };
    const other = await make(agent_id);
    for (const [what, ask] of Object.entries(requests)) {
      const one = await make(agent_id);
      assert.ok((await ask(one.token)).status < 300, what);
      must(await revoke(agent_id, one.token_id), 204);
      mustRefuse(await ask(one.token), 401, "token_revoked", "have a new one made");
      assert.ok((await ask(other.token)).status < 300, `${what}, by another token`);
      assert.ok((await list(agent_id)).tokens.find(({ token_id }) => token_id === one.token_id).revoked_at !== null);
    }
    must(await revoke(agent_id, other.token_id), 204);
    must(await revoke(agent_id, other.token_id), 204);
    for (const token_id of ["nobody", (await make(await registered("beside"))).token_id]) {
      mustRefuse(await revoke(agent_id, token_id), 404, "not_found");
    }
  });

  it("stay revoked when the server is killed right after the answer", async () => {
    const agent_id = await registered("killed");
    const [gone, stays] = [await make(agent_id), await make(agent_id)];
    must(await post(agent_id, gone.token), 201);
    must(await revoke(agent_id, gone.token_id), 204);
    await restart(world);
    mustRefuse(await post(agent_id, gone.token), 401, "token_revoked");
    must(await post(agent_id, stays.token), 201);
  });

  it("are revoked all at once, those without an id, too, as far as they are not newer", async () => {
    const agent_id = await registered("all");
    const { token } = await make(agent_id);
    const second = () => Math.floor(Date.now() / 1_000);
    const without = [byHand(agent_id), byHand(agent_id, { iat: second() })];
    for (const one of [token, ...without]) must(await post(agent_id, one), 201);
    must(await world.api("DELETE", pathOf(agent_id)), 204);
    const revoked = second();
    for (const one of [token, ...without]) mustRefuse(await post(agent_id, one), 401, "token_revoked");
    const { tokens, without_id } = await list(agent_id);
    assert.deepEqual([tokens[0].revoked_at, Date.parse(without_id.revoked_at) <= Date.now()], [without_id.revoked_at, true]);
    await until("the next second", () => second() > revoked);
    must(await post(agent_id, byHand(agent_id, { iat: second() })), 201);
    must(await post(agent_id, (await make(agent_id)).token), 201);
    mustRefuse(await world.api("DELETE", pathOf("nobody")), 404, "not_found");
    mustRefuse(await world.api("GET", pathOf("nobody")), 404, "not_found");
  });

  it("with an id that their rig has not given are none, though the secret signed them", async () => {
    const agent_id = await registered("forged");
    mustRefuse(await post(agent_id, byHand(agent_id, { jti: "mine" })), 401, "token_revoked");
    const beside = await make(await registered("neighbour"));
    mustRefuse(await post(agent_id, byHand(agent_id, { jti: beside.token_id })), 401, "token_revoked");
  });

  it("are a hundred at most: with one more the one that was used longest ago goes", async () => {
    const agent_id = await registered("many");
    const [oldest, next] = [await make(agent_id), await make(agent_id)];
    for (let count = 2; count < 100; count += 1) await make(agent_id);
    must(await post(agent_id, oldest.token), 201);
    const newest = await make(agent_id);
    must(await post(agent_id, oldest.token), 201);
    must(await post(agent_id, newest.token), 201);
    mustRefuse(await post(agent_id, next.token), 401, "token_revoked");
  });

  it("that are revoked let `send` keep its events, say what to do, and send them with the next token", async () => {
    const agent_id = await registered("piped");
    const send = (token) => new Command(world, ["send", "--rig", town.rig_id, "--agent", agent_id], { TOWNWATCH_TOKEN: token, TOWNWATCH_API_KEY: "" });
    const { token, token_id } = await make(agent_id);
    const early = send(token);
    early.stdin.write("before\n");
    const said = async () => (await world.pages(`${town.path}/agents/${agent_id}/events`)).filter(({ event }) => event === "agent_output").map(({ data }) => data.text.trim());
    await until("the first line", async () => (await said()).length === 1);
    must(await revoke(agent_id, token_id), 204);
    early.stdin.end("while it is revoked\n");
    assert.equal(await early.code(), 2);
    assert.ok(early.stderr.includes("was revoked") && early.stderr.includes(`curl -X POST ${world.url}/api/rigs/${town.rig_id}/agents/${agent_id}/token`), early.stderr);
    assert.equal(early.stdout, "before\nwhile it is revoked\n");
    const later = send((await make(agent_id)).token);
    later.stdin.end("after\n");
    assert.equal(await later.code(), 0, later.stderr);
    await until("all lines", async () => (await said()).length === 3);
    assert.deepEqual(await said(), ["before", "while it is revoked", "after"]);
  });
});

describe("a secret that takes another one's place", () => {
  let world;
  let town;
  const secret = (digits) => digits.repeat(4);
  const [OLD, NEW] = [secret("0123456789abcdef"), secret("fedcba9876543210")];

  before(async () => {
    world = await startWorld({ control: false, secrets: { TOWNWATCH_JWT_SECRET: OLD } });
    town = await world.town();
    await world.registerAgent(town, "one");
  });
  after(() => world?.stop());

  const post = (token) => world.post(town, "one", [{ event_type: "note" }], { token });
  const as = ({ cookie }) => ({ token: null, headers: { cookie, origin: world.url } });
  const isIn = async (session) => (await world.api("GET", "/api/towns", undefined, as(session))).status === 200;
  /** An event stream that a session's ticket opened. */
  const opened = async (session) => {
    const made = must(await world.api("POST", `${town.stream}-ticket`, {}, as(session)));
    return back({ address: `${world.url}${made.url}` });
  };
  /** @param {{ address: string, source?: EventSource }} from */
  const back = async ({ address, source }) => {
    const next = await EventSource.open(address, source === undefined ? {} : { "last-event-id": source.last_event_id });
    if (next.status === 200) await next.untilCaughtUp();
    return { address, source: next };
  };

  it("lets nobody out while the previous one is set, and those whom that signed afterwards", async () => {
    const token = await world.agentToken(town, "one");
    const [stays, ends] = [await world.signIn(), await world.signIn()];
    let [streamThatStays, streamThatEnds] = [await opened(stays), await opened(ends)];

    [world.secrets.TOWNWATCH_JWT_SECRET, world.secrets.TOWNWATCH_JWT_SECRET_PREVIOUS] = [NEW, OLD];
    await restart(world);
    must(await post(token), 201);
    const newer = await world.agentToken(town, "one");
    must(await post(newer), 201);
    assert.deepEqual([await isIn(stays), await isIn(ends)], [true, true]);
    streamThatStays = await back(streamThatStays);
    streamThatEnds = await back(streamThatEnds);
    assert.deepEqual([streamThatStays.source.status, streamThatEnds.source.status], [200, 200]);
    // What a session passed on under the previous secret ends with it, too.
    must(await world.api("DELETE", `/api/sessions/${ends.session_id}`), 204);
    await streamThatEnds.source.until("its end", () => streamThatEnds.source.ended, 5_000);
    assert.equal((await back(streamThatEnds)).source.status, 401);
    await sleep(200);
    assert.equal(streamThatStays.source.ended, false);
    const since = await world.signIn();

    delete world.secrets.TOWNWATCH_JWT_SECRET_PREVIOUS;
    await restart(world);
    mustRefuse(await post(token), 401, "unauthorized");
    must(await post(newer), 201);
    assert.deepEqual([await isIn(stays), await isIn(since)], [false, true]);
    assert.equal((await back(streamThatStays)).source.status, 401);
  });
});
