// Each agent's latest error in its latest run, for who sees only its card.

import type { TownEvent } from "../protocol/protocol.ts";
import type { Mention } from "./digest.ts";
import { knownEvent } from "./event_shape.ts";
import { WARNING_CODE } from "./notes.ts";

/** Calls and tasks whose results are awaited; the oldest go, and then an error names no call. */
const CALLS_MAX = 256;

export class LastErrors {
  readonly #errors = new Map<string, Mention>();
  readonly #runs = new Map<string, string | undefined>();
  /** What each open call and task does, in plain words. */
  readonly #calls = new Map<string, string>();

  of(agent_id: string): Mention | null {
    return this.#errors.get(agent_id) ?? null;
  }

  /** Events that say what failed, with those that say what it was. */
  static readonly EVENTS = ["agent_error", "run_failed", "agent_tool_call", "agent_tool_result", "agent_task_started", "agent_task_ended"];

  /** An error from before the stream began; what it has told meanwhile is newer. */
  offer(error: Mention, run_id: string): void {
    const run = this.#runs.get(error.agent_id);
    if (this.#errors.has(error.agent_id) || (run !== undefined && run !== run_id)) return;
    this.#errors.set(error.agent_id, error);
    this.#runs.set(error.agent_id, run_id);
  }

  /** Whether anything changed. */
  take(event: TownEvent): boolean {
    const isForgotten = event.run_id !== this.#runs.get(event.agent_id) && this.#errors.delete(event.agent_id);
    this.#runs.set(event.agent_id, event.run_id);
    const text = this.#errorOf(event);
    if (text === null) return isForgotten;
    this.#errors.set(event.agent_id, { agent_id: event.agent_id, event_id: event.id, at: event.at, text });
    return true;
  }

  #errorOf(event: TownEvent): string | null {
    const known = knownEvent(event);
    const call = (tool_use_id: string): string => `${event.agent_id} ${event.run_id ?? ""} ${tool_use_id}`;
    switch (known?.event) {
      case "agent_error":
        return known.data.code === WARNING_CODE ? null : known.data.message;
      case "run_failed":
        return known.data.error;
      case "agent_tool_call":
        return this.#remember(call(known.data.tool_use_id), known.data.summary);
      case "agent_task_started":
        return this.#remember(call(`task ${known.data.task_id}`), known.data.description);
      case "agent_tool_result": {
        const id = call(known.data.tool_use_id);
        const summary = this.#calls.get(id);
        this.#calls.delete(id);
        if (known.data.success) return null;
        const line = known.data.content.trim().split("\n", 1)[0] ?? "";
        return summary === undefined ? line : `${summary}: ${line}`;
      }
      case "agent_task_ended": {
        const id = call(`task ${known.data.task_id}`);
        const description = this.#calls.get(id) ?? "Work in the background";
        this.#calls.delete(id);
        const { outcome, summary, exit_code } = known.data;
        if (outcome !== "failed") return null;
        return `${description}: ${summary || (typeof exit_code === "number" ? `returned ${exit_code}` : "failed")}`;
      }
      default:
        return null;
    }
  }

  #remember(id: string, words: string): null {
    this.#calls.set(id, words);
    const [oldest] = this.#calls.keys();
    if (this.#calls.size > CALLS_MAX && oldest !== undefined) this.#calls.delete(oldest);
    return null;
  }

  forget(agent_id: string): void {
    this.#errors.delete(agent_id);
    this.#runs.delete(agent_id);
  }

  clear(): void {
    this.#errors.clear();
    this.#runs.clear();
    this.#calls.clear();
  }
}
