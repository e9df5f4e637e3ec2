// What else the machine does meanwhile. On Linux: elsewhere it does not tell, and nothing counts as quiet.

import { existsSync, readFileSync } from "node:fs";
import { loadavg } from "node:os";

import { childrenOf, TICKS_PER_SECOND } from "../../../tests/worker/bare_worker.mjs";
import { sleep } from "../../../tests/worker/until.mjs";

/** Others may take so much of the machine's CPU time, and it is quiet. */
export const QUIET_SHARE = 0.1;
const LOOK_MS = 400;
const QUIET_TRIES = 10;

/** CPU time of a process, its own and that of its children that have ended, in ticks; none where it has ended itself. */
function ticksOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").slice(-1)[0].split(" ");
    const [user, system, children_user, children_system] = fields.slice(11, 15).map(Number);
    return { own: user + system, children: children_user + children_system };
  } catch {
    return { own: 0, children: 0 };
  }
}

/** CPU time of a process without its children, in seconds. */
export const cpuSecondsOf = (pid) => ticksOf(pid).own / TICKS_PER_SECOND;

/** A process and all that descend from it. */
function familyOf(pid) {
  try {
    return [pid, ...childrenOf(pid).flatMap(familyOf)];
  } catch {
    return [];
  }
}

/** The machine's ticks so far: all, those in which a program ran (a neighbour of this virtual machine, too), and our own. */
function look() {
  if (!existsSync("/proc/stat")) return null;
  const line = readFileSync("/proc/stat", "utf8").split("\n", 1)[0];
  const [user, nice, system, idle, wait, interrupts, soft_interrupts, stolen] = line.trim().split(/\s+/).slice(1).map(Number);
  const busy = user + nice + system + stolen;
  const own = familyOf(process.pid).map(ticksOf).reduce((sum, { own, children }) => sum + own + children, 0);
  return { all: busy + idle + wait + interrupts + soft_interrupts, busy, own };
}

/** Runs `work`; gives what it gives and the share of the machine's CPU time that others took meanwhile. */
export async function besideOthers(work) {
  const before = look();
  const value = await work();
  const after = look();
  if (before === null || after === null) return { value, others: 1 };
  const others = after.busy - before.busy - (after.own - before.own);
  return { value, others: Math.max(0, others) / Math.max(1, after.all - before.all) };
}

/** Waits until others leave the machine alone, or for four seconds. */
export async function untilQuiet() {
  for (let tries = 0; tries < QUIET_TRIES; tries += 1) {
    const { others } = await besideOthers(() => sleep(LOOK_MS));
    if (others <= QUIET_SHARE) return;
  }
}

/** The load average of the last minute. Our own work is in it. */
export const load = () => loadavg()[0];
