// `npm run check`: everything that can be told without running a test.

import { inRoot } from "./lib/paths.mjs";
import { filesOf } from "./lib/freshness.mjs";
import { main } from "./lib/main.mjs";
import { ask, run } from "./lib/run.mjs";
import { Problem } from "./lib/problem.mjs";
import { stepper } from "./lib/steps.mjs";
import { SETUP_STEPS, setUp } from "./setup.mjs";
import { SUPPLY_CHECKS, checkSupply } from "./lib/supply_checks.mjs";

const DENY_WARNINGS = ["--", "-D", "warnings"];
const CARGO_CHECKS = [
  ["the format", ["fmt", "--all", "--check"], "format it:  cargo fmt --all"],
  ["the host's Rust", ["clippy", "--workspace", "--all-targets", "--locked", ...DENY_WARNINGS], ""],
  ["the fuzz targets", ["clippy", "--manifest-path", "fuzz/Cargo.toml", "--bins", "--locked", ...DENY_WARNINGS], ""],
  ["the Worker's Rust", ["clippy", "--lib", "--target", "wasm32-unknown-unknown", "--locked", ...DENY_WARNINGS], ""],
];

async function check() {
  const configs = filesOf(["dashboard"], (file) => file.endsWith("tsconfig.json"));
  if (configs.length === 0) throw new Problem("dashboard/tsconfig.json is missing", { remedy: "is this a whole checkout?  git status" });
  const step = stepper(SETUP_STEPS + CARGO_CHECKS.length + configs.length + 1 + SUPPLY_CHECKS.length);
  const { node, env } = await setUp({ step });
  const checks = [
    ["rustfmt and clippy", () => components(env)],
    ...CARGO_CHECKS.map(([title, args, remedy]) => [title, () => run("cargo", args, { env, remedy })]),
    ...configs.map((file) => [file, () => run(node, [inRoot("node_modules/typescript/bin/tsc"), "--noEmit", "-p", file], { env })]),
  ];
  const problems = [];
  // All of them, so that one look shows all there is to do.
  for (const [title, work] of checks) await step(`checking ${title}`, work).catch((problem) => problems.push(problem));
  for (const one of SUPPLY_CHECKS) await checkSupply(one, step, env).catch((problem) => problems.push(problem));
  for (const problem of problems) console.error(`\n${problem}`);
  return problems.length > 0 ? 1 : 0;
}

/** Adds rustup's components where they are missing. */
async function components(env) {
  const missing = ["rustfmt", "clippy"].filter((name) => !ask("cargo", [name === "clippy" ? name : "fmt", "--version"], env));
  if (missing.length > 0) await run("rustup", ["component", "add", ...missing], { env, remedy: "is the network there?" });
}

await main(check);
