// An installation without its secrets, or with those of a README, serves nothing but its health, and says what to do.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { mustRefuse, startWorld } from "./harness.mjs";
import { connect } from "./socket.mjs";

const SECRET = "0123456789abcdef".repeat(4);
const cases = [
  { what: "no API key", secrets: { TOWNWATCH_API_KEY: null }, names: "TOWNWATCH_API_KEY" },
  { what: "the sample of an API key", secrets: { TOWNWATCH_API_KEY: "changeme-changeme-changeme" }, names: "TOWNWATCH_API_KEY" },
  { what: "no secret for tokens", secrets: { TOWNWATCH_JWT_SECRET: null }, names: "TOWNWATCH_JWT_SECRET" },
  {
    what: "a previous secret for tokens that is the one of today",
    secrets: { TOWNWATCH_JWT_SECRET: SECRET, TOWNWATCH_JWT_SECRET_PREVIOUS: SECRET },
    names: "TOWNWATCH_JWT_SECRET_PREVIOUS",
  },
  { what: "no key for the control server", secrets: { CONTROL_KEY: null }, names: "CONTROL_KEY" },
  { what: "the sample of a token for a container of another make", secrets: { CONTROL_KEY: null, CONTAINER_TOKEN: "changeme" }, names: "CONTAINER_TOKEN" },
  { what: "a number that is none", vars: { POLL_INTERVAL_MS: "soon" }, names: "POLL_INTERVAL_MS" },
];

for (const { what, secrets, vars, names } of cases) {
  describe(`a Worker with ${what}`, () => {
    let world;
    before(async () => {
      world = await startWorld({ control: false, secrets, vars });
    });
    after(() => world?.stop());

    it("is healthy, and says 503 with the name of what is missing everywhere else", async () => {
      const health = await world.api("GET", "/health", undefined, { token: null });
      assert.deepEqual([health.status, health.json.status], [200, "ok"]);
      const token = secrets?.TOWNWATCH_API_KEY ?? world.secrets.TOWNWATCH_API_KEY ?? "changeme";
      for (const one of [token, "", null]) {
        mustRefuse(await world.api("GET", "/api/towns", undefined, { token: one }), 503, "not_configured", names);
        mustRefuse(await world.api("POST", "/api/towns", { name: "x" }, { token: one }), 503, "not_configured", names);
        mustRefuse(await world.api("POST", "/api/session", { key: one ?? "" }, { token: one }), 503, "not_configured", names);
      }
      mustRefuse(await connect(`${world.url}/api/towns/x/stream?ticket=x`), 503, "not_configured", names);
      for (const value of Object.values(world.secrets)) {
        const said = (await world.api("GET", "/api/towns")).text;
        assert.ok(!said.includes(value), "no secret is in the message");
      }
    });
  });
}
