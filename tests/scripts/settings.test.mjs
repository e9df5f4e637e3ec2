import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { fromWranglerToml, secretProblem, settingProblems, SETTINGS } from "../../scripts/lib/settings.mjs";

test("the defaults of wrangler.toml are in range, and so is nothing at all", () => {
  const values = fromWranglerToml();
  assert.equal(values.POLL_INTERVAL_MS, "500");
  assert.deepEqual(settingProblems(values), []);
  assert.deepEqual(settingProblems({ EVENT_CAP: "", STREAM_ENABLED: undefined }), []);
});

for (const [name, good, bad] of [
  ["POLL_INTERVAL_MS", ["10", " 500 ", "20000"], ["9", "20001", "-1", "1.5", "5e2", "half a second"]],
  ["POSTED_LOST_SECONDS", ["1", "2592000"], ["0", "2592001"]],
  ["TOWN_STORE_MIB", ["1", "8192"], ["0", "8193"]],
  ["STREAM_BATCH_MS", ["0"], ["10001"]],
  ["STREAM_ENABLED", ["true", "false"], ["yes", "1", "True"]],
  ["CONTAINER_URL", ["http://127.0.0.1:8788", "https://box.example/"], ["127.0.0.1:8788", "ftp://a", "http://a/b", "http://u@a", "http://a:99999"]],
  ["ALLOWED_ORIGINS", ["https://a.example, http://localhost:3000", "https://[::1]:8080"], ["*", "a.example", "https://a.example/page"]],
]) {
  test(`${name}: what it may be`, () => {
    for (const value of good) assert.deepEqual(settingProblems({ [name]: value }), [], value);
    for (const value of bad) assert.match(settingProblems({ [name]: value })[0] ?? "", new RegExp(`^${name}: expected .*, not "`), value);
  });
}

test("a bad secret is named, never shown", () => {
  assert.equal(secretProblem("CONTAINER_TOKEN", "0123456789abcdef0123456789abcdef"), undefined);
  for (const value of ["tooshort12", "a secret with spaces in it", "xxxxxxxxxxxxxxxxxxxx"]) {
    const problem = secretProblem("CONTAINER_TOKEN", value);
    assert.match(problem, /^CONTAINER_TOKEN: /);
    assert.ok(!problem.includes(value));
  }
});

const RUST = "crates/town/src/settings.rs";
test("the ranges are the Worker's own", { skip: !fs.existsSync(RUST) && `there is no ${RUST} yet` }, () => {
  const numbers = [...fs.readFileSync(RUST, "utf8").matchAll(/number\("([A-Z_]+)", [^,]+, ([\d_]+), ([\d_]+)\)/g)];
  assert.ok(numbers.length > 5);
  const plain = (text) => Number(text.replaceAll("_", ""));
  for (const [, name, min, max] of numbers) {
    assert.deepEqual([SETTINGS[name].min, SETTINGS[name].max], [plain(min), plain(max)], name);
  }
});
