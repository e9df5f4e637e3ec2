// The process of a crowd: it holds the sockets, so that what measures is not what is measured. See crowd.mjs.

import { forgetFrames, LightViewer } from "./light_viewer.mjs";

const OPENING_AT_ONCE = 100;
const STEPS_PER_MS = 100;
const LATENCY_MS_MAX = 60_000;

const viewers = [];
let latencies = new Uint32Array(STEPS_PER_MS * LATENCY_MS_MAX);
/** When the latest event came to any of them. */
let last_at = 0;

const now = () => performance.timeOrigin + performance.now();

function count(_viewer, sent) {
  last_at = now();
  for (const one of sent) {
    if (one === undefined) continue;
    const step = Math.min(Math.max(Math.round((last_at - one) * STEPS_PER_MS), 0), latencies.length - 1);
    latencies[step] += 1;
  }
}

const answers = {
  /** Opens one viewer for each of `cursors`; gives how long it took until all of them had caught up. */
  async open({ urls, headers, cursors, acknowledges }) {
    const began = now();
    let next = 0;
    const opened = [];
    const lane = async () => {
      while (next < cursors.length) {
        const index = next++;
        const caughtUp = new Promise((resolve) => {
          const viewer = new LightViewer({ acknowledges, onEvents: count, onCaughtUp: resolve });
          viewers.push(viewer);
          opened.push(viewer.open(urls[index % urls.length], { headers, after_id: cursors[index] }));
        });
        await opened.at(-1);
        opened.push(caughtUp);
      }
    };
    await Promise.all(Array.from({ length: Math.min(OPENING_AT_ONCE, cursors.length) }, lane));
    await Promise.all(opened);
    return { took_ms: now() - began };
  },

  progress() {
    const problems = viewers.flatMap((viewer) => [...viewer.problems, ...(viewer.closed === null ? [] : [viewer.closed])]);
    const lasts = viewers.map(({ last }) => last);
    const bytes = viewers.reduce((sum, viewer) => sum + viewer.bytes, 0);
    const events = viewers.reduce((sum, viewer) => sum + viewer.events, 0);
    return { viewers: viewers.length, slowest: Math.min(...lasts), problems: problems.slice(0, 5), count: problems.length, bytes, events, last_at };
  },

  /** The latencies since the last time, as quantiles in milliseconds. */
  latencies({ quantiles }) {
    const total = latencies.reduce((sum, one) => sum + one, 0);
    const found = quantiles.map((quantile) => {
      let [seen, step] = [0, -1];
      while (seen < quantile * total) seen += latencies[++step];
      return step / STEPS_PER_MS;
    });
    latencies = new Uint32Array(latencies.length);
    return { total, found };
  },

  leave() {
    for (const viewer of viewers.splice(0)) viewer.cut();
    forgetFrames();
  },
};

process.on("message", async (/** @type {any} */ { id, ask, wish }) => {
  try {
    process.send?.({ id, answer: await answers[ask](wish) });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? error.stack : String(error) });
  }
});
process.on("disconnect", () => process.exit());
