// Who holds a port: another program, another `npm run dev` of this folder, or what one of these left behind when it was
// killed. Only the last is ended here, and only when somebody says so.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { DEV_CONTROL_SERVER, DEV_WORKER, inRoot } from "./paths.mjs";

/** As long as the control server may take to end its agents, and then some. */
const END_MS = 10_000;

/** The programs that `npm run dev` starts: the Worker's, wrangler's runtime, and the control server. */
const OURS = [DEV_CONTROL_SERVER, DEV_WORKER, ...["wrangler/", "workerd/", "@cloudflare/workerd-"].map((name) => inRoot("node_modules", name))];
/** @param {string} command */
const isOurs = (command) => OURS.some((path) => command.includes(path));

/**
 * `{pid, group, command, isLeft, dev}` of the process that listens there: whether it was left behind, and the
 * process of the `npm run dev` that it belongs to. Undefined where this system does not tell.
 *
 * @param {number} port
 */
export function holderOf(port) {
  const pid = byLsof(port) ?? byProc(port);
  const holder = pid && look(pid);
  if (!holder) return undefined;
  const { group, command } = holder;
  // What we start is at the head of a group of its own; whoever started that is its parent.
  const head = look(group);
  const parent = head && look(head.parent);
  const dev = parent && isDevelopment(parent.pid) ? parent.pid : undefined;
  // What lost its parent has the system's as one. A test's runtime, say, still has the test's.
  const isStarted = /(^|\/)node( |$)/.test(parent?.command ?? "");
  return { pid, group, command, dev, isLeft: isOurs(command) && !isStarted };
}

/**
 * Whether a process is an `npm run dev`; also where that cannot be told, so that nobody's is taken for left.
 *
 * @param {number} pid
 */
export const isDevelopment = (pid) => look(pid)?.command.includes("scripts/dev.mjs") ?? look(process.pid) === undefined;

/**
 * Ends what was left behind: all that was started with it. True once nothing of it is there any more.
 *
 * @param {{ group: number }} options
 */
export async function endLeft({ group }) {
  for (const [signal, ms] of /** @type {const} */ ([["SIGTERM", END_MS], ["SIGKILL", 2_000]])) {
    signalGroup(group, signal);
    for (const deadline = Date.now() + ms; Date.now() < deadline; await sleep(50)) {
      if (!signalGroup(group, 0)) return true;
    }
  }
  return false;
}

/** @param {number} pid */
function look(pid) {
  const { stdout } = spawnSync("ps", ["-ww", "-o", "ppid=,pgid=,command=", "-p", String(pid)], { encoding: "utf8" });
  const [, parent, group, command] = /^\s*(\d+)\s+(\d+)\s+(.+)$/m.exec(stdout ?? "") ?? [];
  return parent === undefined ? undefined : { pid: Number(pid), parent: Number(parent), group: Number(group), command };
}

/** @param {number} port */
function byLsof(port) {
  const { stdout } = spawnSync("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fp"], { encoding: "utf8" });
  const pid = /^p(\d+)$/m.exec(stdout ?? "")?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/**
 * Linux without `lsof`: the socket by its port, the process by the socket.
 *
 * @param {number} port
 */
function byProc(port) {
  const sockets = new Set(["tcp", "tcp6"].flatMap((table) => listening(table, port)));
  for (const pid of sockets.size === 0 ? [] : list("/proc").filter((name) => /^\d+$/.test(name))) {
    if (list(`/proc/${pid}/fd`).some((fd) => sockets.has(link(`/proc/${pid}/fd/${fd}`)))) return Number(pid);
  }
  return undefined;
}

/**
 * In the kernel's table `0A` is LISTEN; the port is hexadecimal, `0100007F:2253`.
 *
 * @param {string} table
 * @param {number} port
 */
function listening(table, port) {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = quietly(() => readFileSync(`/proc/net/${table}`, "utf8"), "").split("\n");
  const fields = lines.map((line) => line.trim().split(/\s+/)).filter((field) => field[1]?.endsWith(wanted) && field[3] === "0A");
  return fields.map((field) => `socket:[${field[9]}]`);
}

/** @param {string} folder */
const list = (folder) => quietly(() => readdirSync(folder), []);
/** @param {string} path */
const link = (path) => quietly(() => readlinkSync(path), "");

/**
 * @param {number} group
 * @param {NodeJS.Signals | 0} signal
 */
function signalGroup(group, signal) {
  return quietly(() => process.kill(-group, signal), false);
}

/**
 * What is gone by now, or another user's, tells nothing.
 *
 * @template T
 * @param {() => T} read
 * @param {T} otherwise
 */
function quietly(read, otherwise) {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
