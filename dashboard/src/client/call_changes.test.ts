import assert from "node:assert/strict";
import { test } from "node:test";
import { event } from "../testing/fake_town.ts";
import { callChanges, isLockFile } from "./call_changes.ts";
import { changedFiles } from "./files.ts";
import { patchLines } from "./patch_lines.ts";
import { Rows } from "./rows.ts";

function call(category: string, input: unknown, path?: string) {
  const rows = new Rows();
  const data = { tool_use_id: "a", tool: category, category, input, summary: "", ...(path === undefined ? {} : { path }) };
  rows.append(event(1, "agent_tool_call", data));
  rows.append(event(2, "agent_tool_result", { tool_use_id: "a", success: true, content: "", content_length: 0, duration_ms: 1 }));
  return rows;
}

function changes(category: string, input: unknown) {
  const row = call(category, input).all[1];
  assert.ok(row?.kind === "call");
  return callChanges(row);
}

test("edits as each agent names them", () => {
  const texts = { kind: "texts", path: "/a", before: "x", after: "y" };
  assert.deepEqual(changes("Edit", { file_path: "/a", old_string: "x", new_string: "y" }), [texts]);
  assert.deepEqual(changes("Edit", { filePath: "/a", oldString: "x", newString: "y" }), [texts]);
  assert.deepEqual(changes("Edit", { file_path: "/a", edits: [{ old_string: "x", new_string: "y" }, "nonsense", null] }), [texts]);
  assert.deepEqual(changes("Write", { filePath: "/a", content: "z" }), [{ kind: "whole", path: "/a", after: "z" }]);
  assert.deepEqual(changes("Edit", { patchText: "+x" }), [{ kind: "patch", path: "", patch: "+x" }]);
  assert.deepEqual(changes("Edit", { changes: [{ path: "/b", kind: "add" }] }), []);
  assert.deepEqual(changes("Bash", { content: "z" }), []);
  for (const input of [null, 7, "text", [], { old_string: 1, new_string: 2 }, { __proto__: { content: "inherited" } }]) {
    assert.deepEqual(changes("Edit", input), []);
  }
});

test("lock files by their names alone", () => {
  assert.deepEqual(["a/package-lock.json", "Cargo.lock", "c:\\x\\yarn.lock", "src/lock.ts", "constructor"].map(isLockFile), [true, true, true, false, false]);
});

test("a patch's lines", () => {
  assert.deepEqual(patchLines("@@ -1 +1 @@\n-a\n+b\n c").map(({ kind, text }) => [kind, text]), [
    ["hole", "@@ -1 +1 @@"],
    ["removed", "a"],
    ["added", "b"],
    ["same", "c"],
  ]);
});

test("the files that changed: by what was seen, or else by what the calls say", () => {
  assert.deepEqual(changedFiles(call("Write", { content: "" }, "a.ts").all).map(({ path, action }) => [path, action]), [["a.ts", "written"]]);
  const rows = call("Write", { content: "" }, "a.ts");
  const changed = (id: number, path: string, action: string, lines_added: number) =>
    rows.append(event(id, "file_changed", { path, action, lines_added, tool_use_id: "a" }));
  changed(3, "a.ts", "created", 4);
  changed(4, "__proto__", "modified", 1);
  changed(5, "a.ts", "modified", 2);
  assert.deepEqual(changedFiles(rows.all).map(({ path, action, lines_added, changes: made }) => [path, action, lines_added, made.length]), [
    ["a.ts", "created", 6, 2],
    ["__proto__", "modified", 1, 1],
  ]);
});
