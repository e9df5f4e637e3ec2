// Events that are one sentence: what each says, and how loud.

import type { KnownEvent } from "../protocol/protocol.ts";
import type { NoteRow } from "./row.ts";
import * as sentences from "./sentences.ts";

/** The `code` of an `agent_error` that was none: older logs say so where the program only warns, and goes on. */
export const WARNING_CODE = "warning";

type Note = Pick<NoteRow, "icon" | "tone" | "text" | "system"> & { readonly detail?: string };

export type NotedEvent = Extract<
  KnownEvent,
  {
    event:
      | "agent.status"
      | "agent_session"
      | "agent_error"
      | "agent_notice"
      | "agent_usage"
      | "progress_update"
      | "run_started"
      | "run_iteration"
      | "run_completed"
      | "run_failed"
      | "work_order_created"
      | "work_order_updated"
      | "parser_notice";
  }
>;

/** `at`: when it happened. */
export function noteOf(known: NotedEvent, at: string): Note {
  switch (known.event) {
    case "agent.status":
      return system("status", sentences.statusSentence(known.data.status));
    case "agent_session":
      return system("session", sentences.sessionSentence(known.data));
    case "agent_error":
      return note("error", isWarning(known.data) ? "warning" : "bad", sentences.errorSentence(known.data, at));
    case "agent_notice":
      return note("notice", known.data.level === "warning" ? "warning" : "plain", sentences.agentNoticeSentence(known.data, at));
    case "agent_usage":
      return system("numbers", sentences.usageSentence(known.data));
    case "progress_update":
      return system("numbers", sentences.progressSentence(known.data));
    case "run_started":
      return system("run", `Run ${known.data.run_number} started`);
    case "run_iteration":
      return note(
        "run",
        known.data.verification_passed === false ? "warning" : "plain",
        sentences.iterationSentence(known.data),
        known.data.verification_output,
      );
    case "run_completed":
      return note("run", "good", `Run ${known.data.run_number} is complete`);
    case "run_failed":
      return note("run", "bad", `Run ${known.data.run_number} failed: ${known.data.error}`);
    case "work_order_created":
      return note("order", "plain", "A work order was given", known.data.prompt);
    case "work_order_updated":
      return note("order", "plain", `The work order is ${known.data.status}`);
    case "parser_notice":
      // What was hidden was meant to be: nothing went wrong.
      return note("notice", known.data.kind === "redacted" ? "plain" : "warning", sentences.noticeSentence(known.data), known.data.sample);
  }
}

function isWarning({ retryable, code }: { retryable?: boolean; code: string }): boolean {
  return retryable === true || code === WARNING_CODE;
}

function note(icon: Note["icon"], tone: Note["tone"], text: string, detail?: string): Note {
  return { icon, tone, text, system: false, ...(detail ? { detail } : {}) };
}

/** Of the machinery. */
function system(icon: Note["icon"], text: string): Note {
  return { icon, tone: "plain", text, system: true };
}
