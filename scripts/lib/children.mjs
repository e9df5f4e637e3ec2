// Processes that are started here, each with everything it starts in turn, and the promise that none outlives us.

import { spawn, spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** The control server gives its agents 5 s to end and then kills them; it must live to do that. */
const KILL_AFTER_MS = 8_000;
const running = new Set();
const afterwards = [];
let ending;

/** Starts a process at the head of a process group of its own, so that all its descendants can be ended with it. */
export function startChild(command, args, options) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options, detached: true });
  running.add(child);
  // A server may leave descendants behind; what ended cleanly does not.
  child.on("exit", (code) => code === 0 && running.delete(child));
  child.on("error", () => running.delete(child));
  return child;
}

/** Whether everything is being ended, so that an end is no news. */
export const isEnding = () => ending !== undefined;

/** What is to be done when everything has been ended: of what a process group does not hold. */
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
export function endWithSignals(codeFor = (number) => 128 + number) {
  for (const [signal, number] of [["SIGHUP", 1], ["SIGINT", 2], ["SIGTERM", 15]]) {
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

/** Ends one of them with its group. */
export async function endChild(child) {
  await endGroup(child);
  running.delete(child);
}

async function endGroup(child) {
  const deadline = Date.now() + KILL_AFTER_MS;
  signalGroup(child.pid, "SIGTERM");
  while (Date.now() < deadline) {
    if (!groupLives(child.pid)) return;
    await sleep(50);
  }
  signalGroup(child.pid, "SIGKILL");
}

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

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
