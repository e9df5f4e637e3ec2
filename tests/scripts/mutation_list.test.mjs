// Each mutation breaks one place of the source, which has to be there once: a list that is out of date would be noticed
// only where that mutation is run.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";

import { MUTATIONS } from "../mutations/list.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

it("what each mutation breaks stands once in its file", () => {
  assert.ok(MUTATIONS.length > 20);
  for (const { name, edits } of MUTATIONS) {
    const texts = new Map();
    for (const { file, find, replace } of edits) {
      const text = texts.get(file) ?? readFileSync(join(ROOT, file), "utf8");
      assert.equal(text.split(find).length - 1, 1, `${name}: ${find}`);
      texts.set(file, text.replace(find, () => replace));
    }
  }
});
