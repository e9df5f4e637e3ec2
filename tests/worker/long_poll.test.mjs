// Long poll: a page that waits for the next event.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { must, startWorld } from "./harness.mjs";

describe("a long poll", () => {
  let world;
  let town;
  const page = (query) => world.api("GET", `/api/towns/${town.town_id}/events?${query}`);
  const timed = async (promise) => {
    const began = performance.now();
    const value = await promise;
    return { value, took_ms: performance.now() - began };
  };

  before(async () => {
    world = await startWorld();
    town = await world.town("Patience");
    must(await world.api("POST", `/api/rigs/${town.rig_id}/agents`, { agent_id: "a", name: "A", role: "polecat" }), 201);
  });
  after(() => world?.stop());

  const post = async (text) =>
    must(await world.post(town, "a", [{ event_type: "agent_output", data: { text, stream: "assistant" } }]), 201);

  it("is answered at once where there is something, and with nothing after its time", async () => {
    await post("the first");
    const first = await timed(page("after_id=0&wait_ms=30000"));
    assert.equal(must(first.value).events[0].data.text, "the first");
    const { head } = must(first.value);
    const none = await timed(page(`after_id=${head}&wait_ms=300`));
    assert.deepEqual(must(none.value).events, []);
    assert.equal(must(none.value).next_after_id, head);
    assert.ok(none.took_ms >= 290 && none.took_ms < 3_000, `${none.took_ms} ms`);
  });

  it("is answered as soon as something happens, all that wait alike", async () => {
    const { head } = must(await page("tail=0"));
    const waiting = Array.from({ length: 20 }, () => timed(page(`after_id=${head}&wait_ms=20000`)));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await post("for all");
    for (const { value, took_ms } of await Promise.all(waiting)) {
      assert.deepEqual(must(value).events.map(({ data }) => data.text), ["for all"]);
      assert.ok(took_ms >= 400 && took_ms < 5_000, `${took_ms} ms`);
    }
  });

  it("waits on when what happened is not what it asked for", async () => {
    const { head } = must(await page("tail=0"));
    const waiting = timed(page(`after_id=${head}&event=agent_error&wait_ms=1500`));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await post("not an error");
    const { value, took_ms } = await waiting;
    assert.deepEqual(must(value).events, []);
    assert.ok(took_ms >= 1_400, `${took_ms} ms`);
  });

  it("watches a run as a viewer does: its lines come as they are printed", async () => {
    const script = "let n = 0; const t = setInterval(() => { console.log(`line ${n}`); if (++n === 8) clearInterval(t); }, 250)";
    const { head } = must(await page("tail=0"));
    await world.startAgent(town, { runtime: "process", command: [process.execPath, "-e", script] });
    const seen = [];
    let cursor = head;
    let answers = 0;
    while (!seen.some(({ event }) => event === "agent.exited")) {
      const { value, took_ms } = await timed(page(`after_id=${cursor}&wait_ms=10000`));
      assert.ok(took_ms < 5_000, `an answer took ${took_ms} ms; the run does not pause so long`);
      seen.push(...must(value).events);
      cursor = must(value).next_after_id;
      answers += 1;
    }
    const lines = seen.filter(({ event }) => event === "agent_output").map(({ data }) => data.text);
    assert.deepEqual(lines, Array.from({ length: 8 }, (_, line) => `line ${line}`));
    assert.ok(answers >= 5, `${answers} answers for 8 lines, a quarter of a second apart`);
    assert.equal(new Set(seen.map(({ id }) => id)).size, seen.length);
  });
});
