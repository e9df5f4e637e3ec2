// Makes rows out of events, one event at a time: `append` is the only way in, for history and live alike.
//
// A row that changes is replaced by another object, so that who looks can tell by identity what is new. Both bounds
// below are reached by dropping the oldest rows.

import type { Gap, KnownEvent, Status, TownEvent } from "../protocol/protocol.ts";
import { attachmentsOf } from "./attachments.ts";
import { knownEvent } from "./event_shape.ts";
import { eventCharacters } from "./event_size.ts";
import type { Place } from "./growing_list.ts";
import { GrowingList } from "./growing_list.ts";
import { noteOf } from "./notes.ts";
import type { Ended } from "./open_work.ts";
import { OpenWork } from "./open_work.ts";
import type { CallResult, Line, NoteRow, Row, Task, TaskEnd, Unanswered } from "./row.ts";
import { beginsRun, callName, idOf, inRun } from "./row_keys.ts";
import { RunTime } from "./run_time.ts";
import * as sentences from "./sentences.ts";
import { withoutTask, withTaskEnd, withTasksAbandoned } from "./task_rows.ts";

/** How much a list keeps; at either bound its oldest rows go. */
export interface Bounds {
  readonly events: number;
  /** Of the events' data. */
  readonly characters: number;
}

/** Events of one agent that a tab keeps. */
export const EVENTS_MAX = 5_000;
/** Their data: 5,000 events of the usual 1 to 4 kB, or fewer large ones. */
export const CHARACTERS_MAX = 16 * 1024 * 1024;
/** At a bound this share goes at once: a small one, so that no frame has much to let go. */
const DROPPED_SHARE = 0.02;
/** Lines in one row; a program that prints for hours gets several. */
const LINES_MAX = 200;
/** Lines and parts of lines in one row: a progress bar that moves for minutes is many parts of one line. */
const PIECES_MAX = 1_000;
const DEPTH_MAX = 4;

/** What each row has beside what it says. */
type Base = Pick<Row, "key" | "id" | "agent_id" | "run_id" | "at" | "depth" | "parent" | "system" | "events">;

export class Rows {
  readonly #bounds: Bounds;
  readonly #rows = new GrowingList<Row>();
  #dropped_events = 0;
  #dropped_id = 0;
  #events = 0;
  #characters = 0;
  readonly #open = new OpenWork();
  /** Agents of which something is missing right before what comes next. */
  readonly #missing = new Set<string>();
  /** The newest run of each agent. */
  readonly #runs = new Map<string, RunTime>();

  constructor(bounds: Bounds = { events: EVENTS_MAX, characters: CHARACTERS_MAX }) {
    this.#bounds = bounds;
  }

  /** All rows, oldest first: the same array as long as this lives, so copy what has to stay as it is. */
  get all(): readonly Row[] {
    return this.#rows.all;
  }

  /** The same rows, for who wants to know which of them changed. */
  get list(): GrowingList<Row> {
    return this.#rows;
  }

  /** Rows ever added: what a reader who has scrolled away has missed is the difference. */
  get added(): number {
    return this.#rows.shifted + this.all.length;
  }

  /** Events that are here. */
  get event_count(): number {
    return this.#events;
  }

  /** The characters of their data. */
  get characters(): number {
    return this.#characters;
  }

  /** Events that were here and had to go because of the bounds. */
  get dropped_events(): number {
    return this.#dropped_events;
  }

  /** The newest of them: a row that began long ago may go with a result that came late. */
  get dropped_id(): number {
    return this.#dropped_id;
  }

  append(event: TownEvent): void {
    const isMissing = this.#missing.delete(event.agent_id);
    if (event.run_id !== undefined && event.run_id !== this.#runs.get(event.agent_id)?.run_id) {
      const isStart = !isMissing && beginsRun(event);
      this.#runs.set(event.agent_id, new RunTime(event.run_id, isStart ? Date.parse(event.at) : null));
      this.#push({ kind: "run", ...base(event), key: `run-${event.id}`, events: [] });
    }
    const known = knownEvent(event);
    if (known === null) {
      const { event: name, data } = event;
      this.#push({ kind: "unknown", ...base(event), name, data });
    } else {
      this.#appendKnown(event, known);
    }
    this.#events += 1;
    this.#characters += eventCharacters(event);
    while (this.#events > this.#bounds.events || this.#characters > this.#bounds.characters) {
      if (this.all.length <= 1) break;
      this.#drop(Math.min(this.all.length - 1, Math.ceil(this.all.length * DROPPED_SHARE)));
    }
  }

  appendGap(gap: Gap): void {
    const { agent_id, from, to } = gap;
    this.#missing.add(agent_id);
    const at = { key: `gap-${from}-${to}`, id: from, agent_id, run_id: undefined, at: "", depth: 0, parent: null, system: false, events: [] };
    this.#push({ kind: "gap", ...at, text: sentences.gapSentence(gap), fillable: gap.reason === "elided" });
  }

  #appendKnown(event: TownEvent, known: KnownEvent): void {
    const run = this.#runs.get(event.agent_id);
    // Agents that ask say `waiting` behind it; where they wait already, only the very next event can be that.
    if (run?.isTurnOver && known.event !== "agent.status") run.hasAsked = false;
    this.#appendKind(event, known);
    // What an agent says opens and ends nothing.
    if (run?.clock && known.event !== "agent_output") {
      run.clock.set(this.#open.isAtWork(inRun(event, ""), run.isTurnOver), Date.parse(event.at));
    }
  }

  #appendKind(event: TownEvent, known: KnownEvent): void {
    switch (known.event) {
      case "agent_output":
        return this.#output(event, known.data);
      case "user_message": {
        const { text, by, source } = known.data;
        const inside = this.#inside(event, known.data.parent_tool_use_id);
        this.#push({ kind: "user", ...base(event), ...inside, text, by, source, cut: cutBytes(event) });
        return;
      }
      case "agent_tool_call":
        return this.#call(event, known.data);
      case "agent_tool_result":
        return this.#result(event, known.data);
      case "agent_task_started":
        return this.#taskStarted(event, known.data);
      case "agent_task_ended":
        return this.#taskEnded(event, known.data);
      case "file_changed":
        return this.#file(event, known.data);
      case "agent_question":
        return this.#question(event, known.data);
      case "agent_question_answered":
        return this.#answered(event, known.data);
      case "agent.exited":
        return this.#end(event, known.data);
      case "source_gap":
        this.#push({ kind: "gap", ...base(event), text: sentences.sourceGapSentence(known.data), fillable: false });
        return;
      case "agent.status":
        this.#status(event, known.data.status);
        break;
      default:
    }
    const parent = "parent_tool_use_id" in known.data ? known.data.parent_tool_use_id : null;
    const note: NoteRow = { kind: "note", ...base(event), ...this.#inside(event, parent), ...noteOf(known, event.at) };
    this.#push(note);
  }

  #output(event: TownEvent, output: Extract<KnownEvent, { event: "agent_output" }>["data"]): void {
    const inside = this.#inside(event, output.parent_tool_use_id);
    const { stream, text, message_id } = output;
    if (stream === "assistant" || stream === "thinking") {
      const broken_off = output.broken_off === true;
      this.#push({ kind: "say", ...base(event), ...inside, voice: stream, text, message_id, broken_off, cut: cutBytes(event) });
      return;
    }
    const line: Line = { text, stream, partial: output.partial === true };
    const ended = line.partial ? 0 : 1;
    const last = this.all.at(-1);
    const fits =
      last?.kind === "lines" &&
      last.lines.length < PIECES_MAX &&
      (last.ended < LINES_MAX || last.lines.at(-1)?.partial === true) &&
      last.agent_id === event.agent_id &&
      last.run_id === event.run_id &&
      last.parent === inside.parent;
    if (fits) {
      this.#join(this.added - 1, event, (row) =>
        row.kind === "lines" ? { ...row, lines: [...row.lines, line], ended: row.ended + ended } : row,
      );
    } else {
      this.#push({ kind: "lines", ...base(event), ...inside, lines: [line], ended });
    }
  }

  #call(event: TownEvent, call: Extract<KnownEvent, { event: "agent_tool_call" }>["data"]): void {
    const { tool, category, summary, input } = call;
    const place = this.#push({
      kind: "call", ...base(event), ...this.#inside(event, call.parent_tool_use_id),
      tool, category, summary, path: call.path ?? undefined, input,
      outcome: "open", failures: 0, tasks: [], files: [], cut: cutBytes(event),
    });
    this.#open.openCall(inRun(event, call.tool_use_id), { place, parent: idOf(event, call.parent_tool_use_id) });
    const failing = this.#runs.get(event.agent_id)?.failing;
    if (failing?.any) failing.begin(callName(tool, input));
  }

  /** A result that comes late, or once more, corrects what the call's row says. */
  #result(event: TownEvent, data: Extract<KnownEvent, { event: "agent_tool_result" }>["data"]): void {
    const { success, content, content_length, duration_ms } = data;
    const attachments = attachmentsOf(data.attachments);
    const result: CallResult = { success, content, content_length, duration_ms, ...(attachments.length > 0 && { attachments }) };
    const id = inRun(event, data.tool_use_id);
    const place = this.#open.call(id);
    if (place === undefined) {
      this.#push({ kind: "result", ...base(event), result, cut: cutBytes(event) });
      return;
    }
    this.#join(place, event, (row) => {
      if (row.kind !== "call") return row;
      const isNews = typeof row.outcome !== "object" || row.outcome.success !== success;
      const failing = isNews ? this.#runs.get(event.agent_id)?.failing : undefined;
      const counts = failing !== undefined && (failing.any || !success);
      const failures = counts ? failing.end(callName(row.tool, row.input), success) : success ? 0 : row.failures;
      return { ...row, outcome: result, failures, cut: row.cut + cutBytes(event) };
    });
    this.#close(this.#open.closeCall(id), "interrupted", "call");
  }

  #taskStarted(event: TownEvent, data: Extract<KnownEvent, { event: "agent_task_started" }>["data"]): void {
    const { task_id, kind, description } = data;
    const task: Task = { task_id, kind, description, end: null };
    const call = idOf(event, data.tool_use_id);
    const known = call === null ? undefined : this.#open.call(call);
    const place = known ?? this.#push({ kind: "task", ...base(event), ...this.#inside(event, data.parent_tool_use_id), task });
    if (known !== undefined) {
      this.#join(known, event, (row) => (row.kind === "call" ? { ...row, tasks: [...withoutTask(row.tasks, task_id), task] } : row));
    }
    this.#open.openTask(inRun(event, task_id), { place, call });
  }

  #taskEnded(event: TownEvent, data: Extract<KnownEvent, { event: "agent_task_ended" }>["data"]): void {
    const { task_id, outcome, summary, exit_code } = data;
    const id = inRun(event, task_id);
    const call = idOf(event, data.tool_use_id);
    const place = this.#open.task(id) ?? (call === null ? undefined : this.#open.call(call));
    this.#open.closeTask(id);
    const unknown: Task = { task_id, kind: "other", description: "Something that was left running", end: null };
    const end: TaskEnd = { outcome, summary: summary ?? undefined, exit_code: exit_code ?? undefined };
    if (place === undefined) {
      this.#push({ kind: "task", ...base(event), task: { ...unknown, end } });
      return;
    }
    this.#join(place, event, (row) => withTaskEnd(row, task_id, end, unknown));
  }

  #file(event: TownEvent, file: Extract<KnownEvent, { event: "file_changed" }>["data"]): void {
    const place = file.tool_use_id ? this.#open.call(inRun(event, file.tool_use_id)) : undefined;
    if (place === undefined) {
      this.#push({ kind: "note", ...base(event), icon: "file", tone: "plain", text: sentences.fileSentence(file), file });
      return;
    }
    this.#join(place, event, (row) => (row.kind === "call" ? { ...row, files: [...row.files, file] } : row));
  }

  #question(event: TownEvent, question: Extract<KnownEvent, { event: "agent_question" }>["data"]): void {
    const inside = this.#inside(event, question.parent_tool_use_id);
    const place = this.#push({ kind: "question", ...base(event), ...inside, question, answered: null, unanswered: null, cut: cutBytes(event) });
    const call = idOf(event, question.tool_use_id);
    this.#open.openQuestion(inRun(event, question.request_id), { place, call, parent: idOf(event, question.parent_tool_use_id) });
    const run = this.#runs.get(event.agent_id);
    if (run !== undefined) run.hasAsked = true;
  }

  #answered(event: TownEvent, answered: Extract<KnownEvent, { event: "agent_question_answered" }>["data"]): void {
    const id = inRun(event, answered.request_id);
    this.#open.closeQuestion(id);
    const place = this.#open.question(id);
    if (place === undefined) {
      this.#push({ kind: "note", ...base(event), icon: "status", tone: "plain", text: `A question was answered: ${answered.answer}` });
      return;
    }
    this.#join(place, event, (row) => (row.kind === "question" ? { ...row, answered, unanswered: null } : row));
  }

  #status(event: TownEvent, status: Status): void {
    const run = this.#runs.get(event.agent_id);
    const id = inRun(event, "");
    const waitsForAnswer = run?.hasAsked === true && this.#open.hasQuestions(id);
    if (status === "waiting" && !waitsForAnswer) this.#close(this.#open.endTurn(id), "interrupted", "call");
    if (run === undefined) return;
    run.hasAsked = false;
    run.isTurnOver = status === "waiting";
  }

  #end(event: TownEvent, exit: Extract<KnownEvent, { event: "agent.exited" }>["data"]): void {
    const time = this.#runs.get(event.agent_id)?.clock?.until(Date.parse(event.at)) ?? null;
    // A run's exit is its last event: what is open now stays without a result.
    this.#close(this.#open.endRun(inRun(event, "")), "abandoned", "run");
    this.#push({ kind: "end", ...base(event), ...sentences.endSentence(exit, time) });
  }

  /** Says of what ended without a word of its own how it ended. */
  #close(ended: Ended, outcome: "interrupted" | "abandoned", unanswered: Unanswered): void {
    for (const place of ended.calls) this.#replace(place, (row) => (row.kind === "call" ? { ...row, outcome } : row));
    for (const place of ended.questions) this.#replace(place, (row) => (row.kind === "question" ? { ...row, unanswered } : row));
    for (const place of ended.tasks) this.#replace(place, (row) => withTasksAbandoned(row));
  }

  #inside(event: TownEvent, parent_tool_use_id: string | null | undefined): Pick<Row, "depth" | "parent"> {
    if (!parent_tool_use_id) return { depth: 0, parent: null };
    const place = this.#open.call(inRun(event, parent_tool_use_id));
    const parent = place === undefined ? undefined : this.all[place - this.#rows.shifted];
    return { depth: Math.min(DEPTH_MAX, 1 + (parent?.depth ?? 0)), parent: parent?.key ?? null };
  }

  #push(row: Row): Place {
    this.#rows.push(row);
    return this.added - 1;
  }

  /** One more event of the same row. */
  #join(place: Place, event: TownEvent, change: (row: Row) => Row): void {
    this.#replace(place, (row) => ({ ...change(row), events: [...row.events, event] }));
  }

  #replace(place: Place, change: (row: Row) => Row): void {
    const index = place - this.#rows.shifted;
    const row = this.all[index];
    if (row !== undefined) this.#rows.set(index, change(row));
  }

  #drop(count: number): void {
    for (const row of this.#rows.shift(count)) {
      this.#events -= row.events.length;
      this.#dropped_events += row.events.length;
      for (const event of row.events) {
        this.#characters -= eventCharacters(event);
        this.#dropped_id = Math.max(this.#dropped_id, event.id);
      }
    }
    this.#open.forget(this.#rows.shifted);
  }
}

function base(event: TownEvent): Base {
  const { id, agent_id, run_id, at } = event;
  return { key: String(id), id, agent_id, run_id, at, depth: 0, parent: null, system: false, events: [event] };
}

function cutBytes(event: TownEvent): number {
  return (event.cut ?? []).reduce((sum, part) => sum + part.bytes, 0);
}
