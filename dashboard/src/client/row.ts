// What the activity list shows: one row for what a person sees as one thing, made of one or several events.

import type { AgentQuestion, AgentQuestionAnswered, FileChanged, OutputStream, ToolCategory } from "../protocol/protocol.ts";

interface RowBase {
  /** Stays the same for the row's life. */
  readonly key: string;
  /** When its first event happened; empty where no time is known (gaps). */
  readonly at: string;
  /** How many calls it is nested in: a sub-agent's rows are one deeper than the call that began it. */
  readonly depth: number;
}

export interface Line {
  readonly text: string;
  readonly stream: Extract<OutputStream, "stdout" | "stderr">;
}

export interface CallResult {
  readonly success: boolean;
  readonly content: string;
  /** Bytes, before anything was cut. */
  readonly content_length: number;
  readonly duration_ms: number;
}

/** `open`: the result is still to come; `abandoned`: the run ended without it. */
export type CallOutcome = "open" | "abandoned" | CallResult;

export type NoteIcon = "status" | "session" | "file" | "error" | "notice" | "run" | "order" | "end";
export type Tone = "plain" | "good" | "warning" | "bad";

/** A part of an event that the stream left out, in bytes. */
export type CutBytes = number;

export type Row =
  | (RowBase & { readonly kind: "say"; readonly voice: "assistant" | "thinking"; readonly text: string; readonly cut: CutBytes })
  | (RowBase & { readonly kind: "lines"; readonly lines: readonly Line[] })
  | (RowBase & {
      readonly kind: "call";
      readonly tool: string;
      readonly category: ToolCategory;
      readonly summary: string;
      readonly input: unknown;
      readonly outcome: CallOutcome;
      readonly files: readonly FileChanged[];
      readonly cut: CutBytes;
    })
  /** A result whose call is not here: before the retained log, or never sent. */
  | (RowBase & { readonly kind: "result"; readonly result: CallResult; readonly cut: CutBytes })
  | (RowBase & {
      readonly kind: "note";
      readonly icon: NoteIcon;
      readonly tone: Tone;
      readonly text: string;
      /** More, shown on demand. */
      readonly detail?: string;
    })
  | (RowBase & {
      readonly kind: "question";
      readonly question: AgentQuestion;
      readonly answered: AgentQuestionAnswered | null;
    })
  /** Here another run begins. */
  | (RowBase & { readonly kind: "run" })
  | (RowBase & { readonly kind: "gap"; readonly text: string })
  | (RowBase & { readonly kind: "end"; readonly tone: Tone; readonly text: string })
  | (RowBase & { readonly kind: "unknown"; readonly name: string; readonly data: unknown });
