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
  return /** @type {const} */ ([status, stderr.trim()]);
}

it("opens no debugger unless told to", () => {
  assert.deepEqual(devOptions([]), { sandbox: "none", replace: false, inspect: false });
  assert.deepEqual(devOptions(["--inspect", "--replace"]), { sandbox: "none", replace: true, inspect: true });
});

it("takes any sandbox, or the one that is named", () => {
  assert.equal(devOptions(["--sandbox"]).sandbox, "any");
  for (const name of ["bubblewrap", "docker", "podman"]) assert.equal(devOptions([`--sandbox=${name}`]).sandbox, name);
});

it("refuses an option that there is not", () => {
  for (const option of ["--sandboxed", "--sandbox=lxc"]) {
    const words = `there is no option ${option}\nnpm run dev, or npm run dev -- with one of --sandbox, --replace, --inspect (--sandbox=bubblewrap or docker or podman)`;
    assert.deepEqual(refusal(option), [1, words]);
  }
});

it("opens no debugger where agents in sandboxes would reach it", () => {
  for (const sandbox of ["--sandbox", "--sandbox=docker"]) {
    const [status, words] = refusal(sandbox, "--inspect");
    assert.equal(status, 1);
    assert.match(words, /^a debugger shows the Worker's memory and secrets .* an agent in a sandbox may\nleave --sandbox or --inspect away$/);
  }
});
