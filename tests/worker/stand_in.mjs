// A shell script in the place of an agent's program, for what no real one can be made to print at will.

import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

import { temporaryDirectory } from "./processes.mjs";

/** Puts the script first on this process's PATH, and so on that of every control server started after it. */
export function standIn(program, script) {
  const bin = temporaryDirectory();
  writeFileSync(join(bin, program), script);
  chmodSync(join(bin, program), 0o755);
  process.env.PATH = [bin, process.env.PATH].join(delimiter);
}
