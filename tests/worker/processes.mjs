// Processes that tests start: each in a group of its own, so that its children go with it, and none outlives the
// test, however that ends.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { present } from "../present.mjs";
import { until } from "./until.mjs";

const LOG_CHARS_KEPT = 200_000;
const running = new Set();
const directories = new Set();

process.on("exit", () => {
  for (const child of running) child.signal("SIGKILL");
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

/** A directory that goes when the test ends. */
export function temporaryDirectory() {
  const directory = mkdtempSync(join(tmpdir(), "townwatch-test-"));
  directories.add(directory);
  return directory;
}

/**
 * A port of 127.0.0.1 that nobody listens on now. Below those that the system hands out by itself (32,768 and up on Linux):
 * one of them may be some connection's before whoever asked here listens on it.
 */
export async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    if (await isFree(port)) return port;
  }
}

/** Whether nobody listens on a port. @param {number} port */
export const isFree = (port) =>
  new Promise((resolve) => {
    const server = net.createServer().unref();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

/** The resident memory of the processes of one name in a group, in bytes; undefined where `/proc` does not tell. */
export function memoryOf(name, group) {
  let bytes;
  for (const pid of existsSync("/proc/self/stat") ? readdirSync("/proc").filter((entry) => /^\d+$/.test(entry)) : []) {
    try {
      // After the name in parentheses: state, parent, group.
      const [, command, rest] = present(/^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")));
      if (command !== name || Number(rest.split(" ")[2]) !== group) continue;
      bytes = (bytes ?? 0) + 1024 * Number(present(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")))[1]);
    } catch {
      // It ended meanwhile.
    }
  }
  return bytes;
}

export class Process {
  /** What it printed, both streams, the latest part. */
  log = "";
  ended = null;
  #child;

  /**
   * @param {string} command
   * @param {string[]} args
   * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} options
   */
  constructor(command, args, { cwd, env = {} }) {
    this.name = command.split("/").at(-1);
    this.#child = spawn(command, args, {
      cwd,
      detached: true,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(this);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => {
        this.log = (this.log + text).slice(-LOG_CHARS_KEPT);
      });
    }
    const end = (how) => {
      this.ended ??= how;
      running.delete(this);
    };
    this.#child.on("exit", (code, signal) => end(`ended with ${signal ?? code}`));
    this.#child.on("error", (error) => end(`could not start: ${error.message}`));
  }

  /** Waits for what shows that it works; gives up at once when it has ended. */
  async ready(what, predicate, ms) {
    const words = () => `; ${this.ended ?? "still running"}; it printed:\n${this.log.slice(-4000)}`;
    const alive = async () => {
      if (this.ended !== null) throw new Error(`${this.name} ${this.ended} before ${what}; it printed:\n${this.log}`);
      return predicate();
    };
    return until(`${this.name}: ${what}`, alive, ms, words);
  }

  /** The processes of its group: itself and its children. */
  get group() {
    return this.#child.pid;
  }

  /** To the whole group. */
  signal(signal) {
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // All of it has gone already.
    }
  }

  /** Ends the group, by default as a power cut does, and waits until it is gone. */
  async kill(signal = "SIGKILL") {
    this.signal(signal);
    await until(`${this.name} to end after ${signal}`, () => this.ended, 10_000);
    this.signal("SIGKILL"); // children that outlived it
  }
}
