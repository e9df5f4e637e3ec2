import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { ensureDevVars, readDevVars } from "../../scripts/lib/dev_vars.mjs";
import { SECRETS } from "../../scripts/lib/settings.mjs";

let folder, file;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "townwatch-vars-"));
  file = path.join(folder, ".dev.vars");
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

test("the first start writes three random secrets and nothing else, for the owner's eyes only", () => {
  const vars = ensureDevVars(file);
  assert.deepEqual(Object.keys(vars), [...SECRETS, "CONTROL_KEY"]);
  for (const value of Object.values(vars)) assert.match(value, /^[0-9a-f]{64}$/);
  assert.equal(new Set(Object.values(vars)).size, 3);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(ensureDevVars(file), vars);
});

test("what is there is kept, what is missing is added", () => {
  const key = "0123456789abcdef0123456789abcdef";
  fs.writeFileSync(file, `# mine\nTOWNWATCH_API_KEY="${key}"\nEVENT_CAP=50 # few`);
  const vars = ensureDevVars(file);
  assert.equal(vars.TOWNWATCH_API_KEY, key);
  assert.equal(vars.EVENT_CAP, "50");
  assert.ok(fs.readFileSync(file, "utf8").startsWith(`# mine\nTOWNWATCH_API_KEY="${key}"\nEVENT_CAP=50 # few\n`));
});

test("a key that would be refused later is refused at once", () => {
  fs.writeFileSync(file, "TOWNWATCH_API_KEY=changeme\n");
  assert.throws(() => ensureDevVars(file), /TOWNWATCH_API_KEY: is shorter than 16/);
});

test("a control key that is none is refused at once", () => {
  fs.writeFileSync(file, `CONTROL_KEY=${"0123456789ABCDEF".repeat(4)}\n`);
  assert.throws(() => ensureDevVars(file), /CONTROL_KEY: is not 64 hexadecimal digits/);
});

test("a secret on its way out is checked as the others, never made, and is another one than today's", () => {
  const today = "0123456789abcdef0123456789abcdef";
  /** @param {string} previous */
  const write = (previous) => fs.writeFileSync(file, `TOWNWATCH_JWT_SECRET=${today}\nTOWNWATCH_JWT_SECRET_PREVIOUS=${previous}\n`);
  write("fedcba9876543210");
  assert.equal(ensureDevVars(file).TOWNWATCH_JWT_SECRET_PREVIOUS, "fedcba9876543210");
  write(today);
  assert.throws(() => ensureDevVars(file), /TOWNWATCH_JWT_SECRET_PREVIOUS: is the same as TOWNWATCH_JWT_SECRET/);
  write("changeme");
  assert.throws(() => ensureDevVars(file), /TOWNWATCH_JWT_SECRET_PREVIOUS: is shorter than 16/);
});

test("no file says nothing", () => assert.deepEqual(readDevVars(file), {}));
