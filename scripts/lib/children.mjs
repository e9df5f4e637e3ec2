// Processes that are started here, each with everything it starts in turn, and the promise that none outlives us.

import { spawn, spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** @import { Env } from "./types.d.ts" */

/** @typedef {import("node:child_process").ChildProcessByStdio<null, import("node:stream").Readable, import("node:stream").Readable>} Child */

/** The control server gives its agents 5 s to end and then kills them; it must live to do that. */
const KILL_AFTER_MS = 8_000;
/** @type {Set<Child>} */
const running = new Set();
/** @type {(() => unknown)[]} */
const afterwards = [];
/** @type {Promise<void> | undefined} */
let ending;

/**
 * Starts a process at the head of a process group of its own, so that all its descendants can be ended with it.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env: Env, cwd: string }} options
 * @returns {Child}
 */
export function startChild(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"], detached: true });
  running.add(child);
  // A server may leave descendants behind; what ended cleanly does not.
  child.on("exit", (code) => code === 0 && running.delete(child));
  child.on("error", () => running.delete(child));
  return child;
}

/** Whether everything is being ended, so that an end is no news. */
export const isEnding = () => ending !== undefined;

/**
 * What is to be done when everything has been ended: of what a process group does not hold.
 *
 * @param {() => unknown} work
 */
export const whenAllHaveEnded = (work) => afterwards.push(work);

/** Ends every process group that was started: SIGTERM, and SIGKILL for what is left after 8 s. */
export function endAllChildren() {
  ending ??= Promise.all([...running].map(endGroup)).then(() => afterwards.forEach((work) => work()));
  return ending;
}

/**
 * Ends everything and then this process when it is told to stop; a second signal kills at once.
 * `codeFor(signalNumber)` is the exit code.
 */
export function endWithSignals(codeFor = (/** @type {number} */ number) => 128 + number) {
  for (const [signal, number] of /** @type {const} */ ([["SIGHUP", 1], ["SIGINT", 2], ["SIGTERM", 15]])) {
    process.on(signal, async () => {
      if (ending) for (const child of running) signalGroup(child.pid, "SIGKILL");
      await endAllChildren();
      process.exit(codeFor(number));
    });
  }
  // Whoever read our output is gone (`npm run dev | head`): nobody would see us go on.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.kill(process.pid, "SIGHUP"));
  endWithNpm();
}

/**
 * npm may be killed without a word to its script; then this process gets another parent. (That is why package.json says
 * `exec`: the shell in between would stay.)
 */
function endWithNpm() {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && process.kill(process.pid, "SIGHUP"), 1_000).unref();
}

/**
 * Ends one of them with its group.
 *
 * @param {Child} child
 */
export async function endChild(child) {
  await endGroup(child);
  running.delete(child);
}

/** @param {Child} child */
async function endGroup(child) {
  const deadline = Date.now() + KILL_AFTER_MS;
  signalGroup(child.pid, "SIGTERM");
  while (Date.now() < deadline) {
    if (!groupLives(child.pid)) return;
    await sleep(50);
  }
  signalGroup(child.pid, "SIGKILL");
}

/**
 * @param {number | undefined} pid
 * @param {NodeJS.Signals | 0} signal
 */
function signalGroup(pid, signal) {
  if (pid === undefined) return false;
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** @param {number | undefined} pid */
function groupLives(pid) {
  if (!signalGroup(pid, 0)) return false;
  // The dead that nobody has buried yet count as members, but not here. Without `ps` everyone counts.
  const { stdout } = spawnSync("ps", ["-A", "-o", "pgid=,stat="], { encoding: "utf8" });
  if (!stdout) return true;
  return stdout.split("\n").some((line) => {
    const [group, state] = line.trim().split(/\s+/);
    return Number(group) === pid && !state.startsWith("Z");
  });
}
