// From a line on an agent's stdout to a viewer: ours by the control server, the rival by asking a small container every 500 ms.

import WebSocket from "ws";

import { until } from "../../../tests/worker/until.mjs";
import { now } from "../../lib/crowd.mjs";
import { startContender } from "../lib/contenders.mjs";
import { cpuSecondsOf } from "../lib/machine.mjs";
import { quantile } from "../lib/numbers.mjs";
import { SmallContainer } from "../lib/small_container.mjs";

const LINES = 400;
const LINES_PER_SECOND = 50;
const LATE_MS_MAX = 10_000;

/** What the agent runs: each line says when it was printed. */
const PROGRAM = `
  const began = performance.now();
  let line = 0;
  (function next() {
    while (performance.now() >= began + line * ${1_000 / LINES_PER_SECOND}) {
      console.log(JSON.stringify({ printed: performance.timeOrigin + performance.now() }));
      if (++line === ${LINES}) return;
    }
    setTimeout(next, began + line * ${1_000 / LINES_PER_SECOND} - performance.now());
  })();
`;
const COMMAND = [process.execPath, "-e", PROGRAM];

export async function stdout(comparison) {
  const pairs = await comparison.pairs(4, (name) => (name === "ours" ? ours() : rival()));
  const target = { of: "ratio", bound: 1 / 40 };
  comparison.row("stdout to a viewer, p50", pairs, "p50", { better: "less", unit: "ms", target });
  comparison.row("stdout to a viewer, p99", pairs, "p99", { better: "less", unit: "ms", target });
  comparison.row("stdout to a viewer, CPU of the Worker", pairs, "worker_ms", { better: "less", unit: "ms/line" });
  comparison.row("stdout to a viewer, CPU of the container", pairs, "container_ms", { better: "less", unit: "ms/line" });
}

async function ours() {
  const world = await startContender("ours", { control: true });
  try {
    return await measured(world, world.control.pid, () => {});
  } finally {
    await world.stop();
  }
}

async function rival() {
  const container = await SmallContainer.start();
  const world = await startContender("rival", { vars: { CONTAINER_URL: container.url } });
  try {
    return await measured(world, container.pid, (agent_id) => container.run(agent_id, COMMAND));
  } finally {
    await world.stop();
    container.stop();
  }
}

/** `begin` starts the agent where the Worker's own order does not. */
async function measured(world, container_pid, begin) {
  const town = await world.town();
  const viewer = await watched(world, town);
  const [worker, container] = [world.worker.cpu_seconds(), cpuSecondsOf(container_pid)];
  const agent_id = "demo";
  await world.startAgent(town, { agent_id, runtime: "process", command: COMMAND });
  begin(agent_id);
  await until("all lines", () => viewer.waits.length >= LINES, (LINES / LINES_PER_SECOND) * 1_000 + LATE_MS_MAX, () => `${viewer.waits.length} came`);
  const per_line = (seconds) => (seconds * 1_000) / LINES;
  viewer.cut();
  return {
    p50: quantile(viewer.waits, 0.5),
    p99: quantile(viewer.waits, 0.99),
    worker_ms: per_line(world.worker.cpu_seconds() - worker),
    container_ms: per_line(cpuSecondsOf(container_pid) - container),
  };
}

/** A viewer that knows how long each line took. */
async function watched(world, { stream }) {
  const waits = [];
  const headers = { authorization: `Bearer ${world.secrets.TOWNWATCH_API_KEY}` };
  const socket = new WebSocket(`${world.url.replace("http", "ws")}${stream}?after_id=0`, { headers });
  socket.on("message", (data) => {
    const at = now();
    const frame = JSON.parse(String(data));
    if (frame.type !== "events") return;
    for (const { data } of frame.events.filter(({ event }) => event === "agent_output")) {
      for (const text of data.text.split("\n").filter((text) => text.startsWith("{"))) waits.push(at - JSON.parse(text).printed);
    }
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return { waits, cut: () => socket.terminate() };
}
