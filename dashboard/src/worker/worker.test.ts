import assert from "node:assert/strict";
import { test } from "node:test";
import { diffLines } from "./diff.ts";
import { highlighted } from "./highlight.ts";
import { markdownTree } from "./markdown.ts";
import type { MarkdownNode } from "./messages.ts";

/** The tree as indented words: `p`, `link https://…`, "text". */
function words(nodes: readonly MarkdownNode[]): string[] {
  return nodes.flatMap((node) => {
    if (typeof node === "string") return [JSON.stringify(node)];
    const inside = "children" in node ? words(node.children).map((line) => ` ${line}`) : [];
    switch (node.kind) {
      case "element":
        return [node.tag, ...inside];
      case "link":
      case "reference":
        return [`${node.kind} ${node.address}`, ...inside];
      case "code":
        return [`code ${node.language} ${JSON.stringify(node.code)}`];
      case "task":
        return [`task ${node.done}`];
    }
  });
}

test("a text's structure", () => {
  assert.deepEqual(words(markdownTree("# Hi\n\na **b** `c`\n\n- [x] done\n\n```ts\nx\n```")), [
    "h2", ' "Hi"',
    "p", ' "a "', " strong", '  "b"', ' " "', " code", '  "c"',
    "ul", " li", "  task true", '  "done"',
    'code ts "x"',
  ]);
  const [list] = markdownTree("7. a\n8. b");
  assert.ok(typeof list === "object" && list.kind === "element" && list.tag === "ol" && list.start === 7);
});

test("headings go down step by step", () => {
  const tags = words(markdownTree("### a\n\n# b\n\n#### c\n\n> ###### d")).filter((line) => /h\d/.test(line));
  assert.deepEqual(tags, ["h2", "h2", "h3", " h4"]);
});

test("only addresses of the web are links, whatever they are dressed as", () => {
  const addresses = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example", "/api/session", "file:///etc/passwd"];
  for (const address of addresses) {
    assert.deepEqual(words(markdownTree(`[x](${address})`)), ["p", ` reference ${address}`, '  "x"'], address);
  }
  assert.deepEqual(words(markdownTree("[x](<java\tscript:alert(1)>)")), ["p", " reference java\tscript:alert(1)", '  "x"']);
  assert.deepEqual(words(markdownTree("[x](https://a.example/b?c)")), ["p", " link https://a.example/b?c", '  "x"']);
});

test("an image is what it says and where it would come from; HTML is text", () => {
  assert.deepEqual(words(markdownTree("![a pixel](https://evil.example/p.png)")), ["p", " reference https://evil.example/p.png", '  "a pixel"']);
  assert.deepEqual(words(markdownTree("<script>alert(1)</script>")), ["p", ' "<script>alert(1)</script>"']);
  assert.deepEqual(words(markdownTree("a <b onclick=x>c</b>")), ["p", ' "a "', ' "<b onclick=x>"', ' "c"', ' "</b>"']);
});

test("what nests too deep is shown as it was written", () => {
  const deep = words(markdownTree(`${"> ".repeat(60)}end`));
  assert.ok(deep.length < 30 && deep.at(-1)?.includes("> > end"), deep.at(-1));
});

test("code in pieces that add up to the code", () => {
  const code = "const a = `x${1}`; // <b>\n";
  const tokens = highlighted("ts", code);
  assert.equal(tokens?.map(([, text]) => text).join(""), code);
  assert.deepEqual(tokens?.[0], ["hljs-keyword", "const"]);
  assert.equal(highlighted("__proto__", code), null);
});

test("lines that differ, with three around them", () => {
  const before = Array.from({ length: 30 }, (_, index) => `line ${index}`).join("\n");
  const after = before.replace("line 3", "LINE 3").replace("line 25\n", "");
  const lines = diffLines(before, after).map(({ kind, text }) => `${kind} ${text}`);
  assert.deepEqual(lines.slice(3, 5), ["removed line 3", "added LINE 3"]);
  assert.ok(lines.includes("hole ") && lines.includes("removed line 25"));
  assert.ok(!lines.includes("same line 15"));
  assert.deepEqual(diffLines("a\nb", "a\nc\n"), [
    { kind: "same", text: "a" },
    { kind: "removed", text: "b" },
    { kind: "added", text: "c" },
  ]);
});

test("texts that have nothing in common are shown one after the other, soon", () => {
  const before = Array.from({ length: 20_000 }, (_, index) => `a${index}`).join("\n");
  const after = Array.from({ length: 20_000 }, (_, index) => `b${index}`).join("\n");
  const began = performance.now();
  const lines = diffLines(before, after);
  assert.ok(performance.now() - began < 3_000);
  assert.equal(lines.filter(({ kind }) => kind === "added").length, 20_000);
});
