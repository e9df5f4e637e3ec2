import assert from "node:assert/strict";
import { test } from "node:test";
import { event } from "../testing/fake_town.ts";
import { Rows } from "./rows.ts";
import { Search } from "./search.ts";
import { visibleText } from "./visible_text.ts";

const rows = new Rows();
rows.append(event(1, "agent_output", { text: "Ändere die Datei", stream: "assistant" }));
rows.append(event(2, "agent_tool_call", { tool_use_id: "a", tool: "Bash", category: "Bash", summary: "Running", input: { deep: [{ command: "rm (x)*" }] } }));
rows.append(event(3, "agent_tool_result", { tool_use_id: "a", success: true, content: "gone (x)*", content_length: 9, duration_ms: 1 }));
rows.append(event(4, "strange", { __proto__: null, key_of_it: 12 }));

function found(query: string): string[] {
  return new Search(query).find(rows.all, () => false).found.map(({ key }) => key);
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
  const first = search.find(rows.all, () => (looks += 1) > 2);
  assert.equal(first.done, false);
  const second = search.find(rows.all, () => false);
  assert.equal(second.done, true);
  assert.deepEqual(second.found.map(({ key }) => key), new Search("e").find(rows.all, () => false).found.map(({ key }) => key));
});

test("characters that hide or turn text around are shown by their names", () => {
  assert.equal(visibleText("photo\u202egpj.exe"), "photo⟨U+202E⟩gpj.exe");
  assert.equal(visibleText("\u001b[31mred\tand\nlines\u0000"), "␛[31mred\tand\nlines␀");
  assert.equal(visibleText("naïve 日本語 🚀 👩‍👩‍👧 مرحبا"), "naïve 日本語 🚀 👩‍👩‍👧 مرحبا");
});
