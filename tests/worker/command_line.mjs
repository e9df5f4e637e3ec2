// The command line for tests: its binary with a world's address and key, and a state folder of its own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { present } from "../present.mjs";
import { until } from "./until.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

export function commandLine() {
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
  const places = [process.env.COMMAND_LINE, ...["release", "debug"].map((one) => join(target, one, "townwatch"))];
  const found = places.find((place) => place !== undefined && existsSync(place));
  assert.ok(found, `no command line; build it with: cargo build --release -p townwatch-cli (looked at ${places})`);
  return resolve(found);
}

/** A running `townwatch …`: what it printed so far, and how it ended. */
export class Command {
  /** @type {{ code: number | null, signal: NodeJS.Signals | null } | null} */
  ended = null;
  bytes = 0;
  #chunks = [];
  stderr = "";
  #child;

  /** `world` says where the server is, unless `env` does. */
  constructor(world, args, env = {}) {
    const own = {
      PATH: process.env.PATH,
      HOME: world.directory,
      XDG_STATE_HOME: join(world.directory, "state-home"),
      TOWNWATCH_URL: world.url,
      TOWNWATCH_API_KEY: world.secrets.TOWNWATCH_API_KEY,
    };
    this.#child = spawn(commandLine(), args, { cwd: world.directory, env: { ...own, ...env } });
    running.add(this.#child);
    this.#child.stdout.on("data", (chunk) => {
      this.#chunks.push(chunk);
      this.bytes += chunk.length;
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text) => (this.stderr += text));
    this.#child.stdin.on("error", () => {}); // it may end before it has read all
    this.#child.on("close", (code, signal) => {
      this.ended = { code, signal };
      running.delete(this.#child);
    });
  }

  get stdin() {
    return this.#child.stdin;
  }

  get stdout() {
    return Buffer.concat(this.#chunks).toString("utf8");
  }

  get lines() {
    return this.stdout.split("\n").slice(0, -1);
  }

  kill(signal) {
    this.#child.kill(signal);
  }

  /** As `| head` does when it has enough. */
  closeStdout() {
    this.#child.stdout.destroy();
  }

  until(what, predicate, ms = 20_000) {
    const describe = () => `${JSON.stringify(this.ended)}; it said ${this.stderr}; it printed ${this.stdout.slice(-500)}`;
    return until(what, () => predicate(this), ms, describe);
  }

  /** Its exit code, once it has ended. */
  async code(ms = 60_000) {
    await this.until("its end", () => this.ended, ms);
    return present(this.ended).code;
  }
}
