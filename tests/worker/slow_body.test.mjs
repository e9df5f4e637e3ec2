// A body that does not arrive: whoever sends it is told so after 50 s, whoever was asked, and nothing of it is taken.

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, before, describe, it } from "node:test";

import { must, startWorld } from "./harness.mjs";

const ARRIVAL_MS = 50_000;
let world;
let town;

before(async () => {
  world = await startWorld({ control: false });
  town = await world.town();
  await world.registerAgent(town, "slow");
});
after(() => world?.stop());

/** Posts the beginning of a body, and one byte more each fifth of a second, until an answer comes. */
async function dribble(path, framing, part) {
  const { hostname, port, host } = new URL(world.url);
  const line = net.connect(Number(port), hostname).on("error", () => {});
  const head = [`POST ${path} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${world.secrets.TOWNWATCH_API_KEY}`, "Content-Type: application/json", framing];
  line.write(`${head.join("\r\n")}\r\n\r\n`);
  const began_ms = Date.now();
  const drops = setInterval(() => line.write(part), 200);
  let text = "";
  line.on("data", (bytes) => (text += bytes));
  try {
    while (!text.includes("}}") && !text.includes('"success":false}')) await once(line, "data", { signal: AbortSignal.timeout(70_000) });
  } finally {
    clearInterval(drops);
    line.destroy();
  }
  return { text, passed_ms: Date.now() - began_ms };
}

describe("a body of which a byte comes now and then", { concurrency: true }, () => {
  /** @type {any[][]} */
  const cases = [
    ["events, of a length", () => `/api/rigs/${town.rig_id}/agent-events`, "Content-Length: 100000", " "],
    ["events, in chunks", () => `/api/rigs/${town.rig_id}/agent-events`, "Transfer-Encoding: chunked", "1\r\n \r\n"],
    ["a town, which the account takes", () => "/api/towns", "Content-Length: 100000", " "],
    ["an answer, which the town takes", () => `${town.path}/agents/slow/answer`, "Content-Length: 100000", " "],
  ];
  for (const [what, path, framing, part] of cases) {
    it(`is 408 after 50 s: ${what}`, async () => {
      const { text, passed_ms } = await dribble(path(), framing, part);
      assert.match(text, /^HTTP\/1\.1 408 /);
      assert.match(text, /"code":"request_timeout"/);
      assert.ok(passed_ms >= ARRIVAL_MS - 100 && passed_ms < ARRIVAL_MS + 9_000, `${passed_ms} ms`);
    });
  }

  it("and others post meanwhile and afterwards", async () => {
    const { appended } = must(await world.post(town, "slow", [{ event_type: "note", data: 1 }]), 201);
    assert.equal(appended, 1);
  });
});

it("nothing of it was taken", async () => {
  const { events } = must(await world.api("GET", `/api/rigs/${town.rig_id}/agents/slow/events`));
  assert.equal(events.length, 1);
});
