// Where a program and all that it has started listen: read from the kernel's tables, so that nothing is left out that nobody
// thought of. On Linux.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** `{pid, program, address, port}` of each TCP socket on which `root` or one of its descendants listens. */
export function listenersOf(root) {
  const sockets = listening();
  return familyOf(root).flatMap(({ pid, program }) => {
    const held = socketsOf(pid).filter((inode) => sockets.has(inode));
    return held.map((inode) => ({ pid, program, ...sockets.get(inode) }));
  });
}

/** A process, what it started, and what is in a process group that one of these leads, though its parent may have gone. */
function familyOf(root) {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap(look);
  const family = new Set([root]);
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const { pid, parent, group } of all) if (family.has(parent) || family.has(group)) family.add(pid);
  }
  return all.filter(({ pid }) => family.has(pid));
}

function look(name) {
  // After the name in parentheses: state, parent, group.
  const [, program, rest] = /^\d+ \((.*)\) (.*)$/s.exec(quietly(() => readFileSync(`/proc/${name}/stat`, "utf8"), "")) ?? [];
  if (rest === undefined) return [];
  const [, parent, group] = rest.split(" ").map(Number);
  return [{ pid: Number(name), program, parent, group }];
}

function socketsOf(pid) {
  const links = quietly(() => readdirSync(`/proc/${pid}/fd`), []).map((fd) => quietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`), ""));
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
}

/** The address and port of each listening socket by its inode. In the tables `0A` is LISTEN, and addresses are hexadecimal. */
function listening() {
  const found = new Map();
  for (const table of ["tcp", "tcp6"]) {
    const lines = quietly(() => readFileSync(`/proc/net/${table}`, "utf8"), "").split("\n").slice(1);
    for (const [, local, , state, , , , , , inode] of lines.map((line) => line.trim().split(/\s+/))) {
      if (state !== "0A") continue;
      const [address, port] = local.split(":");
      found.set(inode, { address: address === "0100007F" ? "127.0.0.1" : address, port: Number.parseInt(port, 16) });
    }
  }
  return found;
}

/** What is gone by now tells nothing. */
function quietly(read, otherwise) {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
