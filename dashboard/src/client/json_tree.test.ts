import assert from "node:assert/strict";
import { test } from "node:test";
import type { TreeView } from "./json_tree.ts";
import { JsonTree, jsonIn } from "./json_tree.ts";

const AS_IT_BEGAN: TreeView = { chosen: () => null, asked: () => 0, sought: "" };

/** Each line indented by its level: "a: 1.10", "b: {2}" closed, "+b: {2}" open, "…100 more". */
function words(tree: JsonTree, view: Partial<TreeView> = {}): string[] {
  return tree.lines({ ...AS_IT_BEGAN, ...view }).map((line) => {
    const name = `${" ".repeat(line.level - 1)}${"open" in line && line.open ? "+" : ""}${line.name === null ? "" : `${line.name}: `}`;
    switch (line.kind) {
      case "object":
        return `${name}{${line.count}}`;
      case "list":
        return `${name}[${line.count}]`;
      case "string":
        return `${name}${JSON.stringify(line.text.slice(0, 20))}${line.foldable ? ` ${line.text.length}` : ""}`;
      case "more":
        return `${name}…${line.rest} more after ${line.shown}`;
      default:
        return `${name}${line.text}`;
    }
  });
}

test("lays out what came, with every digit, in its order, twice where it came twice", () => {
  const tree = new JsonTree('{"id":2512292042121000001,"b":[1.10,-0,{"x":null}],"10":1e400,"id":"a\\nb","e":{}}');
  assert.deepEqual(words(tree), [
    "+{5}", " id: 2512292042121000001", " +b: [3]", "  0: 1.10", "  1: -0", "  +2: {1}", "   x: null", " 10: 1e400", ' id: "a\\nb" 3', " +e: {0}",
  ]);
  const [, , list] = tree.lines(AS_IT_BEGAN);
  assert.deepEqual(list && [list.key, list.position, list.neighbours], ["/1", 2, 5]);
});

test("opens and closes what the reader says, and folds long strings", () => {
  const tree = new JsonTree(JSON.stringify({ a: { b: 1 }, long: "x".repeat(500) }));
  assert.deepEqual(words(tree, { chosen: (key) => (key === "/0" ? false : key === "/1" ? true : null) }), ["+{2}", " a: {1}", ` +long: "${"x".repeat(20)}" 500`]);
  assert.deepEqual(words(tree, { chosen: () => false }), ["{2}"]);
});

test("begins with a screenful, and shows long lists by the hundred", () => {
  const rows = Array.from({ length: 1_000 }, (_, id) => ({ id, tags: ["a", "b"] }));
  const tree = new JsonTree(JSON.stringify({ total: 1_000, rows }));
  assert.deepEqual(words(tree), ["+{2}", " total: 1000", " rows: [1000]"]);
  const open = (key: string): boolean | null => (key === "/1" ? true : null);
  const shown = words(tree, { chosen: open });
  assert.deepEqual([shown.length, shown[3], shown.at(-1)], [104, "  0: {2}", "  …900 more after 100"]);
  assert.equal(words(tree, { chosen: open, asked: () => 300 }).at(-1), "  …700 more after 300");
  assert.equal(words(tree, { chosen: open, asked: () => 1_000 }).length, 1_003);
});

test("what is looked for is not left folded, wherever it is", () => {
  const rows = Array.from({ length: 500 }, (_, id) => ({ id, deep: { deeper: id === 250 ? `a Needle ${"x".repeat(300)}` : "hay" } }));
  const shown = words(new JsonTree(JSON.stringify(rows)), { sought: "needle" });
  assert.deepEqual(shown.slice(-5), [" +250: {2}", "  id: 250", "  +deep: {1}", '   +deeper: "a Needle xxxxxxxxxxx" 309', " …249 more after 251"]);
});

test("a megabyte and a hundred thousand levels are no matter", () => {
  const big = JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id, text: "some text that is not short" })));
  const began = performance.now();
  assert.equal(words(new JsonTree(big)).length, 102);
  assert.ok(performance.now() - began < 500);
  const deep = new JsonTree("[".repeat(100_000) + "]".repeat(100_000));
  assert.ok(words(deep).length <= 41);
});

test("tells JSON and JSON lines from other texts", () => {
  assert.equal(jsonIn(' {"a":1.10}\n'), '{"a":1.10}');
  assert.equal(jsonIn('{"a":1}\n\n{"b":2.0}\r\n[3]\n'), '[{"a":1},{"b":2.0}\r,[3]]');
  for (const text of ["", "{}", "[]", "12", '"a"', "{a:1}", "[1] and more", '{"a":1}\nnot json', '{"a":1}\n{"b":', "null"]) assert.equal(jsonIn(text), null, text);
});
