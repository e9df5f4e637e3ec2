// Which module of a Rust crate uses which other one, read from its sources, and the circles among them. A module is a file or a
// folder beside the crate's `lib.rs`: what is inside a folder may use each other as it likes.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const TESTS = /#\[cfg\(test\)\]\s*(?:pub(?:\(crate\))?\s+)?mod\s+\w+\s*\{/;

/** The modules of a crate's `src` folder, each with those that it uses outside of its tests: `Map { "run" => Set { "town" } }`. */
export function importsOf(folder) {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || (entry.name.endsWith(".rs") && !["lib.rs", "main.rs"].includes(entry.name)))
    .map((entry) => entry.name.replace(/\.rs$/, ""));
  const modules = new Map(names.map((name) => [name, new Set()]));
  const reexports = reexportsOf(folder, modules);
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".rs"))) {
    const parts = file.replace(/\.rs$/, "").split("/");
    if (parts.at(-1) === "mod") parts.pop();
    const [module] = parts;
    if (!modules.has(module) || parts.includes("tests")) continue;
    for (const used of rootNames(readFileSync(join(folder, file), "utf8"), parts.length)) {
      const target = modules.has(used) ? used : reexports.get(used);
      if (target !== undefined && target !== module) modules.get(module)?.add(target);
    }
  }
  return modules;
}

/** The groups of modules of which each uses each other one in the end, each sorted: `[["run", "town"]]`. */
export function circlesOf(modules) {
  const reached = new Map([...modules.keys()].map((name) => [name, reachedFrom(name, modules)]));
  const reaches = (from, to) => reached.get(from)?.has(to) === true;
  const circles = [...reached].filter(([name]) => reaches(name, name)).map(([name, others]) =>
    [...others].filter((other) => reaches(other, name)).sort());
  return [...new Map(circles.map((circle) => [circle.join(" "), circle])).values()].sort();
}

function reachedFrom(name, modules) {
  const reached = new Set();
  const open = [...modules.get(name)];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    open.push(...modules.get(next));
  }
  return reached;
}

/** What `lib.rs` hands on under its own name: `Map { "Town" => "town" }` for `pub use town::Town`. */
function reexportsOf(folder, modules) {
  const reexports = new Map();
  if (!readdirSync(folder).includes("lib.rs")) return reexports;
  for (const [, tree] of withoutTests(readFileSync(join(folder, "lib.rs"), "utf8")).matchAll(/\buse\s+([^;]+);/g)) {
    for (const path of pathsOf(tree)) {
      const steps = path.split("::").filter((step) => !["crate", "self"].includes(step));
      if (modules.has(steps[0])) reexports.set(steps.at(-1), steps[0]);
    }
  }
  return reexports;
}

/** The names in the crate's root that a source uses; `depth` is how many modules lie between the two, itself included. */
function rootNames(source, depth) {
  const root = `(?:crate|${Array(depth).fill("super").join("::")})`;
  const names = [];
  const text = withoutTests(source);
  for (const match of text.matchAll(new RegExp(`(?<![\\w:$])${root}::`, "g"))) {
    const rest = text.slice(match.index + match[0].length);
    const tree = rest.startsWith("{") ? rest.slice(0, closing(rest, 0) + 1) : rest.match(/^\w*/)[0];
    names.push(...pathsOf(tree).map((path) => path.split("::")[0]));
  }
  return names;
}

/** The paths of a tree of `use`: `["a::b", "a::c"]` for `a::{b, c}`. */
function pathsOf(tree) {
  const open = tree.indexOf("{");
  if (open < 0) return [tree.replace(/\s+as\s+\w+/, "").trim()];
  const inside = tree.slice(open + 1, closing(tree, open));
  const parts = [""];
  let depth = 0;
  for (const letter of inside) {
    depth += Number(letter === "{") - Number(letter === "}");
    if (letter === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  const before = tree.slice(0, open).trim();
  return parts.filter((part) => part.trim() !== "").flatMap((part) => pathsOf(part).map((path) => before + path));
}

/** A source without comments and without the modules of its tests. */
function withoutTests(source) {
  let text = source.replace(/\/\/.*/g, "");
  for (let match = TESTS.exec(text); match; match = TESTS.exec(text)) {
    text = text.slice(0, match.index) + text.slice(closing(text, match.index + match[0].length - 1) + 1);
  }
  return text;
}

/** Where the brace at a place is closed. Braces in strings come in pairs, or at the end of a file, where it does not matter. */
function closing(text, open) {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    depth += Number(text[at] === "{") - Number(text[at] === "}");
    if (depth === 0) return at;
  }
  return text.length;
}
