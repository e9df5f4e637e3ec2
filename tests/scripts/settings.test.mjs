import assert from "node:assert/strict";
import { test } from "node:test";
import { fromWranglerToml, SETTINGS, secretProblem, settingProblems } from "../../scripts/lib/settings.mjs";

test("wrangler.toml says the Worker's defaults, which are in range, and so is nothing at all", () => {
  const values = fromWranglerToml();
  assert.equal(values.POLL_INTERVAL_MS, "500");
  for (const [name, text] of Object.entries(values)) assert.equal(text, String(SETTINGS[name]?.default), name);
  assert.deepEqual(settingProblems(values), []);
  assert.deepEqual(settingProblems({ EVENT_CAP: "", STREAM_ENABLED: undefined }), []);
});

for (const [name, good, bad] of /** @type {any[][]} */ ([
  ["POLL_INTERVAL_MS", ["10", " 500 ", "20000"], ["9", "20001", "-1", "1.5", "5e2", "half a second"]],
  ["POSTED_LOST_SECONDS", ["1", "2592000"], ["0", "2592001"]],
  ["TOWN_STORE_MIB", ["1", "8192"], ["0", "8193"]],
  ["STREAM_BATCH_MS", ["0"], ["10001"]],
  ["STREAM_ENABLED", ["true", "false"], ["yes", "1", "True"]],
  ["CONTAINER_URL", ["http://127.0.0.1:8788", "https://box.example/"], ["127.0.0.1:8788", "ftp://a", "http://a/b", "http://u@a", "http://a:99999"]],
  ["ALLOWED_ORIGINS", ["https://a.example, http://localhost:3000", "https://[::1]:8080"], ["*", "a.example", "https://a.example/page"]],
])) {
  test(`${name}: what it may be`, () => {
    for (const value of good) assert.deepEqual(settingProblems({ [name]: value }), [], value);
    for (const value of bad) assert.match(settingProblems({ [name]: value })[0] ?? "", new RegExp(`^${name}: expected .*, not "`), value);
  });
}

test("a bad secret is named, never shown", () => {
  assert.equal(secretProblem("CONTAINER_TOKEN", "0123456789abcdef0123456789abcdef"), undefined);
  for (const value of ["tooshort12", "a secret with spaces in it", "xxxxxxxxxxxxxxxxxxxx"]) {
    const problem = secretProblem("CONTAINER_TOKEN", value) ?? "";
    assert.match(problem, /^CONTAINER_TOKEN: /);
    assert.ok(!problem.includes(value));
  }
});
