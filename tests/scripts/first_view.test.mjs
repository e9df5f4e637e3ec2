// What the first view weighs is told by what a browser would load.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { firstViewBytes } from "../../scripts/lib/first_view.mjs";

test("the first view is what the page names and what that imports at once, each file once", () => {
  const dist = fs.mkdtempSync(path.join(os.tmpdir(), "townwatch-dist-"));
  const files = {
    "index.html": '<link rel="modulepreload" href="/assets/b.js"><script type="module" src="/assets/a.js"></script>',
    "assets/a.js": `import{x}from"./b.js";import"./c.js";export{y}from"./d.js";const later=()=>import("./later.js");${junk()}`,
    "assets/b.js": junk(),
    "assets/c.js": `import { z } from './b.js';\n${junk()}`,
    "assets/d.js": junk(),
    "assets/later.js": junk(),
  };
  fs.mkdirSync(path.join(dist, "assets"));
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(dist, name), content);
  const expected = ["a", "b", "c", "d"].map((name) => gzipSync(files[`assets/${name}.js`], { level: 9 }).length);
  assert.equal(firstViewBytes(dist), expected.reduce((sum, bytes) => sum + bytes));
  fs.rmSync(dist, { recursive: true });
});

const junk = () => `/* ${randomBytes(400).toString("hex")} */`;
