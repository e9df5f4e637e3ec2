// The mayor's routes, as Gastown's clients ask for them: the real Worker and control server, and a stand-in for Claude Code.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, mustRefuse, startWorld } from "./harness.mjs";
import { standIn } from "./stand_in.mjs";
import { until } from "./until.mjs";

/** It ends a turn for its prompt and one for a message, and waits. */
const SCRIPT = `#!/bin/sh
IFS= read -r line
echo '{"type":"system","subtype":"init","session_id":"session-1","cwd":"/w"}'
echo '{"type":"result","subtype":"success","result":"ready","uuid":"u1"}'
IFS= read -r line
echo '{"type":"result","subtype":"success","result":"heard","uuid":"u2"}'
cat > /dev/null
`;

describe("the mayor", () => {
  let world;
  let town;

  before(async () => {
    standIn("claude", SCRIPT);
    world = await startWorld();
    town = await world.town();
  });
  after(() => world?.stop());

  const status = async () => must(await world.api("GET", `${town.path}/mayor/status`));
  const say = (body) => world.api("POST", `${town.path}/mayor/message`, body);
  const destroy = () => world.api("POST", `${town.path}/mayor/destroy`);

  it("is told of where there is none", async () => {
    assert.deepEqual(await status(), { configured: false, session: null, townId: town.town_id });
    mustRefuse(await say({ message: "Hello" }), 404, "not_found", "role mayor");
    assert.deepEqual(must(await destroy()), { destroyed: true });
    for (const [method, what] of [["GET", "status"], ["POST", "destroy"]]) {
      mustRefuse(await world.api(method, `/api/towns/nowhere/mayor/${what}`), 404, "not_found", "town");
    }
    mustRefuse(await world.api("GET", `${town.path}/mayor/status`, undefined, { token: null }), 401, "unauthorized");
  });

  it("stands as its run does, hears what it is told, and is stopped", async () => {
    await world.startAgent(town, { agent_id: "mayor", role: "mayor", runtime: "claude_code", prompt: "Govern." });
    const idle = await until("the end of its first turn", async () => {
      const { session } = await status();
      return session?.status === "idle" && session;
    });
    assert.deepEqual([idle.agentId, idle.sessionId], ["mayor", "session-1"]);
    assert.ok(Date.parse(idle.lastActivityAt) > Date.now() - 60_000);
    for (const body of [{}, { message: " " }, { message: 5 }]) mustRefuse(await say(body), 400, "invalid_request", "message");
    const told = must(await say({ message: "Build a bridge.", model: "any/model" }));
    assert.deepEqual(told, { agentId: "mayor", sessionStatus: "idle" });
    const log = async () => (await world.pages(`${town.path}/agents/mayor/events`)).filter(({ event }) => event === "user_message");
    await until("the message in the log", async () => (await log()).length === 2);
    assert.deepEqual((await log()).map(({ data }) => [data.source, data.text]), [["prompt", "Govern."], ["message", "Build a bridge."]]);
    must(await destroy());
    await until("its end", async () => (await status()).session === null, 30_000);
    assert.equal((await status()).configured, true, "what it did stays");
    const { exit } = must(await world.api("GET", `${town.path}/agents/mayor`));
    assert.equal(exit.reason, "stopped");
  });
});
