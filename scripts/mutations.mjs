// `npm run mutations` shows that the simulation's oracle notices when the core breaks a promise: each mutation of
// tests/mutations/list.mjs is applied to a copy of the source, in which the simulation then has to fail with the rule that
// the list names. `npm run mutations -- window` takes those whose names contain a word.

import fs from "node:fs";
import path from "node:path";
import { MUTATIONS } from "../tests/mutations/list.mjs";
import { filesOf } from "./lib/freshness.mjs";
import { isMain, main } from "./lib/main.mjs";
import { inRoot, TARGET } from "./lib/paths.mjs";
import { Problem } from "./lib/problem.mjs";
import { runShown } from "./lib/run.mjs";
import { timeSince } from "./lib/steps.mjs";

/** @import { Env } from "./lib/types.d.ts" */

/** @typedef {{ name: string, gate?: boolean, caughtBy: string[], edits: { file: string, find: string, replace: string }[] }} Mutation */

/** Stories of one mutation; most are noticed in the first ten. */
const SEEDS = Number(process.env.TOWNWATCH_SEEDS ?? 100);
const COPY = path.join(TARGET, "mutations", "tree");
const PARTS = ["Cargo.toml", "Cargo.lock", "src", "crates", "migrations", "tests/simulation", "tests/core/sqlite.rs"];
const SIMULATION = ["test", "--locked", "--manifest-path", path.join(COPY, "Cargo.toml"), "--test", "simulation"];

/**
 * Runs the unmutated copy and then each mutation, and says what became of each; resolves to how many were noticed and how many not.
 *
 * @param {Env} env
 * @param {(mutation: Mutation) => boolean} isWanted
 */
export async function mutations(env, isWanted, say = console.log) {
  const chosen = MUTATIONS.filter(isWanted);
  const simulate = simulation(env);
  copyTree();
  const started = Date.now();
  const whole = await simulate();
  if (whole.code !== 0) throw new Problem("the simulation fails without a mutation", { output: whole.output, remedy: "cargo test --test simulation" });
  say(`unmutated: ${SEEDS} stories are in order (${timeSince(started)})`);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const mutation of chosen) {
    const result = await tried(mutation, simulate);
    counts[result.missed ? "failed" : "passed"] += 1;
    say(result.missed ? `MISSED  ${mutation.name}: ${result.missed}` : `noticed ${mutation.name.padEnd(58)} ${String(result.stories).padStart(4)}  ${result.rule}`);
  }
  return counts;
}

/**
 * @param {Mutation} mutation
 * @param {() => ReturnType<typeof runShown>} simulate
 */
async function tried({ name, caughtBy, edits }, simulate) {
  const files = new Map();
  for (const { file, find, replace } of edits) {
    const text = files.get(file) ?? fs.readFileSync(inRoot(file), "utf8");
    const found = text.split(find).length - 1;
    if (found !== 1) throw new Problem(`the mutation "${name}" is out of date: its text is ${found} times in ${file}`, { output: find, remedy: "bring tests/mutations/list.mjs up to date" });
    files.set(file, text.replace(find, () => replace));
  }
  for (const [file, text] of files) fs.writeFileSync(path.join(COPY, file), text);
  const { code, output } = await simulate();
  for (const file of files.keys()) fs.copyFileSync(inRoot(file), path.join(COPY, file));
  if (code === 0) return { missed: `${SEEDS} stories, and none noticed` };
  const story = /^seed \d+ failed, after (\d+) others/m.exec(output);
  if (!story) throw new Problem(`the mutation "${name}" does not run`, { output });
  const rule = caughtBy.find((words) => output.slice(0, story.index).includes(words));
  return rule ? { stories: Number(story[1]) + 1, rule } : { missed: `it failed otherwise:\n${output.slice(0, 1_500)}` };
}

/** A fresh copy. Only what differs is written, so that cargo compiles just that, also where a run broke off in a mutation. */
function copyTree() {
  for (const part of filesOf(PARTS)) {
    const [text, copy] = [fs.readFileSync(inRoot(part)), path.join(COPY, part)];
    if (fs.existsSync(copy) && fs.readFileSync(copy).equals(text)) continue;
    fs.mkdirSync(path.dirname(copy), { recursive: true });
    fs.writeFileSync(copy, text);
  }
  // Of the workspace's other members cargo only wants to know that they are there.
  for (const member of ["cli", "container", "terminal", "tools/bindgen"]) {
    for (const file of ["Cargo.toml", "src/lib.rs", "src/main.rs"].map((name) => `${member}/${name}`)) {
      if (fs.existsSync(inRoot(file))) fs.cpSync(inRoot(file), path.join(COPY, file));
    }
  }
}

/** @param {Env} env */
function simulation(env) {
  const own = {
    ...env,
    CARGO_TARGET_DIR: path.join(TARGET, "mutations", "target"),
    CARGO_PROFILE_DEV_DEBUG: "0",
    CARGO_TERM_COLOR: "never",
    RUST_BACKTRACE: "0",
    RUSTFLAGS: "--cap-lints=allow",
    TOWNWATCH_SEEDS: String(SEEDS),
  };
  return () => runShown("cargo", SIMULATION, { env: own, show: false });
}

if (isMain(import.meta)) {
  await main(async () => {
    const words = process.argv.slice(2);
    const { failed } = await mutations(process.env, ({ name }) => words.every((word) => name.includes(word)));
    return failed > 0 ? 1 : 0;
  });
}
