// ARCHITECTURE.md, "Import circles", lists every circle of modules that use each other. What the sources have is held against
// that list, so a new circle is noticed, and one that is gone is not claimed any longer.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";

import { circlesOf, importsOf } from "./import_graph.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CRATES = ["container", "cli", "crates/agents", "crates/host", "crates/protocol", "crates/redaction", "crates/town", "terminal", "."];
/** The control server has been freed of circles; this many may come back, each with its reason. */
const CONTAINER_MAX = 3;

it("every import circle stands in ARCHITECTURE.md, and no other", () => {
  const found = CRATES.flatMap((crate) => circlesOf(importsOf(join(ROOT, crate, "src"))).map((circle) => row(crate, circle)));
  assert.deepEqual(found.sort(), listed().sort());
  assert.ok(found.filter((line) => line.startsWith("container/src:")).length <= CONTAINER_MAX);
});

it("imports are found however they are written, and those of tests are none", () => {
  const modules = importsOf(crate({
    "lib.rs": "pub mod a; mod b; mod c; mod d;\npub use d::{Thing, more::Other as Renamed};",
    "a.rs": "use crate::b;\n// use crate::c;\n#[cfg(test)]\nmod tests {\n    use crate::c::{X};\n    fn f() {}\n}\nfn g() { crate::d::h() }",
    "b/mod.rs": "use super::{c::X, std};\nmod inner;",
    "b/inner.rs": "use super::Inner;\nuse super::super::a::{self};",
    "b/tests.rs": "use crate::d;",
    "c.rs": "use crate::{\n    Thing,\n    nothing::{self, b},\n};\nmod linux { use super::d_is_no_module; }",
    "d.rs": "pub struct Thing;",
  }));
  const plain = Object.fromEntries([...modules].map(([name, used]) => [name, [...used].sort()]));
  assert.deepEqual(plain, { a: ["b", "d"], b: ["a", "c"], c: ["d"], d: [] });
  assert.deepEqual(circlesOf(modules), [["a", "b"]]);
});

it("a circle is found over any number of modules, and two that share one are one", () => {
  const modules = (edges) => new Map(Object.entries(edges).map(([name, used]) => [name, new Set(used)]));
  assert.deepEqual(circlesOf(modules({ a: ["b"], b: ["c"], c: ["a"], d: ["a"] })), [["a", "b", "c"]]);
  assert.deepEqual(circlesOf(modules({ a: ["b"], b: ["a", "c"], c: ["b"], d: ["e"], e: ["d"] })), [["a", "b", "c"], ["d", "e"]]);
  assert.deepEqual(circlesOf(modules({ a: ["b"], b: ["c"], c: [] })), []);
});

function row(crate, circle) {
  return `${join(crate, "src")}: ${circle.join(", ")}`;
}

/** The rows of the table: `| container/src | run, town | why |`. */
function listed() {
  const text = readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8");
  const section = text.match(/^## Import circles\n(.*?)(?=^## )/ms);
  assert.ok(section, "ARCHITECTURE.md has no section \"Import circles\"");
  const rows = section[1].split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((line) => {
    const [, folder, circle, reason] = line.split("|").map((cell) => cell.trim().replaceAll("`", ""));
    assert.ok(reason, `no reason is given: ${line}`);
    return `${folder}: ${circle}`;
  });
}

/** A crate of these files, as a folder. */
function crate(files) {
  const folder = mkdtempSync(join(tmpdir(), "townwatch-imports-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}
