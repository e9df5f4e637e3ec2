// `npm run fuzz`: each fuzz target for a minute, from the recordings and what earlier runs found; `npm run fuzz --
// codex` only those whose names contain a word. TOWNWATCH_FUZZ_SECONDS changes the minute. It needs nightly Rust and
// cargo-fuzz.

import fs from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { filesOf } from "./lib/freshness.mjs";
import { main } from "./lib/main.mjs";
import { inRoot } from "./lib/paths.mjs";
import { Problem } from "./lib/problem.mjs";
import { ask, commandLine, runShown } from "./lib/run.mjs";

const SECONDS = Number(process.env.TOWNWATCH_FUZZ_SECONDS ?? 60);
/** Longer inputs make it slow and find no more. */
const INPUT_BYTES_MAX = 16 * 1024;
/** What a target begins with, where it is not the recordings of an agent of that name. */
/** @type {{ [target: string]: string[] }} */
const SEEDS = {
  lines: ["tests/recordings/claude_code", "tests/recordings/codex"],
  opencode: ["tests/recordings/opencode", "tests/recordings/kilo"],
  redaction: ["crates/agents/tests/redaction/main.rs", "crates/redaction/src/formats.rs"],
  sse: ["tests/recordings/opencode", "tests/recordings/kilo"],
  terminal: ["tests/recordings/terminal"],
};

async function fuzz(word = "") {
  if (!ask("cargo", ["+nightly", "fuzz", "--version"])) {
    throw new Problem("cargo-fuzz or nightly Rust is missing", { remedy: "rustup toolchain install nightly && cargo install cargo-fuzz --locked" });
  }
  const targets = filesOf(["fuzz/fuzz_targets"]).map((file) => path.basename(file, ".rs"));
  const wanted = targets.filter((name) => name !== "output" && name.includes(word));
  if (wanted.length === 0) throw new Problem(`no fuzz target is called ${word}`, { remedy: `one of: ${targets.join(", ")}` });
  const failed = [];
  for (const target of wanted) {
    const limits = [`-max_total_time=${SECONDS}`, `-max_len=${INPUT_BYTES_MAX}`, "-print_final_stats=1"];
    const args = ["+nightly", "fuzz", "run", "--fuzz-dir", "fuzz", target, found(target), seeds(target), "--", ...limits];
    console.log(`\n${target}: ${commandLine("cargo", args)}`);
    const { code } = await runShown("cargo", args);
    if (code !== 0) failed.push(target);
  }
  console.log(failed.length > 0 ? `\nfailed: ${failed.join(", ")}` : `\nnothing found in ${wanted.join(", ")}`);
  return failed.length > 0 ? 1 : 0;
}

/**
 * The folder with the inputs that earlier runs found to reach more of the code.
 *
 * @param {string} target
 */
function found(target) {
  const folder = inRoot(`fuzz/corpus/${target}`);
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * A folder with what it begins with, in parts that are short enough.
 *
 * @param {string} target
 */
function seeds(target) {
  const folder = inRoot(`fuzz/seeds/${target}`);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  for (const file of filesOf(SEEDS[target] ?? [`tests/recordings/${target}`])) {
    const bytes = fs.readFileSync(inRoot(file));
    const text = file.endsWith(".gz") ? gunzipSync(bytes) : bytes;
    for (let from = 0; from < text.length; from += INPUT_BYTES_MAX) {
      fs.writeFileSync(path.join(folder, `${file.replaceAll("/", "-")}-${from}`), text.subarray(from, from + INPUT_BYTES_MAX));
    }
  }
  return folder;
}

await main(() => fuzz(process.argv[2]));
