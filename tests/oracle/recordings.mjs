// The raw bytes of the recordings, and their names.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const RECORDINGS = fileURLToPath(new URL("../recordings/", import.meta.url));

/** What there is of an agent. */
export const recordingsOf = (agent) => readdirSync(`${RECORDINGS}/${agent}`).map((file) => file.replace(/\.jsonl(\.gz)?$/, ""));

/** All of a recording, as it was printed. */
export function textOf(agent, name) {
  const file = readdirSync(`${RECORDINGS}/${agent}`).find((one) => one === `${name}.jsonl` || one === `${name}.jsonl.gz`);
  if (file === undefined) throw new Error(`no recording ${name} of ${agent}`);
  const bytes = readFileSync(`${RECORDINGS}/${agent}/${file}`);
  return (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

/** The lines that are not empty, each parsed: split at line feeds only, because raw U+2028 stands in some. */
export const linesOf = (agent, name) => textOf(agent, name).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
