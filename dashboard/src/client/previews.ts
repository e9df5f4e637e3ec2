// What agents are typing: parts of texts that have no event yet, put together by their offsets.
//
// A part that would leave a hole is dropped, and so is all that follows it, until one begins anew at offset 0: what is
// shown is always a true beginning of what the agent says.

import type { Preview, TownEvent } from "../protocol/protocol.ts";

/** A text as far as it has been typed. */
export interface Typed {
  readonly run_id: string;
  readonly message_id: string;
  readonly text: string;
}

/** Texts of one agent that are typed at once, by its sub-agents say; beyond it the oldest is shown no more. */
const MESSAGES_MAX = 16;

export class Previews {
  /** By agent and then by message; Maps throughout, for ids are the agents' own words. */
  readonly #agents = new Map<string, Map<string, Typed>>();

  /** What the agent is typing now, the oldest text first. */
  of(agent_id: string): readonly Typed[] {
    return [...(this.#agents.get(agent_id)?.values() ?? [])];
  }

  /** Takes a part; whether anything changed. */
  add({ agent_id, run_id, message_id, offset, text }: Preview): boolean {
    const typed = this.#agents.get(agent_id) ?? new Map<string, Typed>();
    const before = typed.get(message_id)?.text ?? "";
    if (offset > before.length) return false;
    const whole = before.slice(0, offset) + text + before.slice(offset + text.length);
    if (whole === before) return false;
    typed.set(message_id, { run_id, message_id, text: whole });
    const [oldest] = typed.keys();
    if (typed.size > MESSAGES_MAX && oldest !== undefined) typed.delete(oldest);
    this.#agents.set(agent_id, typed);
    return true;
  }

  /** An event has come: what it says is typed no more. Whether anything changed. */
  end({ agent_id, event, data }: TownEvent): boolean {
    const typed = this.#agents.get(agent_id);
    if (typed === undefined) return false;
    const fields = typeof data === "object" && data !== null ? (data as Record<string, unknown>) : {};
    if (event === "agent.exited" || (event === "agent.status" && fields.status === "waiting")) {
      return this.#agents.delete(agent_id);
    }
    // What was thought before a text is an event of the same message; the text goes on.
    if (event !== "agent_output" || fields.stream === "thinking" || typeof fields.message_id !== "string") return false;
    return typed.delete(fields.message_id);
  }

  /** Forgets all: who was cut off does not know what is typed now. The agents that this changes. */
  clear(): string[] {
    const agents = [...this.#agents.keys()];
    this.#agents.clear();
    return agents;
  }
}
