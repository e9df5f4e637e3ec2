// How much a new isolate has to load, how soon it answers, and what it holds with its first town.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { sleep } from "../../../tests/worker/until.mjs";
import { Connection } from "../../lib/connection.mjs";
import { now } from "../../lib/crowd.mjs";
import { OURS_WASM, RIVAL_SCRIPT, startContender } from "../lib/contenders.mjs";
import { newTown } from "../lib/towns.mjs";

const SETTLE_MS = 300;
const SIZED = { ours: OURS_WASM, rival: RIVAL_SCRIPT };

export async function start(comparison) {
  const sizes = await comparison.pairs(1, async (name) => ({ kb: gzipSync(readFileSync(SIZED[name]), { level: 9 }).length / 1e3 }));
  comparison.row("our WASM, the rival's script, gzipped", sizes, "kb", { better: "less", unit: "kB", isExact: true, target: { of: "ours", bound: 380 } });
  const pairs = await comparison.pairs(comparison.count(8, 3), cold);
  comparison.row("first answer of a cold isolate", pairs, "health_ms", { better: "less", unit: "ms", target: { of: "ours", bound: 20 } });
  comparison.row("first town of a cold isolate, with rig and agent", pairs, "town_ms", { better: "less", unit: "ms" });
  comparison.row("memory with the first town", pairs, "memory_mb", { better: "less", unit: "MB", target: { of: "ours", bound: 55 } });
}

async function cold(name) {
  const world = await startContender(name);
  try {
    const connection = await Connection.open(world);
    const asked = now();
    const { status, text } = await connection.request("GET", "/health", undefined);
    const answered = now();
    connection.close();
    if (status !== 200) throw new Error(`GET /health: ${status} ${text}`);
    const town = await newTown(world);
    const town_ms = now() - answered;
    town.connection.close();
    await sleep(SETTLE_MS);
    return { health_ms: answered - asked, town_ms, memory_mb: world.worker.memory_bytes() / 1e6 };
  } finally {
    await world.stop();
  }
}
