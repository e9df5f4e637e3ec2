// How much an agent needs a person, and in which order a town shows its agents.

import type { AgentState, ExitReason } from "../protocol/protocol.ts";

/** In the order in which a person wants to see them. */
export const ATTENTIONS = ["asks", "failed", "lost", "silent", "running", "ended"] as const;
export type Attention = (typeof ATTENTIONS)[number];

/** An agent that posts and says nothing for so long is silent; the town says so after the same time. */
const SILENCE_MS = 10 * 60_000;
/** A call without a result for so long is worth a word. */
export const QUIET_CALL_MS = 5 * 60_000;

/** Whether a run is under way. */
export function atWork(agent: AgentState): boolean {
  return agent.status === "starting" || agent.status === "running" || agent.status === "waiting" || agent.status === "stopping";
}

/** Whether the run did not end well. */
export function hasFailed(agent: AgentState): boolean {
  const reason = agent.exit?.reason;
  return !atWork(agent) && (agent.status === "failed" || (reason !== undefined && isFailure(reason)));
}

/** Whether an end for this reason is a failure. */
export function isFailure(reason: ExitReason): reason is Exclude<ExitReason, "completed" | "stopped"> {
  return reason !== "completed" && reason !== "stopped";
}

/** Since when nothing was heard of an agent that should be at work; null where it is heard. */
export function silentSince(agent: AgentState, now_ms: number): string | null {
  if (!atWork(agent)) return null;
  const { activity, last_event_at, runtime } = agent;
  // Who runs in the container is heard by that; who posts from elsewhere, by its posts only.
  if (runtime !== null) return activity?.kind === "silent" ? (last_event_at ?? activity.since) : null;
  if (activity?.kind === "silent") return activity.since;
  // Who waits for a person has nothing to say.
  if (isDoneForNow(agent) || agent.questions.length > 0) return null;
  return last_event_at !== null && now_ms - Date.parse(last_event_at) >= SILENCE_MS ? last_event_at : null;
}

export function attention(agent: AgentState, now_ms: number): Attention {
  if (!atWork(agent)) return agent.exit?.reason === "lost" ? "lost" : hasFailed(agent) ? "failed" : "ended";
  // A container that is not heard can not be given an answer either.
  if (silentSince(agent, now_ms) !== null) return "silent";
  if (agent.questions.length > 0) return "asks";
  return isDoneForNow(agent) ? "asks" : "running";
}

/** Whether its turn is over and nothing of it is at work any more: no sub-agent's call, no work in the background. */
function isDoneForNow({ activity, status }: AgentState): boolean {
  return activity === null ? status === "waiting" : activity.kind === "waiting";
}

/** By need, a question before the end of a turn; among equals the newest start first, so that few cards ever move. */
export function inOrder(agents: Iterable<AgentState>, now_ms: number): AgentState[] {
  const rank = (agent: AgentState): number => ATTENTIONS.indexOf(attention(agent, now_ms));
  return [...agents].sort(
    (one, other) =>
      rank(one) - rank(other) ||
      Math.sign(other.questions.length) - Math.sign(one.questions.length) ||
      (other.started_at ?? "").localeCompare(one.started_at ?? "") ||
      one.agent_id.localeCompare(other.agent_id),
  );
}
