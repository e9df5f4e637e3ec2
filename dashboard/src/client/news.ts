// What a person wants to be told who is elsewhere: that a run asks, fails or ends.

import type { AgentState } from "../protocol/protocol.ts";
import { attention, atWork } from "./attention.ts";

export interface News {
  readonly kind: "asks" | "failed" | "ended";
  readonly agent: AgentState;
}

/** Between two states of an agent; the first one that is heard of is no news. */
export function newsOf(before: AgentState | undefined, after: AgentState): News | null {
  if (before === undefined) return null;
  const asked = after.question?.request_id;
  if (asked !== undefined && (asked !== before.question?.request_id || before.run_id !== after.run_id)) return { kind: "asks", agent: after };
  const hasEnded = !atWork(after) && after.exit !== null && (atWork(before) || before.run_id !== after.run_id);
  if (!hasEnded) return null;
  return { kind: attention(after) === "ended" ? "ended" : "failed", agent: after };
}
