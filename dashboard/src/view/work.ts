// Has the worker do something, and remembers what came of it: a row that comes into sight again is there at once.

import { useEffect, useState } from "preact/hooks";
import type { Request, Response, Results, Work } from "../worker/messages.ts";

/** Longer texts are shown as they are. */
const CHARACTERS_MAX = 200_000;
/** A worker that takes longer was given something made to never end: another takes its place. */
const PATIENCE_MS = 4_000;
const REMEMBERED_MAX = 500;

const remembered = new Map<string, Results[keyof Results] | null>();
const waiting = new Map<number, (result: Results[keyof Results] | null) => void>();
let worker: Worker | null = null;
let newest_id = 0;

function hire(): Worker {
  const hired = new Worker(new URL("../worker/worker.ts", import.meta.url), { type: "module" });
  hired.addEventListener("message", ({ data }: MessageEvent<Response>) => {
    waiting.get(data.id)?.(data.result);
    waiting.delete(data.id);
  });
  hired.addEventListener("error", () => dismiss());
  return hired;
}

/** All that waits is left as it is. */
function dismiss(): void {
  worker?.terminate();
  worker = null;
  for (const resolve of waiting.values()) resolve(null);
  waiting.clear();
}

function ask(work: Work): Promise<Results[keyof Results] | null> {
  worker ??= hire();
  newest_id += 1;
  const request: Request = { id: newest_id, work };
  return new Promise((resolve) => {
    const timer = setTimeout(dismiss, PATIENCE_MS);
    waiting.set(request.id, (result) => {
      clearTimeout(timer);
      resolve(result);
    });
    worker?.postMessage(request);
  });
}

/** What came of the work; null until then, where it fails, and where the text is too long for it. */
export function useWork<Kind extends Work["kind"]>(work: Work & { readonly kind: Kind }): Results[Kind] | null {
  const key = Object.values(work).join("\0");
  const [, setDone] = useState("");
  useEffect(() => {
    if (remembered.has(key) || key.length > CHARACTERS_MAX) return;
    let isCurrent = true;
    void ask(work).then((result) => {
      remembered.set(key, result);
      const [oldest] = remembered.keys();
      if (remembered.size > REMEMBERED_MAX && oldest !== undefined) remembered.delete(oldest);
      if (isCurrent) setDone(key);
    });
    return () => {
      isCurrent = false;
    };
  }, [key]);
  return (remembered.get(key) ?? null) as Results[Kind] | null;
}
