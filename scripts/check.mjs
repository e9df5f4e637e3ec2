// `npm run check`: everything that can be told without running a test.

import path from "node:path";
import { filesOf } from "./lib/freshness.mjs";
import { main } from "./lib/main.mjs";
import { inRoot } from "./lib/paths.mjs";
import { Problem } from "./lib/problem.mjs";
import { ask, run } from "./lib/run.mjs";
import { stepper } from "./lib/steps.mjs";
import { checkSupply, SUPPLY_CHECKS } from "./lib/supply_checks.mjs";
import { SETUP_STEPS, setUp } from "./setup.mjs";

/** @import { Env } from "./lib/types.d.ts" */

const DENY_WARNINGS = ["--", "-D", "warnings"];
/** @type {[title: string, args: string[], remedy: string][]} */
const CARGO_CHECKS = [
  ["the format", ["fmt", "--all", "--check"], "format it:  cargo fmt --all"],
  ["the host's Rust", ["clippy", "--workspace", "--all-targets", "--locked", ...DENY_WARNINGS], ""],
  ["the fuzz targets", ["clippy", "--manifest-path", "fuzz/Cargo.toml", "--bins", "--locked", ...DENY_WARNINGS], ""],
  ["the Worker's Rust", ["clippy", "--lib", "--target", "wasm32-unknown-unknown", "--locked", ...DENY_WARNINGS], ""],
];

/** Where TypeScript and JavaScript is, each folder with what it is checked by. */
const TYPED = ["bench/rival", "dashboard", "scripts", "tests"];

async function check() {
  const configs = filesOf(TYPED, (file) => path.basename(file) === "tsconfig.json");
  const missing = TYPED.find((folder) => !configs.includes(path.join(folder, "tsconfig.json")));
  if (missing) throw new Problem(`${missing}/tsconfig.json is missing`, { remedy: "is this a whole checkout?  git status" });
  const step = stepper(SETUP_STEPS + CARGO_CHECKS.length + configs.length + 2 + SUPPLY_CHECKS.length);
  const { node, env } = await setUp({ step });
  const tool = (/** @type {string} */ file, /** @type {string[]} */ args, remedy = "") => () => run(node, [inRoot("node_modules", file), ...args], { env, remedy });
  /** @type {[title: string, work: () => unknown][]} */
  const checks = [
    ["rustfmt and clippy", () => components(env)],
    ["TypeScript and JavaScript", tool("@biomejs/biome/bin/biome", ["check", "--error-on-warnings"], "mend what can be mended by itself:  npx biome check --write")],
  ];
  for (const [title, args, remedy] of CARGO_CHECKS) checks.push([title, () => run("cargo", args, { env, remedy })]);
  for (const file of configs) checks.push([file, tool("typescript/bin/tsc", ["--noEmit", "-p", file])]);
  /** @type {unknown[]} */
  const problems = [];
  // All of them, so that one look shows all there is to do.
  for (const [title, work] of checks) await step(`checking ${title}`, work).catch((problem) => problems.push(problem));
  for (const one of SUPPLY_CHECKS) await checkSupply(one, step, env).catch((problem) => problems.push(problem));
  for (const problem of problems) console.error(`\n${problem}`);
  return problems.length > 0 ? 1 : 0;
}

/**
 * Adds rustup's components where they are missing.
 *
 * @param {Env} env
 */
async function components(env) {
  const missing = ["rustfmt", "clippy"].filter((name) => !ask("cargo", [name === "clippy" ? name : "fmt", "--version"], env));
  if (missing.length > 0) await run("rustup", ["component", "add", ...missing], { env, remedy: "is the network there?" });
}

await main(check);
