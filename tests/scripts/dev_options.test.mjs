// What may be said behind `npm run dev --`, and what may not.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { it } from "node:test";
import { fileURLToPath } from "node:url";

import { devOptions } from "../../scripts/lib/dev_options.mjs";

const dev = fileURLToPath(new URL("../../scripts/dev.mjs", import.meta.url));

/** What `npm run dev` with these options ends with, before it does anything. */
function refusal(...options) {
  const { status, stderr } = spawnSync(process.execPath, [dev, ...options], { encoding: "utf8" });
  return [status, stderr.trim()];
}

it("opens no debugger unless told to", () => {
  assert.deepEqual(devOptions([]), { sandbox: false, replace: false, inspect: false });
  assert.deepEqual(devOptions(["--inspect", "--replace"]), { sandbox: false, replace: true, inspect: true });
});

it("refuses an option that there is not", () => {
  assert.deepEqual(refusal("--sandboxed"), [1, "there is no option --sandboxed\nnpm run dev, or npm run dev -- with one of --sandbox, --replace, --inspect"]);
});

it("opens no debugger where agents in sandboxes would reach it", () => {
  const [status, words] = refusal("--sandbox", "--inspect");
  assert.equal(status, 1);
  assert.match(words, /^a debugger shows the Worker's memory and secrets .* an agent in a sandbox does\nleave --sandbox or --inspect away$/);
});
