// What a crate may not know it cannot: nothing of the platform, of a runtime or of a network comes into what decides and
// what reads, and the command line links no server.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PLATFORM = ["worker", "wasm-bindgen", "js-sys", "web-sys", "getrandom", "rustix", "libc", "tokio", "axum", "hyper", "notify", "ureq"];
const SERVER = ["tokio", "axum", "hyper", "notify", "townwatch-control", "townwatch-town", "worker"];

/**
 * All crates that one is built with, itself included, for the host.
 *
 * @param {string} crate
 */
function builtWith(crate) {
  const args = ["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none", "--package", crate];
  return new Set(execFileSync("cargo", args, { cwd: ROOT, encoding: "utf8" }).split("\n").map((line) => line.split(" ")[0]));
}

describe("a crate is built with nothing that it may not know", () => {
  for (const [crate, forbidden] of /** @type {any[][]} */ ([
    ["townwatch-protocol", PLATFORM],
    ["townwatch-redaction", PLATFORM],
    ["townwatch-town", PLATFORM],
    ["townwatch-agents", PLATFORM],
    ["townwatch-cli", SERVER],
  ])) {
    it(crate, () => {
      const crates = builtWith(crate);
      assert.ok(crates.has(crate) && crates.has("serde"), [...crates].join(" "));
      assert.deepEqual(forbidden.filter((name) => crates.has(name)), []);
    });
  }
});
