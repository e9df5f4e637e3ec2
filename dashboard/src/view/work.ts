// Has the worker do something, and remembers what came of it: a row that comes into sight again is there at once.

import { useEffect, useState } from "preact/hooks";
import type { Request, Response, Results, Work } from "../worker/messages.ts";
import { workerAddress } from "./worker_address.ts";

/** Longer texts are shown as they are. Whether a text is JSON is told fast. */
const CHARACTERS_MAX: Readonly<Record<Work["kind"], number>> = { markdown: 200_000, highlight: 200_000, diff: 200_000, json: 4_000_000 };
/** A worker that takes longer was given something made to never end: another takes its place. */
const PATIENCE_MS = 1_500;
/** Its first answer also waits for its code to come over the network. */
const START_PATIENCE_MS = 20_000;
const REMEMBERED_MAX = 500;
const REMEMBERED_CHARACTERS_MAX = 32_000_000;

type Result = Results[keyof Results] | null;

interface Job {
  readonly request: Request;
  readonly done: (result: Result) => void;
}

const remembered = new Map<string, Result>();
let remembered_characters = 0;
const queue: Job[] = [];
let worker: Worker | null = null;
let hasAnswered = false;
let newest_id = 0;
/** What the worker is at: one thing at a time, so that what never ends is known and takes nothing with it. */
let current: Job | null = null;
let timer = 0;

function ask(work: Work): Promise<Result> {
  newest_id += 1;
  const request: Request = { id: newest_id, work };
  return new Promise((done) => {
    queue.push({ request, done });
    next();
  });
}

function next(): void {
  if (current !== null) return;
  current = queue.shift() ?? null;
  if (current === null) return;
  try {
    worker ??= hire();
    worker.postMessage(current.request);
    timer = setTimeout(giveUp, hasAnswered ? PATIENCE_MS : START_PATIENCE_MS);
  } catch {
    // A browser that gives no worker shows every text as it is.
    finish(null);
  }
}

function hire(): Worker {
  const hired = new Worker(workerAddress(), { type: "module" });
  hired.addEventListener("message", ({ data }: MessageEvent<Response>) => {
    hasAnswered = true;
    if (data.id === current?.request.id) finish(data.result);
  });
  hired.addEventListener("error", giveUp);
  return hired;
}

function giveUp(): void {
  worker?.terminate();
  worker = null;
  hasAnswered = false;
  finish(null);
}

function finish(result: Result): void {
  clearTimeout(timer);
  current?.done(result);
  current = null;
  next();
}

function remember(key: string, result: Result): void {
  if (!remembered.has(key)) remembered_characters += key.length;
  remembered.set(key, result);
  for (const oldest of remembered.keys()) {
    if (remembered.size <= REMEMBERED_MAX && remembered_characters <= REMEMBERED_CHARACTERS_MAX) break;
    remembered.delete(oldest);
    remembered_characters -= oldest.length;
  }
}

/** What came of the work; null without any, until then, where it fails, and where the text is too long for it. */
export function useWork<Kind extends Work["kind"]>(work: (Work & { readonly kind: Kind }) | null): Results[Kind] | null {
  const key = work === null ? "" : Object.values(work).join("\0");
  const [, setDone] = useState("");
  useEffect(() => {
    if (work === null || remembered.has(key) || key.length > CHARACTERS_MAX[work.kind]) return;
    let isCurrent = true;
    void ask(work).then((result) => {
      remember(key, result);
      if (isCurrent) setDone(key);
    });
    return () => {
      isCurrent = false;
    };
  }, [key]);
  return (remembered.get(key) ?? null) as Results[Kind] | null;
}
