// The image is built from what its Dockerfile copies out of what .dockerignore lets in: all that the control server is
// made of has to be among it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** @param {string} file */
const read = (file) => readFileSync(join(ROOT, file), "utf8");

describe("what the image is built from", () => {
  let context;
  before(() => {
    context = mkdtempSync(join(tmpdir(), "townwatch-image-"));
  });
  after(() => rmSync(context, { recursive: true, force: true }));

  it("has all that the control server is made of", () => {
    const letIn = [...read(".dockerignore").matchAll(/^!(.+)$/gm)].map(([, path]) => path);
    const [first] = read("container/Dockerfile").split(/^FROM node/m);
    const copied = [...first.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, sources]) => sources.split(" "));
    assert.ok(copied.length > 5);
    for (const path of copied) {
      assert.ok(letIn.includes(path), `.dockerignore keeps ${path} out`);
      cpSync(join(ROOT, path), join(context, path), { recursive: true });
    }
    // The compiler's own look at it; nothing is linked.
    const args = ["check", "--locked", "--offline", "-p", "townwatch-control", "--manifest-path", join(context, "Cargo.toml")];
    const env = { ...process.env, CARGO_TARGET_DIR: process.env.CARGO_TARGET_DIR ?? join(ROOT, "target") };
    execFileSync("cargo", args, { cwd: context, env, stdio: "pipe" });
  });
});
