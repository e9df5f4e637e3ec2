import assert from "node:assert/strict";
import { test } from "node:test";
import { event } from "../testing/fake_town.ts";
import { randomly } from "../testing/randomly.ts";
import { NO_FILTER, passes } from "./filter.ts";
import { GrowingList } from "./growing_list.ts";
import type { Row } from "./row.ts";
import { Rows } from "./rows.ts";
import { Search } from "./search.ts";
import { visibleText } from "./visible_text.ts";

const rows = new Rows();
rows.append(event(1, "agent_output", { text: "Ändere die Datei", stream: "assistant" }));
rows.append(event(2, "agent_tool_call", { tool_use_id: "a", tool: "Bash", category: "Bash", summary: "Running", input: { deep: [{ command: "rm (x)*" }] } }));
rows.append(event(3, "agent_tool_result", { tool_use_id: "a", success: true, content: "gone (x)*", content_length: 9, duration_ms: 1 }));
rows.append(event(4, "strange", { __proto__: null, key_of_it: 12 }));

function found(query: string): string[] {
  return new Search(query).find(rows.list, NO_FILTER, () => false).found.map(({ key }) => key);
}

test("finds a text in messages, input, results and data of any shape, in any case, and never as a pattern", () => {
  assert.deepEqual(found("ändere"), ["1"]);
  assert.deepEqual(found("rm (x)*"), ["2"]);
  assert.deepEqual(found("GONE (X)"), ["2"]);
  assert.deepEqual(found("key_of"), ["4"]);
  assert.deepEqual(found(".*"), []);
});

test("stops when told and goes on where it was", () => {
  const search = new Search("e");
  let looks = 0;
  const first = search.find(rows.list, NO_FILTER, () => (looks += 1) > 2);
  assert.equal(first.done, false);
  const second = search.find(rows.list, NO_FILTER, () => false);
  assert.equal(second.done, true);
  assert.deepEqual(second.found.map(({ key }) => key), new Search("e").find(rows.list, NO_FILTER, () => false).found.map(({ key }) => key));
});

test("goes through changing rows a few at a time, and finds what a search from the beginning finds", () => {
  const below = randomly(7);
  const growing = new GrowingList<Row>();
  const search = new Search("word");
  const filters = [NO_FILTER, { ...NO_FILTER, system: true }];
  for (let id = 1; id < 3_000; id += 1) {
    const one = new Rows();
    one.append(event(id, "agent_output", { text: below(3) === 0 ? "a word" : "another", stream: "assistant" }));
    const row = { ...(one.all.at(-1) as Row), system: below(4) === 0 };
    if (below(10) > 0 || growing.all.length === 0) growing.push(row);
    else growing.set(below(growing.all.length), row);
    if (below(40) === 0) growing.shift(below(growing.all.length));
    if (below(7) > 0) continue;
    const filter = filters[below(20) === 0 ? 1 : 0] ?? NO_FILTER;
    let looks = 0;
    search.find(growing, filter, () => (looks += 1) > 5);
    if (below(5) > 0) continue;
    const { found, done } = search.find(growing, filter, () => false);
    assert.equal(done, true);
    assert.deepEqual(found, growing.all.filter((one) => passes(one, filter) && search.has(one)));
  }
});

test("characters that hide or turn text around are shown by their names", () => {
  assert.equal(visibleText("photo\u202egpj.exe"), "photo⟨U+202E⟩gpj.exe");
  assert.equal(visibleText("\u001b[31mred\tand\nlines\u0000"), "␛[31mred\tand\nlines␀");
  assert.equal(visibleText("half \ud83d and \ude80, whole 🚀"), "half ⟨U+D83D⟩ and ⟨U+DE80⟩, whole 🚀");
  assert.equal(visibleText("naïve 日本語 🚀 👩‍👩‍👧 مرحبا"), "naïve 日本語 🚀 👩‍👩‍👧 مرحبا");
});
