// `npm run dev -- --sandbox` never goes on without one: what it says where there can be none.

import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";

import { checkBubblewrap } from "../../scripts/lib/bubblewrap.mjs";

const bin = mkdtempSync(join(tmpdir(), "townwatch-bubblewrap-"));
after(() => rmSync(bin, { recursive: true, force: true }));
const env = { PATH: bin };

const refusal = (platform) => {
  try {
    checkBubblewrap(env, platform);
  } catch (problem) {
    return `${problem}`;
  }
  return "none";
};

it("says that there is none but on Linux, and what to do instead", () => {
  assert.match(refusal("darwin"), /^sandboxes are made by bubblewrap, which is there for Linux only\nleave --sandbox away/);
});

it("says how to install bubblewrap", () => {
  assert.match(refusal("linux"), /^--sandbox needs bubblewrap, which is not installed\nsudo apt-get install bubblewrap /);
});

it("starts one, and says so where the system forbids it", () => {
  const stand_in = (script) => {
    writeFileSync(join(bin, "bwrap"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, "bwrap"), 0o755);
  };
  stand_in('[ "$1" = --version ]');
  assert.match(refusal("linux"), /^bubblewrap is installed, but this system does not let it make a sandbox\nallow user namespaces/);
  stand_in("exit 0");
  assert.equal(refusal("linux"), "none");
});

