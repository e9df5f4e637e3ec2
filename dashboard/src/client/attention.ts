// How much an agent needs a person, and in which order a town shows its agents.

import type { AgentState, ExitReason } from "../protocol/protocol.ts";

/** In the order in which a person wants to see them. */
export const ATTENTIONS = ["asks", "failed", "lost", "silent", "running", "ended"] as const;
export type Attention = (typeof ATTENTIONS)[number];

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

/**
 * Since when nothing was heard of an agent that should be at work; null where it is heard. Only the town can tell: an agent
 * that has nothing to post says all the same that it is there.
 */
export function silentSince(agent: AgentState): string | null {
  const { activity, last_event_at, runtime } = agent;
  if (!atWork(agent) || activity?.kind !== "silent") return null;
  // Of a container the town knows since when it does not answer; the agent was heard of before that.
  return runtime === null ? activity.since : (last_event_at ?? activity.since);
}

export function attention(agent: AgentState): Attention {
  if (!atWork(agent)) return agent.exit?.reason === "lost" ? "lost" : hasFailed(agent) ? "failed" : "ended";
  // A container that is not heard can not be given an answer either.
  if (silentSince(agent) !== null) return "silent";
  if (agent.questions.length > 0) return "asks";
  return isDoneForNow(agent) ? "asks" : "running";
}

/** Whether its turn is over and nothing of it is at work any more: no sub-agent's call, no work in the background. */
function isDoneForNow({ activity, status }: AgentState): boolean {
  return activity === null ? status === "waiting" : activity.kind === "waiting";
}

/** By need, a question before the end of a turn; among equals the newest start first, so that few cards ever move. */
export function inOrder(agents: Iterable<AgentState>): AgentState[] {
  const rank = (agent: AgentState): number => ATTENTIONS.indexOf(attention(agent));
  return [...agents].sort(
    (one, other) =>
      rank(one) - rank(other) ||
      Math.sign(other.questions.length) - Math.sign(one.questions.length) ||
      (other.started_at ?? "").localeCompare(one.started_at ?? "") ||
      one.agent_id.localeCompare(other.agent_id),
  );
}
