// `.dev.vars`: the secrets (and, if somebody wants, settings) of local development.

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { newControlKey } from "./control_key.mjs";
import { DEV_VARS } from "./paths.mjs";
import { Problem } from "./problem.mjs";
import { CONTROL_KEY, previousProblem, SECRETS, secretProblem } from "./settings.mjs";

const NAMES = [...SECRETS, CONTROL_KEY];

/** What the file says; nothing where there is none. */
export function readDevVars(file = DEV_VARS) {
  if (!fs.existsSync(file)) return {};
  const lines = fs.readFileSync(file, "utf8").matchAll(/^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=[ \t]*(.*?)\s*$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, unquoted(value)]));
}

/** Adds a random value for every secret that the file does not have yet, and returns all that it says. */
export function ensureDevVars(file = DEV_VARS) {
  const known = readDevVars(file);
  const missing = NAMES.filter((name) => !known[name]);
  if (missing.length > 0) {
    const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8").replace(/([^\n])$/, "$1\n") : "";
    const added = missing.map((name) => `${name}=${name === CONTROL_KEY ? newControlKey() : randomBytes(32).toString("hex")}\n`).join("");
    fs.writeFileSync(file, before + added, { mode: 0o600 });
  }
  const all = readDevVars(file);
  const problems = [...NAMES.map((name) => secretProblem(name, all[name])), previousProblem(all)].filter(Boolean);
  if (problems.length > 0) {
    throw new Problem(problems.join("\n"), { remedy: `delete the line from .dev.vars; what is needed the next start writes anew` });
  }
  return all;
}

/** @param {string} text */
function unquoted(text) {
  const quoted = text.match(/^(["'`])(.*?)\1/);
  return quoted ? quoted[2] : text.replace(/\s+#.*$/, "");
}
