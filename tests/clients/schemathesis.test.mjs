// The document of the API held against a running server by a tester that others wrote. It makes requests of the document,
// right ones and wrong ones: what is right is taken, what is wrong is refused, and each answer is one that is described.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { attached, idOf, PICTURES, result } from "../pictures/pictures.mjs";
import { present } from "../present.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { request } from "../worker/http.mjs";
import { Process } from "../worker/processes.mjs";
import { until } from "../worker/until.mjs";

const missing = process.env.CLIENTS_PYTHON ? false : (process.env.CLIENTS_PYTHON_MISSING ?? "CLIENTS_PYTHON names no Python");
const HERE = fileURLToPath(new URL(".", import.meta.url));
const REQUESTS_MIN = 1_500;

describe("schemathesis", { skip: missing }, () => {
  let world;
  let known;

  before(async () => {
    world = await startWorld();
    const town = await world.town();
    const [agent_id, started_id] = ["finished", "started"];
    await world.registerAgent(town, agent_id);
    const picture = PICTURES["image/png"];
    const image_id = idOf(picture);
    const events = [
      { event_type: "agent_output", data: { text: "x".repeat(60_000), stream: "stdout" } },
      { event_type: "agent_tool_result", data: result("t", [attached(picture)]) },
      { event_type: "agent.exited", data: { reason: "completed", exit_code: 0 } },
    ];
    must(await world.post(town, agent_id, events), 201);
    const headers = { "content-type": "image/png" };
    must(await world.api("PUT", `/api/rigs/${town.rig_id}/agents/${agent_id}/images/${image_id}`, picture, { headers }), 201);
    await world.startAgent(town, { agent_id: started_id, runtime: "replay", transcript: "basic", speed: 0 });
    const { path, town_id, rig_id } = town;
    const id = await until("what was posted", async () => (await world.pages(`${path}/agents/${agent_id}/events`))[0]?.id);
    await until("the picture", async () => (await world.api("GET", `${path}/agents/${agent_id}/images/${image_id}`)).status === 200);
    known = { url: world.url, key: world.secrets.TOWNWATCH_API_KEY, town_id, rig_id, agent_id, started_id, image_id, id };
  });
  after(() => world?.stop());

  it("is answered as the document says by every operation", async () => {
    const report = join(world.directory, "report.json");
    const args = ["--config-file", join(HERE, "schemathesis.toml"), "run", `${world.url}/openapi.json`, "--no-color"];
    args.push("--header", `Authorization: Bearer ${known.key}`, "--report-json-path", report);
    const env = { TOWNWATCH_WORLD: JSON.stringify(known), SCHEMATHESIS_HOOKS: "schemathesis_hooks", PYTHONPATH: HERE };
    const child = new Process(join(present(process.env.CLIENTS_PYTHON, "CLIENTS_PYTHON"), "../schemathesis"), args, { cwd: world.directory, env });
    await until("the end of schemathesis", () => child.ended, 300_000, () => child.log.slice(-4_000));
    assert.equal(child.ended, "ended with 0", child.log);
    const { paths } = (await request(`${world.url}/openapi.json`)).json;
    const operations = Object.values(paths).flatMap((item) => Object.keys(item)).filter((key) => key !== "parameters").length;
    assert.match(child.log, new RegExp(`Selected: ${operations}/${operations}\\s+Tested: ${operations}\\s`));
    const [, requests] = present(/(\d+) generated/.exec(child.log), "how many requests it made");
    assert.ok(Number(requests) >= REQUESTS_MIN, `${requests} requests`);
    console.log(`schemathesis: ${requests} requests to ${operations} operations`);
  });
});
