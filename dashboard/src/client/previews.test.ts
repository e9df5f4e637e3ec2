import assert from "node:assert/strict";
import { test } from "node:test";
import { event } from "../testing/fake_town.ts";
import { Previews } from "./previews.ts";

const part = (offset: number, text: string, message_id = "m") => ({ agent_id: "agent", run_id: "run", message_id, offset, text });
const textsOf = (previews: Previews) => previews.of("agent").map(({ text }) => text);

test("parts are put together where they belong", () => {
  const previews = new Previews();
  assert.ok(previews.add(part(0, "Hello")));
  assert.ok(previews.add(part(5, ", town")));
  assert.deepEqual(textsOf(previews), ["Hello, town"]);
  assert.ok(!previews.add(part(0, "Hello")), "a repeated beginning takes nothing away");
  assert.ok(previews.add(part(0, "Hello, town, how are you?")));
  assert.deepEqual(textsOf(previews), ["Hello, town, how are you?"]);
});

test("behind a hole nothing is shown until the text begins anew", () => {
  const previews = new Previews();
  previews.add(part(0, "Hel"));
  assert.ok(!previews.add(part(5, "town")));
  assert.ok(!previews.add(part(9, "!")));
  assert.deepEqual(textsOf(previews), ["Hel"]);
  assert.ok(previews.add(part(0, "Hello town")));
  assert.deepEqual(textsOf(previews), ["Hello town"]);
});

test("a text's own event ends it, a thought of the same message does not", () => {
  const previews = new Previews();
  previews.add(part(0, "first"));
  previews.add(part(0, "second", "other"));
  const output = (stream: string) => event(1, "agent_output", { text: "first", stream, message_id: "m" });
  assert.ok(!previews.end(output("thinking")));
  assert.ok(previews.end(output("assistant")));
  assert.deepEqual(textsOf(previews), ["second"]);
});

test("the end of a turn or of a run ends all", () => {
  for (const end of [event(1, "agent.exited", { reason: "completed" }), event(1, "agent.status", { status: "waiting" })]) {
    const previews = new Previews();
    previews.add(part(0, "unfinished"));
    assert.ok(!previews.end(event(1, "agent.status", { status: "running" })));
    assert.ok(previews.end(end));
    assert.deepEqual(textsOf(previews), []);
  }
});

test("no more than sixteen texts of an agent are kept, and none of a hostile name is special", () => {
  const previews = new Previews();
  previews.add(part(0, "first", "__proto__"));
  for (let number = 0; number < 16; number += 1) previews.add(part(0, `${number}`, `m${number}`));
  assert.equal(previews.of("agent").length, 16);
  assert.equal(textsOf(previews)[0], "0");
});
