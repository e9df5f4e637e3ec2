// What the activity list shows: one row for what a person sees as one thing, made of one or several events.

import type { AgentQuestion, AgentQuestionAnswered, FileChanged, OutputStream, ToolCategory, TownEvent } from "../protocol/protocol.ts";

interface RowBase {
  /** Stays the same for the row's life, also when rows are made anew out of the same events. */
  readonly key: string;
  /** Its first event's id, and for a gap the first missing one. */
  readonly id: number;
  readonly agent_id: string;
  readonly run_id: string | undefined;
  /** When its first event happened; empty where no time is known (gaps). */
  readonly at: string;
  /** How many calls it is nested in: a sub-agent's rows are one deeper than the call that began it. */
  readonly depth: number;
  /** The key of the call that it is nested in. */
  readonly parent: string | null;
  /** Part of the machinery, not of the work: hidden unless one asks for everything. */
  readonly system: boolean;
  /** What it was made of, as it came. */
  readonly events: readonly TownEvent[];
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

export type NoteIcon = "status" | "session" | "file" | "error" | "notice" | "run" | "order" | "end" | "numbers";
export type Tone = "plain" | "good" | "warning" | "bad";

/** A part of an event that the stream left out, in bytes. */
export type CutBytes = number;

export type SayRow = RowBase & {
  readonly kind: "say";
  readonly voice: "assistant" | "thinking";
  readonly text: string;
  readonly message_id: string | undefined;
  readonly cut: CutBytes;
};
export type LinesRow = RowBase & { readonly kind: "lines"; readonly lines: readonly Line[] };
export type CallRow = RowBase & {
  readonly kind: "call";
  readonly tool: string;
  readonly category: ToolCategory;
  readonly summary: string;
  readonly path: string | undefined;
  readonly input: unknown;
  readonly outcome: CallOutcome;
  readonly files: readonly FileChanged[];
  readonly cut: CutBytes;
};
/** A result whose call is not here: before the retained log, or never sent. */
export type ResultRow = RowBase & { readonly kind: "result"; readonly result: CallResult; readonly cut: CutBytes };
export type NoteRow = RowBase & {
  readonly kind: "note";
  readonly icon: NoteIcon;
  readonly tone: Tone;
  readonly text: string;
  /** More, shown on demand. */
  readonly detail?: string;
  /** What became of a file without a call that is known. */
  readonly file?: FileChanged;
};
export type QuestionRow = RowBase & {
  readonly kind: "question";
  readonly question: AgentQuestion;
  readonly answered: AgentQuestionAnswered | null;
};
/** Here another run begins. */
export type RunRow = RowBase & { readonly kind: "run" };
export type GapRow = RowBase & {
  readonly kind: "gap";
  readonly text: string;
  /** Whether the log still has what is missing here. */
  readonly fillable: boolean;
};
export type EndRow = RowBase & { readonly kind: "end"; readonly tone: Tone; readonly text: string };
export type UnknownRow = RowBase & { readonly kind: "unknown"; readonly name: string; readonly data: unknown };

export type Row =
  | SayRow
  | LinesRow
  | CallRow
  | ResultRow
  | NoteRow
  | QuestionRow
  | RunRow
  | GapRow
  | EndRow
  | UnknownRow;

/** Whether something went wrong here, or is missing. */
export function isProblem(row: Row): boolean {
  switch (row.kind) {
    case "call":
      return typeof row.outcome === "object" && !row.outcome.success;
    case "result":
      return !row.result.success;
    case "note":
      return row.tone === "bad" || row.tone === "warning";
    case "end":
      return row.tone === "bad";
    case "gap":
      return true;
    default:
      return false;
  }
}
