// What others wrote comes in by an exact version, so that what runs is what was tested.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { PINNED } from "../agents/install.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

describe("what others wrote", () => {
  it("the image has the agents' programs in the versions that the tests run", () => {
    const dockerfile = readFileSync(join(ROOT, "container/Dockerfile"), "utf8");
    const [, packages] = /npm install -g --no-audit --no-fund \\\n([^&]+)/.exec(dockerfile);
    assert.deepEqual(packages.split(/[\s\\]+/).filter((word) => word !== "").sort(), Object.values(PINNED).sort());
  });

  it("every action of a workflow is named by the hash of a commit, which nobody can move", () => {
    const folder = join(ROOT, ".github/workflows");
    const actions = readdirSync(folder).flatMap((file) => [...readFileSync(join(folder, file), "utf8").matchAll(/uses: *(\S+)/g)]);
    assert.ok(actions.length >= 2);
    for (const [, action] of actions) assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  });
});
