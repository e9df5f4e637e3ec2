import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fromCargo, fromReporter, judged, line, NONE, sum } from "../../scripts/lib/counts.mjs";

test("cargo's result lines are added up, coloured or not", () => {
  const output = [
    "running 3 tests",
    "test a ... ok",
    "test result: \x1b[32mok\x1b[0m. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
    "test result: FAILED. 4 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s",
    "a test that prints: test result: ok. 9 passed",
  ].join("\n");
  assert.equal(line(fromCargo(output)), "6 passed, 3 failed, 1 skipped");
});

test("node's outcomes are counted by the reporter, without suites and empty files", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "townwatch-counts-"));
  /**
   * @param {string} name
   * @param {string} text
   */
  const write = (name, text) => fs.writeFileSync(path.join(folder, name), text);
  write("a.test.mjs", `
    import { describe, test } from "node:test";
    describe("suite", () => { test("one", () => {}); test("two", () => { throw new Error("no"); }); });
    test("later", { skip: true }, () => {});
    test("someday", { todo: true }, () => { throw new Error("not yet"); });
    test("one", () => {});
  `);
  write("empty.test.mjs", "");
  write("broken.test.mjs", "throw new Error('at import');");
  const reporter = path.resolve("scripts/lib/count_reporter.mjs");
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  const args = ["--test", `--test-reporter=${reporter}`, ...fs.readdirSync(folder).map((name) => path.join(folder, name))];
  const { stdout, status } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
  fs.rmSync(folder, { recursive: true });
  assert.equal(status, 1);
  // "two" fails, and so does the file that cannot be loaded.
  assert.equal(line(fromReporter(stdout)), "2 passed, 2 failed, 2 skipped", stdout);
});

test("a runner that fails without a failed test, or runs none, has failed", () => {
  assert.deepEqual(judged({ ...NONE, passed: 2 }, 0), { counts: { ...NONE, passed: 2 } });
  assert.deepEqual(judged({ ...NONE, passed: 2, failed: 3 }, 101), { counts: { ...NONE, passed: 2, failed: 3 } });
  assert.equal(judged({ ...NONE, passed: 2 }, 101).counts.failed, 1);
  assert.equal(judged(NONE, 0).failure, "no test ran");
  assert.equal(judged({ ...NONE, skipped: 1 }, 0).counts.failed, 0);
});

test("nothing adds up to nothing", () => assert.deepEqual(sum([]), NONE));
