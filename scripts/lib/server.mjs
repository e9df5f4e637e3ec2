// A program that is meant to run on: its output with its name in front, and the wait until it answers.

import readline from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { endChild, startChild } from "./children.mjs";
import { ROOT } from "./paths.mjs";
import { Problem } from "./problem.mjs";

/** @import { Env, Variables } from "./types.d.ts" */

export class Server {
  /** @type {string[] | null} What it printed and was not shown; null from when all is shown. */
  held = [];
  /** @type {{ pattern: RegExp, resolve: (value?: unknown) => void }[]} */
  awaited = [];

  /**
   * `keep(line)`: whether a line of its output is worth showing. Until `show()` all output is held back; then `tell(line)`:
   * whether a line of it is to be shown after all.
   *
   * @param {string} name
   * @param {string} command
   * @param {readonly string[]} args
   * @param {{ env: Env, keep?: (line: string) => boolean, tell?: (line: string) => boolean }} options
   */
  constructor(name, command, args, { env, keep = () => true, tell = () => false }) {
    this.name = name;
    this.tell = tell;
    const child = startChild(command, args, { env, cwd: ROOT });
    for (const stream of [child.stdout, child.stderr]) {
      readline.createInterface({ input: stream }).on("line", (line) => {
        for (const { pattern, resolve } of this.awaited) if (pattern.test(line)) resolve();
        if (this.held) this.held.push(line);
        else if (keep(line)) this.print(line);
      });
    }
    /** @type {Promise<string>} Resolves to why it ended. */
    this.ended = new Promise((resolve) => {
      child.on("error", (error) => resolve(error.message));
      child.on("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    this.child = child;
  }

  get printed() {
    return (this.held ?? []).join("\n");
  }

  /**
   * Resolves when it says something like that from now on.
   *
   * @param {RegExp} pattern
   */
  says(pattern) {
    return new Promise((resolve) => this.awaited.push({ pattern, resolve }));
  }

  /** Ends it with all that it started. */
  async stop() {
    await endChild(this.child);
  }

  /** @param {string} line */
  print(line) {
    process.stdout.write(`[${this.name}] ${line}\n`);
  }

  /** From now on its output is shown; what it printed while starting is dropped, but for what is to be told. */
  show() {
    for (const line of (this.held ?? []).filter(this.tell)) this.print(line);
    this.held = null;
  }

  /**
   * Waits until `check()` resolves to true; refuses when the program ends first or the time is up.
   *
   * @param {() => Promise<boolean>} check
   * @param {number} seconds
   */
  async ready(check, seconds) {
    const ended = this.ended.then((why) => ({ why }));
    const deadline = Date.now() + seconds * 1000;
    while (Date.now() < deadline) {
      const answer = await Promise.race([check().catch(() => false), ended]);
      if (answer === true) return;
      if (answer) throw new Problem(`[${this.name}] ended while starting: ${answer.why}`, { output: this.printed });
      await sleep(100);
    }
    throw new Problem(`[${this.name}] did not answer within ${seconds} s`, { output: this.printed });
  }
}

/**
 * Whether a GET is answered with `status`, within 5 s.
 *
 * @param {string} url
 * @param {{ status?: number, headers?: Variables }} [options]
 */
export async function answers(url, { status = 200, headers = {} } = {}) {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
  await response.arrayBuffer();
  return response.status === status;
}
