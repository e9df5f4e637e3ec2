// What a town's stream tells whoever follows it.

import type { AgentState, Gap, TownEvent } from "../protocol/protocol.ts";
import type { ConnectionState } from "./connection.ts";
import type { Typed } from "./previews.ts";

export interface StreamConsumer {
  /** Forget all events, gaps and states: another life of the log begins. */
  reset(): void;
  /** The stream begins at its live end: events of this life of the log up to here are not told, all later ones are. */
  beginsBehind(epoch: string, id: number): void;
  state(agent: AgentState): void;
  /** The states of all agents that there are begin to come … */
  statesFollow(): void;
  /** … and have come: an agent that was not among them is gone. */
  statesAreHere(id: number): void;
  /** An agent was deleted. */
  agentDeleted(agent_id: string): void;
  events(events: readonly TownEvent[]): void;
  gap(gap: Gap): void;
  /** All that the agent is typing now and that has no event yet; empty when nothing is. */
  preview(agent_id: string, typed: readonly Typed[]): void;
  /** The server disliked something; the connection lives on. */
  problem(code: string, message: string): void;
  connection(state: ConnectionState): void;
}
