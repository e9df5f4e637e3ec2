// What a tab has just said to an agent and the log does not have yet.

import type { Row } from "./row.ts";

export interface Sent {
  readonly text: string;
  /** The run that hears it. */
  readonly run_id: string | null;
  /** The agent's newest event when it was sent. */
  readonly after_id: number;
}

/** Those that are not in the log: what came into it since belongs to the oldest first, for agents hear in order. */
export function notHeard(sent: readonly Sent[], rows: readonly Row[], run_id: string | null): readonly Sent[] {
  const waiting = sent.filter((one) => one.run_id === run_id);
  const [first] = waiting;
  if (first === undefined) return waiting;
  let heard = 0;
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const row = rows[index];
    if (row === undefined || row.id <= first.after_id) break;
    if (row.kind === "user" && row.source === "message" && row.by === "operator") heard += 1;
  }
  return waiting.slice(heard);
}
