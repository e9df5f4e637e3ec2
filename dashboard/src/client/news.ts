// What a person wants to be told who is elsewhere: that a run asks, fails or ends.

import type { AgentState } from "../protocol/protocol.ts";
import { atWork, hasFailed } from "./attention.ts";

export interface News {
  readonly kind: "asks" | "failed" | "ended";
  readonly agent: AgentState;
}

/** Between two states of an agent; `before` is null for one that was not there until now. */
export function newsOf(before: AgentState | null, after: AgentState): News | null {
  const isOtherRun = before?.run_id !== after.run_id;
  const known = new Set(isOtherRun ? [] : before?.questions.map(({ request_id }) => request_id));
  if (after.questions.some(({ request_id }) => !known.has(request_id))) return { kind: "asks", agent: after };
  const hasEnded = !atWork(after) && after.exit !== null && (isOtherRun || (before !== null && atWork(before)));
  if (!hasEnded) return null;
  return { kind: hasFailed(after) ? "failed" : "ended", agent: after };
}
