// By what an event is known again: which call or question of which run it belongs to, and which calls do the same.

import type { TownEvent } from "../protocol/protocol.ts";

/** Ids of calls and questions are only unique within a run. */
export function inRun(event: TownEvent, id: string): string {
  return `${event.agent_id} ${event.run_id ?? ""} ${id}`;
}

/** Whether a run begins so; with anything else its start may be gone. */
export function beginsRun({ event }: TownEvent): boolean {
  return event === "agent.status" || event === "agent_session" || event === "run_started" || event === "user_message";
}

export function idOf(event: TownEvent, id: string | null | undefined): string | null {
  return id ? inRun(event, id) : null;
}

/** The same for calls that do the same. */
export function callName(tool: string, input: unknown): string {
  return `${tool} ${JSON.stringify(input) ?? ""}`;
}
