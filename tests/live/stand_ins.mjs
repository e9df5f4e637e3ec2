// Programs on the PATH that behave as OpenCode and Kilo did in a recording; an agent's `env_vars` say in which.

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { temporaryDirectory } from "../worker/processes.mjs";

const FAKE = fileURLToPath(new URL("opencode_fake.mjs", import.meta.url));

/** A directory with them, to stand first on a PATH. */
export function standIns() {
  const bin = join(temporaryDirectory(), "bin");
  mkdirSync(bin);
  for (const name of ["opencode", "kilo"]) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec '${process.execPath}' '${FAKE}' "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

/** What an order says so that the stand-in plays this recording. */
export const recorded = (program, name) => ({ runtime: program, prompt: "Please fix it.", env_vars: { FAKE_RECORDING: `${program} ${name}` } });
