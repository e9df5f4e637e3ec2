// What a part is made of is there: a name that nothing stands for would let a change go unnoticed.

import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";

import { DASHBOARD_INPUTS } from "../../scripts/lib/builds.mjs";
import { buildUnlessFresh } from "../../scripts/lib/freshness.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { WORKER_INPUTS } from "../../scripts/lib/worker_build.mjs";

test("each input of a build exists", () => {
  for (const input of [...WORKER_INPUTS, ...DASHBOARD_INPUTS]) assert.ok(fs.existsSync(inRoot(input)), input);
});

test("a build of what is not there is refused by its name, and nothing is built", async () => {
  const what = { name: "nothing", inputs: ["src", "no-such-folder"], outputs: [], versions: "" };
  const built = [];
  await assert.rejects(buildUnlessFresh(what, () => built.push("nothing")), /no-such-folder: what nothing is made of is not there/);
  assert.deepEqual(built, []);
});
