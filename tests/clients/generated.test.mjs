// Types that generators make of openapi.json are of use: strict TypeScript takes a program that reads every frame and every
// event with them, and takes no program that reads what is not there.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { temporaryDirectory } from "../worker/processes.mjs";

const DOCUMENT = fileURLToPath(new URL("../../dashboard/public/openapi.json", import.meta.url));
const PACKAGES = fileURLToPath(new URL("node_modules", import.meta.url));
const { schemas } = JSON.parse(readFileSync(DOCUMENT, "utf8")).components;
const exec = promisify(execFile);
const node = (script, args, cwd) => exec(process.execPath, [join(PACKAGES, script), ...args], { cwd, timeout: 60_000 });

const GENERATORS = {
  "openapi-typescript": {
    make: (folder) => node("openapi-typescript/bin/cli.js", [DOCUMENT, "-o", join(folder, "made.ts")], folder),
    types: 'import type { components } from "./made";\ntype Made = components["schemas"];\n',
    type: (name) => `type ${name} = Made["${name}"];\n`,
  },
  "@hey-api/openapi-ts": {
    make: (folder) => node("@hey-api/openapi-ts/bin/run.js", ["-i", DOCUMENT, "-o", join(folder, "made")], folder),
    types: 'import type * as Made from "./made";\n',
    type: (name) => `type ${name} = Made.${name};\n`,
  },
};

/** The schemas of a choice by a word, as `[word, schema]`. */
const choices = (name) =>
  Object.entries(schemas[name].discriminator.mapping).map(([word, reference]) => [word, schemas[reference.split("/").at(-1)]]);
const dataOf = ({ properties: { data } }) => schemas[(data.$ref ?? data.allOf[0].$ref).split("/").at(-1)];

/** Reads a field; what may be any JSON is `unknown`, of which nothing more can be asked. */
const use = (path, schema) => `use(${path}${Object.keys(schema).every((key) => key === "description") ? " as {} | null" : ""});`;

/** A function that reads all that a frame or an event always has, by its word; the compiler knows when one is missing. */
function reader(type, word, readOf, place) {
  const cases = choices(type).map(([name, schema]) => {
    const { required = [], properties } = readOf(schema);
    const fields = required.map((field) => use(`it${place}.${field}`, properties[field]));
    return `    case "${name}": ${fields.join(" ")} return;\n`;
  });
  return `export function read${type}(it: ${type}): void {\n  switch (it.${word}) {\n${cases.join("")}    default: none(it);\n  }\n}\n`;
}

function program({ types, type }) {
  const names = ["ServerFrame", "ClientFrame", "KnownEvent", "TownEvent", "RangeEnd"];
  return [
    types,
    ...names.map(type),
    // What may be left out is undefined, which this does not take.
    "function use(_value: {} | null): void {}\nfunction none(_value: never): void {}\n",
    reader("ServerFrame", "type", (schema) => schema, ""),
    reader("ClientFrame", "type", (schema) => schema, ""),
    reader("KnownEvent", "event", dataOf, ".data"),
    "export function follow(frame: ServerFrame): string {\n",
    '  if (frame.type !== "events") return frame.type;\n',
    "  const first: TownEvent | undefined = frame.events[0];\n",
    "  return first === undefined ? String(frame.backfill) : `${first.id} ${first.event} ${first.at} ${JSON.stringify(first.data)}`;\n}\n",
    "export const goOn = (line: RangeEnd): number => line.next_after_id;\n",
    'export const ping: ClientFrame = { type: "ping" };\n',
    'export function wrong(frame: ServerFrame): void {\n  if (frame.type !== "gap") return;\n  // @ts-expect-error a gap has no events\n  use(frame.events);\n}\n',
    '// @ts-expect-error there is no such frame\nexport const never: ClientFrame = { type: "pong" };\n',
    '// @ts-expect-error an acknowledgement names an id\nexport const ack: ClientFrame = { type: "ack" };\n',
  ].join("");
}

describe("types made of the document", { concurrency: true }, () => {
  for (const [name, generator] of Object.entries(GENERATORS)) {
    it(`${name}: tell every frame and every event apart, in strict TypeScript`, async () => {
      const folder = temporaryDirectory();
      await generator.make(folder);
      const text = program(generator);
      assert.ok(choices("ServerFrame").length >= 11 && choices("KnownEvent").length >= 24);
      writeFileSync(join(folder, "program.ts"), text);
      const options = ["--noEmit", "--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--module", "esnext"];
      const all = [...options, "--moduleResolution", "bundler", "--lib", "es2022,dom,dom.iterable", "program.ts"];
      await node("typescript/bin/tsc", all, folder).catch(({ stdout, message }) => assert.fail(stdout || message));
    });
  }
});
