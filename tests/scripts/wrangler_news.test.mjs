import assert from "node:assert/strict";
import { test } from "node:test";
import { newsOnly } from "../../scripts/lib/wrangler_news.mjs";

test("a failed build is shown once, and what comes after it is shown again", () => {
  const lines = [
    "The file src/lib.rs changed, restarting build...",
    "[custom build] ",
    "[custom build]   | error: expected item",
    "✘ [ERROR] k [Error]: Process exited with non-zero status (1)",
    "      stderr: '  | error: expected item' +",
    "✘ [ERROR] Running custom build `node scripts/build.mjs --quiet worker` failed. There are likely more logs",
    "[wrangler:info] GET /health 200 OK (2ms)",
    "[wrangler:info] GET /api/towns 200 OK (2ms)",
  ];
  const kept = lines.filter(newsOnly()).map((line) => lines.indexOf(line));
  assert.deepEqual(kept, [0, 2, 5, 7]);
});
