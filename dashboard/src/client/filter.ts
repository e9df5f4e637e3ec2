// Which rows a reader wants to see.

import type { Row, Task } from "./row.ts";
import { hasFailed } from "./row.ts";

export const KINDS = ["text", "thinking", "tool", "lines", "file", "question", "error", "system"] as const;
export type Kind = (typeof KINDS)[number];
export const STATUSES = ["succeeded", "failed", "running"] as const;
export type CallStatus = (typeof STATUSES)[number];

/** Empty fields let all pass. */
export interface Filter {
  /** Also the machinery: status, session, usage, progress. */
  readonly system: boolean;
  readonly kinds: readonly Kind[];
  readonly tools: readonly string[];
  readonly status: CallStatus | null;
  /** A part of a path, in any case. */
  readonly path: string;
  readonly run_id: string | null;
}

export const NO_FILTER: Filter = { system: false, kinds: [], tools: [], status: null, path: "", run_id: null };

/** Whether it leaves out more than the machinery and other runs. */
export function isNarrow(filter: Filter): boolean {
  return filter.kinds.length > 0 || filter.tools.length > 0 || filter.status !== null || filter.path !== "";
}

export function kindOf(row: Row): Kind {
  if (row.system) return "system";
  switch (row.kind) {
    case "say":
      return row.voice === "assistant" ? "text" : "thinking";
    case "user":
      return "text";
    case "lines":
      return "lines";
    case "call":
    case "task":
    case "result":
      return "tool";
    case "question":
      return "question";
    case "note":
      if (row.icon === "file") return "file";
      return row.tone === "bad" || row.tone === "warning" ? "error" : "system";
    case "end":
      return row.tone === "bad" ? "error" : "system";
    default:
      return "system";
  }
}

export function statusOf(row: Row): CallStatus | null {
  if (row.kind === "result") return row.result.success ? "succeeded" : "failed";
  if (row.kind === "task") return statusOfTask(row.task);
  if (row.kind !== "call") return null;
  if (row.outcome === "open") return "running";
  const running = row.tasks.some(({ end }) => end === null);
  if (running && !hasFailed(row)) return "running";
  return typeof row.outcome === "object" && !hasFailed(row) ? "succeeded" : "failed";
}

function statusOfTask({ end }: Task): CallStatus {
  if (end === null) return "running";
  return end.outcome === "completed" ? "succeeded" : "failed";
}

/** The files that it is about. */
export function pathsOf(row: Row): readonly string[] {
  if (row.kind === "note") return row.file === undefined ? [] : [row.file.path];
  if (row.kind !== "call") return [];
  return [...(row.path === undefined ? [] : [row.path]), ...row.files.map((file) => file.path)];
}

export function passes(row: Row, filter: Filter): boolean {
  // What is missing is said whatever one looks for.
  if (row.kind === "gap") return true;
  if (filter.run_id !== null && row.run_id !== filter.run_id) return false;
  if (row.system && !filter.system && !filter.kinds.includes("system")) return false;
  if (!isNarrow(filter)) return true;
  if (filter.kinds.length > 0 && !filter.kinds.includes(kindOf(row))) return false;
  if (filter.tools.length > 0 && !(row.kind === "call" && filter.tools.includes(row.tool))) return false;
  if (filter.status !== null && statusOf(row) !== filter.status) return false;
  const part = filter.path.toLowerCase();
  return part === "" || pathsOf(row).some((path) => path.toLowerCase().includes(part));
}
