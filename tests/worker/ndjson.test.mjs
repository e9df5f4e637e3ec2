// A whole range of the log as lines of JSON.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, mustRefuse, startWorld } from "./harness.mjs";

const CAP = 700;

describe("the log as lines", () => {
  let world;
  let town;
  let all;
  /** The last line of what was read last. */
  let last;
  const lines = async (path, query = "") => {
    const answer = await world.api("GET", `${path}/events${query}`, undefined, { headers: { accept: "application/x-ndjson" } });
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers["content-type"], /^application\/x-ndjson(;|$)/);
    assert.ok(answer.text.endsWith("\n"), "the last line ends");
    const read = answer.text.slice(0, -1).split("\n").map((line) => JSON.parse(line));
    const end = read.pop();
    assert.deepEqual(Object.keys(end), ["type", "next_after_id", "head"]);
    assert.equal(end.type, "complete");
    assert.ok(!read.some(({ type }) => type === "complete"));
    last = end;
    return read;
  };

  before(async () => {
    world = await startWorld({ vars: { EVENT_CAP: CAP } });
    town = await world.town();
    for (const agent_id of ["one", "two"]) {
      await world.registerAgent(town, agent_id);
      for (let number = 0; number < 300; number += 100) {
        const events = Array.from({ length: 100 }, (_, i) => ({ event_type: i % 2 ? "note" : "remark", data: number + i }));
        must(await world.post(town, agent_id, events), 201);
      }
    }
    const viewer = await world.watch(town.stream);
    await viewer.until("all that was posted", () => viewer.events.length === 600);
    viewer.leave();
    all = await world.pages(`${town.path}/events`);
  });
  after(() => world?.stop());

  it("is all there is, in order, where no cursor is named", async () => {
    assert.equal(all.length, 600);
    assert.deepEqual(await lines(town.path), all);
    assert.deepEqual(last, { type: "complete", next_after_id: all.at(-1).id, head: all.at(-1).id });
    assert.deepEqual(await lines(`${town.path}/agents/two`), all.filter(({ agent_id }) => agent_id === "two"));
  });

  it("keeps to its cursor, its limit, its run and its kinds", async () => {
    const middle = all[250].id;
    assert.deepEqual(await lines(town.path, `?after_id=${middle}`), all.slice(251));
    assert.deepEqual(await lines(town.path, `?before_id=${middle}`), all.slice(0, 250));
    assert.deepEqual(await lines(town.path, "?tail=70"), all.slice(-70));
    assert.deepEqual(await lines(town.path, `?after_id=${middle}&limit=130`), all.slice(251, 381));
    assert.deepEqual(last, { type: "complete", next_after_id: all[380].id, head: all.at(-1).id });
    assert.deepEqual(await lines(town.path, "?event=remark"), all.filter(({ event }) => event === "remark"));
    assert.deepEqual(await lines(town.path, `?run_id=${all[0].run_id}`), all.filter(({ run_id }) => run_id === all[0].run_id));
    assert.deepEqual(await lines(town.path, `?after_id=${all.at(-1).id}`), []);
  });

  it("refuses what a page refuses, in the envelope", async () => {
    const headers = { accept: "application/x-ndjson" };
    const ask = (query) => world.api("GET", `${town.path}/events?${query}`, undefined, { headers });
    mustRefuse(await ask("after_id=x"), 400, "invalid_request");
    mustRefuse(await ask("after_id=1&before_id=5"), 400, "invalid_request");
    mustRefuse(await ask("tail=3&after_id=1"), 400, "invalid_request");
    mustRefuse(await ask("wait_ms=30001"), 400, "invalid_request", "wait_ms");
    mustRefuse(await ask(`wait_ms=1000&after_id=${all.at(-1).id}`), 400, "invalid_request", "text/event-stream");
    assert.equal((await ask("wait_ms=0&tail=1")).status, 200, "who does not wait is answered");
  });

  it("says first that a cursor means nothing here, and what is pruned", async () => {
    const [hello, ...events] = await lines(town.path, "?after_id=3&epoch=other-life");
    assert.deepEqual([hello.type, hello.reset], ["hello", true]);
    assert.deepEqual(events, all);
    must(await world.post(town, "one", Array(450).fill({ event_type: "note", data: 0 })), 201);
    const viewer = await world.watch(town.stream, { tail: 0 });
    await viewer.untilCaughtUp();
    await viewer.until("the new ones", () => viewer.hello.head >= 1050 || viewer.events.length >= 450);
    const [gap, first, ...rest] = await lines(`${town.path}/agents/one`);
    assert.deepEqual([gap.type, gap.reason, gap.from, gap.count], ["gap", "pruned", 1, 50]);
    assert.ok(first.id > gap.to);
    assert.equal(rest.length, CAP - 1);
    viewer.leave();
  });
});
