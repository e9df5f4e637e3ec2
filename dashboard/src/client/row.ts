// What the activity list shows: one row for what a person sees as one thing, made of one or several events.

import type {
  AgentQuestion,
  AgentQuestionAnswered,
  Attachment,
  FileChanged,
  MessageSource,
  OutputStream,
  TaskKind,
  TaskOutcome,
  ToolCategory,
  TownEvent,
} from "../protocol/protocol.ts";

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
  /** It goes on with the next one of its stream. */
  readonly partial: boolean;
}

export interface CallResult {
  readonly success: boolean;
  readonly content: string;
  /** Bytes, before anything was cut. */
  readonly content_length: number;
  readonly duration_ms: number;
  /** What it gave beside text; absent where that is nothing. */
  readonly attachments?: readonly Attachment[];
}

/** `open`: the result is still to come; `interrupted`: the turn ended without it; `abandoned`: the run did. */
export type CallOutcome = "open" | "interrupted" | "abandoned" | CallResult;

/** How something that was left running in the background ended; `abandoned`: its run ended first. */
export interface TaskEnd {
  readonly outcome: TaskOutcome | "abandoned";
  readonly summary: string | undefined;
  readonly exit_code: number | undefined;
}

export interface Task {
  readonly task_id: string;
  readonly kind: TaskKind;
  readonly description: string;
  /** Null while it runs. */
  readonly end: TaskEnd | null;
}

/** Why a question is closed that nobody answered. */
export type Unanswered = "call" | "run";

export type NoteIcon = "status" | "session" | "file" | "error" | "notice" | "run" | "order" | "end" | "numbers";
export type Tone = "plain" | "good" | "warning" | "bad";

/** A part of an event that the stream left out, in bytes. */
export type CutBytes = number;

export type SayRow = RowBase & {
  readonly kind: "say";
  readonly voice: "assistant" | "thinking";
  readonly text: string;
  readonly message_id: string | undefined;
  /** It was still being typed when its author ended. */
  readonly broken_off: boolean;
  readonly cut: CutBytes;
};
/** What somebody told the agent, or its program in a person's place. */
export type UserRow = RowBase & {
  readonly kind: "user";
  readonly text: string;
  readonly by: string;
  readonly source: MessageSource;
  readonly cut: CutBytes;
};
/** `ended`: how many of the lines have an end; the others are parts. */
export type LinesRow = RowBase & { readonly kind: "lines"; readonly lines: readonly Line[]; readonly ended: number };
export type CallRow = RowBase & {
  readonly kind: "call";
  readonly tool: string;
  readonly category: ToolCategory;
  readonly summary: string;
  readonly path: string | undefined;
  readonly input: unknown;
  readonly outcome: CallOutcome;
  /** How often the same call has failed in a row, this one included. */
  readonly failures: number;
  /** What it left running in the background. */
  readonly tasks: readonly Task[];
  readonly files: readonly FileChanged[];
  readonly cut: CutBytes;
};
/** A result whose call is not here: before the retained log, or never sent. */
export type ResultRow = RowBase & { readonly kind: "result"; readonly result: CallResult; readonly cut: CutBytes };
/** What runs in the background, where its call is not here. */
export type TaskRow = RowBase & { readonly kind: "task"; readonly task: Task };
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
  /** Null while it is open, and where it was answered. */
  readonly unanswered: Unanswered | null;
  readonly cut: CutBytes;
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
  | UserRow
  | LinesRow
  | CallRow
  | TaskRow
  | ResultRow
  | NoteRow
  | QuestionRow
  | RunRow
  | GapRow
  | EndRow
  | UnknownRow;

/** Whether the call failed, or what it left running did. */
export function hasFailed(row: CallRow): boolean {
  return (typeof row.outcome === "object" && !row.outcome.success) || row.tasks.some(({ end }) => end?.outcome === "failed");
}

/** The terminal that shows a row's lines. */
export function terminalName({ agent_id, key }: LinesRow): string {
  return `${agent_id} ${key}`;
}

/** Whether something went wrong here, or is missing. */
export function isProblem(row: Row): boolean {
  switch (row.kind) {
    case "call":
      return hasFailed(row);
    case "task":
      return row.task.end?.outcome === "failed";
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
