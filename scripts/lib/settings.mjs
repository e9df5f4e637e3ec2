// The settings of an installation and what each may be; the Worker checks the same once more (crates/town/src/settings.rs).

import fs from "node:fs";
import { inRoot } from "./paths.mjs";
import { Problem } from "./problem.mjs";

/** @import { Variables } from "./types.d.ts" */

/** @typedef {{ name: string, kind: string, default?: number | boolean, min?: number, max?: number }} Row */

/** @param {string} text */
const isOrigin = (text) => URL.canParse(text) && /^https?:\/\/[^/?#@]+\/*$/i.test(text);

/**
 * What each kind of setting may be: in words, and whether a text is it.
 *
 * @type {{ [kind: string]: (row: Row) => { expected: string, accepts: (text: string) => boolean } }}
 */
const KINDS = {
  number: ({ min = 0, max = 0 }) => ({
    expected: `an integer from ${min} to ${max}`,
    accepts: (text) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max,
  }),
  switch: () => ({ expected: "true or false", accepts: (text) => text === "true" || text === "false" }),
  origin: () => ({ expected: "http(s)://host[:port] without a path", accepts: isOrigin }),
  origins: () => ({
    expected: "scheme://host[:port], several with commas between",
    accepts: (text) => text.split(/[\s,]+/).filter(Boolean).every(isOrigin),
  }),
};

/** @type {Row[]} */
const ROWS = JSON.parse(fs.readFileSync(new URL("settings.json", import.meta.url), "utf8"));
/**
 * Every setting by its name, as the Worker has it (`npm run types` writes the list).
 *
 * @type {{ [name: string]: Row & { expected: string, accepts: (text: string) => boolean } }}
 */
export const SETTINGS = Object.fromEntries(ROWS.map((row) => [row.name, { ...row, ...KINDS[row.kind](row) }]));

/** The secrets of every installation. */
export const SECRETS = ["TOWNWATCH_API_KEY", "TOWNWATCH_JWT_SECRET"];
/** What the second one was until it was changed, as long as what it signed is to be good. */
const JWT_SECRET_PREVIOUS = "TOWNWATCH_JWT_SECRET_PREVIOUS";
/** What signs the calls to a control server at CONTAINER_URL. */
export const CONTROL_KEY = "CONTROL_KEY";
/** What a container of another make there is shown instead. */
export const CONTAINER_TOKEN = "CONTAINER_TOKEN";
const SECRET_CHARS_MIN = 16;

/**
 * What is wrong with the settings, a line each; unset ones are right.
 *
 * @param {Partial<Variables>} values
 */
export function settingProblems(values) {
  const bad = Object.entries(SETTINGS).filter(([name, { accepts }]) => {
    const text = values[name]?.trim();
    return text && !accepts(text);
  });
  return bad.map(([name, { expected }]) => `${name}: expected ${expected}, not ${JSON.stringify(values[name])}`);
}

/**
 * What is wrong with a secret, or nothing. Its value is never shown.
 *
 * @param {string} name
 * @param {string} value
 */
export function secretProblem(name, value) {
  if (name === CONTROL_KEY && !/^[0-9a-f]{64}$/.test(value)) return `${name}: is not 64 hexadecimal digits`;
  if (value.length < SECRET_CHARS_MIN) return `${name}: is shorter than ${SECRET_CHARS_MIN} characters`;
  if (!/^[\x21-\x7e]*$/.test(value)) return `${name}: holds a character that a header cannot carry`;
  if (new Set(value).size < 5) return `${name}: is a sample value`;
  return undefined;
}

/**
 * What is wrong with the secret that is on its way out, where there is one.
 *
 * @param {Variables} secrets
 */
export function previousProblem({ TOWNWATCH_JWT_SECRET: today, [JWT_SECRET_PREVIOUS]: previous }) {
  if (!previous) return undefined;
  if (previous === today) return `${JWT_SECRET_PREVIOUS}: is the same as TOWNWATCH_JWT_SECRET`;
  return secretProblem(JWT_SECRET_PREVIOUS, previous);
}

/**
 * Refuses bad settings by their names and reasons.
 *
 * @param {Partial<Variables>} values
 * @param {string} where
 */
export function checkSettings(values, where) {
  const problems = settingProblems(values);
  if (problems.length > 0) throw new Problem(problems.join("\n"), { remedy: `set it right in ${where}` });
}

/** The settings that the environment of this process gives. */
export function fromEnvironment() {
  const given = Object.keys(SETTINGS).filter((name) => process.env[name]?.trim());
  return Object.fromEntries(given.map((name) => [name, process.env[name]?.trim()]));
}

/** The `[vars]` of a wrangler configuration: plain `NAME = "text"`, numbers and switches. */
export function fromWranglerToml(file = "wrangler.toml") {
  const section = fs.readFileSync(inRoot(file), "utf8").split(/^\[vars\]\s*$/m)[1]?.split(/^\s*\[/m)[0] ?? "";
  const lines = section.matchAll(/^\s*([A-Z_]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))/gm);
  return Object.fromEntries([...lines].map(([, name, a, b, c]) => [name, a ?? b ?? c]));
}
