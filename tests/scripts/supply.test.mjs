// What others wrote comes in by an exact version, so that what runs is what was tested.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { checkSupply, SUPPLY_CHECKS } from "../../scripts/lib/supply_checks.mjs";
import { PROGRAMS } from "../live/install.mjs";
import { present } from "../present.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

describe("what others wrote", () => {
  it("the image has the agents' programs in the versions that the tests run", () => {
    const dockerfile = readFileSync(join(ROOT, "container/Dockerfile"), "utf8");
    const [, copied, directory] = present(/^COPY (\S+programs\.json) (\S+)$/m.exec(dockerfile));
    const [, words] = present(/npm install -g --no-audit --no-fund \\\n *(\$\(node .+\)) \\\n/.exec(dockerfile));
    const command = `echo ${words.replace(join(directory, "programs.json"), join(ROOT, copied))}`;
    const packages = execFileSync("sh", ["-c", command], { encoding: "utf8" }).trim().split(" ");
    assert.deepEqual(packages, Object.values(PROGRAMS).map((row) => `${row.package}@${row.version}`));
    assert.ok(packages.length >= 5 && packages.every((name) => /^@?[\w./-]+@\d+\.\d+\.\d+$/.test(name)), packages.join(" "));
  });

  it("the image begins with images that are named by their digest", () => {
    const begins = [...readFileSync(join(ROOT, "container/Dockerfile"), "utf8").matchAll(/^FROM (\S+)/gm)].map(([, name]) => name);
    assert.equal(begins.length, 2);
    for (const name of begins) assert.match(name, /^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
  });

  it("every action of a workflow is named by the hash of a commit, which nobody can move", () => {
    const folder = join(ROOT, ".github/workflows");
    const actions = readdirSync(folder).flatMap((file) => [...readFileSync(join(folder, file), "utf8").matchAll(/uses: *(\S+)/g)]);
    assert.ok(actions.length >= 2);
    for (const [, action] of actions) assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  });

  it("a fault that was found fails the check, and what cannot be asked is skipped with its reason", async () => {
    const steps = [];
    /** @type {import("../../scripts/lib/types.d.ts").Step} */
    const step = async (title, work) => {
      steps.push(title);
      return work();
    };
    const [, , signatures] = SUPPLY_CHECKS;
    /** @param {string} words */
    const says = (words, code) => ({ ...signatures, title: "words", command: "sh", args: ["-c", `echo '${words}' >&2; exit ${code}`] });
    await checkSupply(says("npm error code ENOTFOUND", 1), step, process.env);
    await checkSupply(says("npm error found no dependencies to audit that were installed from a supported registry", 1), step, process.env);
    await checkSupply(says("68 packages have verified registry signatures", 0), step, process.env);
    await assert.rejects(checkSupply(says("1 package has an invalid registry signature:", 1), step, process.env), /failed/);
    await assert.rejects(checkSupply(says("2 packages have missing registry signatures but the registry is providing signing keys", 1), step, process.env), /failed/);
    assert.deepEqual(steps, [
      "skipping words: what knows of them did not answer here (npm error code ENOTFOUND)",
      "skipping words: what knows of them did not answer here (npm error found no dependencies to audit that were installed from a supported registry)",
      "checking words", "checking words", "checking words",
    ]);
  });

  it("only a fault that is known of a crate fails its check", () => {
    const [licences, advisories] = SUPPLY_CHECKS;
    assert.match("error[vulnerability]: a fault of time 0.1", advisories.fault);
    assert.doesNotMatch("error: failed to fetch advisory database", advisories.fault);
    assert.match("error[rejected]: failed to satisfy license requirements", licences.fault);
  });
});
