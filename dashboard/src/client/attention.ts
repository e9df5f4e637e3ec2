// How much an agent needs a person, and in which order a town shows its agents.

import type { AgentState, Runtime } from "../protocol/protocol.ts";

/** In the order in which a person wants to see them. */
export const ATTENTIONS = ["asks", "failed", "lost", "silent", "running", "ended"] as const;
export type Attention = (typeof ATTENTIONS)[number];

/** Whether a run is under way. */
export function atWork(agent: AgentState): boolean {
  return agent.status === "starting" || agent.status === "running" || agent.status === "waiting" || agent.status === "stopping";
}

export function attention(agent: AgentState): Attention {
  if (!atWork(agent)) {
    if (agent.exit?.reason === "lost") return "lost";
    return agent.status === "failed" || agent.exit?.reason === "failed" || agent.exit?.reason === "timeout" ? "failed" : "ended";
  }
  // A container that is not heard can not be given an answer either.
  if (agent.activity?.kind === "silent") return "silent";
  return agent.question !== null || agent.status === "waiting" ? "asks" : "running";
}

/** By need, a question before the end of a turn; among equals the newest start first, so that few cards ever move. */
export function inOrder(agents: Iterable<AgentState>): AgentState[] {
  const rank = (agent: AgentState): number => ATTENTIONS.indexOf(attention(agent));
  return [...agents].sort(
    (one, other) =>
      rank(one) - rank(other) ||
      Number(other.question !== null) - Number(one.question !== null) ||
      (other.started_at ?? "").localeCompare(one.started_at ?? "") ||
      one.agent_id.localeCompare(other.agent_id),
  );
}

/** Programs that take a message while they run; the server refuses it to others. */
const HEARING: readonly (Runtime | null)[] = ["claude_code", "opencode", "kilo"];

export function takesMessages({ runtime }: AgentState): boolean {
  return HEARING.includes(runtime);
}
