// Makes rows out of events, one event at a time: `append` is the only way in, for history and live alike.
//
// A row that changes is replaced by another object, so that who looks can tell by identity what is new. Both bounds
// below are reached by dropping the oldest rows.

import type { Gap, KnownEvent, TownEvent } from "../protocol/protocol.ts";
import { eventCharacters } from "./event_size.ts";
import { GrowingList } from "./growing_list.ts";
import type { Place } from "./growing_list.ts";
import { knownEvent, WARNING_CODE } from "./known_event.ts";
import type { CallResult, CallRow, Line, NoteIcon, NoteRow, Row, Tone } from "./row.ts";
import * as sentences from "./sentences.ts";

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
const DEPTH_MAX = 4;

/** What each row has beside what it says. */
type Base = Pick<Row, "key" | "id" | "agent_id" | "run_id" | "at" | "depth" | "parent" | "system" | "events">;

export class Rows {
  readonly #bounds: Bounds;
  readonly #rows = new GrowingList<Row>();
  #dropped_events = 0;
  #events = 0;
  #characters = 0;
  /** Maps throughout: ids are the agents' own words and may be `__proto__`. */
  readonly #calls = new Map<string, Place>();
  readonly #open_calls = new Map<string, Place>();
  readonly #questions = new Map<string, Place>();
  readonly #run_started_ms = new Map<string, number>();
  /** The newest run of each agent. */
  readonly #runs = new Map<string, string>();

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

  /** Events that were here and had to go because of the bounds. */
  get dropped_events(): number {
    return this.#dropped_events;
  }

  append(event: TownEvent): void {
    if (event.run_id !== undefined && event.run_id !== this.#runs.get(event.agent_id)) {
      this.#runs.set(event.agent_id, event.run_id);
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
    const at = { key: `gap-${from}-${to}`, id: from, agent_id, run_id: undefined, at: "", depth: 0, parent: null, system: false, events: [] };
    this.#push({ kind: "gap", ...at, text: sentences.gapSentence(gap), fillable: gap.reason === "elided" });
  }

  #appendKnown(event: TownEvent, known: KnownEvent): void {
    switch (known.event) {
      case "agent_output":
        return this.#output(event, known.data);
      case "agent_tool_call":
        return this.#call(event, known.data);
      case "agent_tool_result":
        return this.#result(event, known.data);
      case "file_changed":
        return this.#file(event, known.data);
      case "agent_question":
        return remember(
          this.#questions,
          inRun(event, known.data.request_id),
          this.#push({ kind: "question", ...base(event), question: known.data, answered: null }),
        );
      case "agent_question_answered": {
        const answered = known.data;
        const place = this.#questions.get(inRun(event, answered.request_id));
        if (place === undefined) return this.#note(event, "status", "plain", `A question was answered: ${answered.answer}`);
        return this.#join(place, event, (row) => (row.kind === "question" ? { ...row, answered } : row));
      }
      case "agent.exited":
        return this.#end(event, known.data);
      case "agent.status":
        if (known.data.status === "starting" || known.data.status === "running") this.#runStarts(event);
        return this.#system(event, "status", sentences.statusSentence(known.data.status));
      case "agent_session":
        this.#runStarts(event);
        return this.#system(event, "session", sentences.sessionSentence(known.data));
      case "agent_error":
        return this.#note(
          event,
          "error",
          known.data.retryable || known.data.code === WARNING_CODE ? "warning" : "bad",
          known.data.retryable ? `${known.data.message} (trying again)` : known.data.message,
        );
      case "run_started":
        this.#runStarts(event);
        return this.#system(event, "run", `Run ${known.data.run_number} started`);
      case "run_iteration":
        return this.#note(
          event,
          "run",
          known.data.verification_passed === false ? "warning" : "plain",
          sentences.iterationSentence(known.data),
          known.data.verification_output,
        );
      case "run_completed":
        return this.#note(event, "run", "good", `Run ${known.data.run_number} is complete`);
      case "run_failed":
        return this.#note(event, "run", "bad", `Run ${known.data.run_number} failed: ${known.data.error}`);
      case "work_order_created":
        return this.#note(event, "order", "plain", "A work order was given", known.data.prompt);
      case "work_order_updated":
        return this.#note(event, "order", "plain", `The work order is ${known.data.status}`);
      case "parser_notice":
        return this.#note(event, "notice", "warning", sentences.noticeSentence(known.data), known.data.sample);
      case "source_gap":
        this.#push({ kind: "gap", ...base(event), text: sentences.sourceGapSentence(known.data), fillable: false });
        return;
      case "agent_usage":
        return this.#system(event, "numbers", sentences.usageSentence(known.data));
      case "progress_update":
        return this.#system(event, "numbers", sentences.progressSentence(known.data));
    }
  }

  #output(event: TownEvent, output: Extract<KnownEvent, { event: "agent_output" }>["data"]): void {
    const inside = this.#inside(event, output.parent_tool_use_id);
    const { stream, text, message_id } = output;
    if (stream === "assistant" || stream === "thinking") {
      this.#push({ kind: "say", ...base(event), ...inside, voice: stream, text, message_id, cut: cutBytes(event) });
      return;
    }
    const line: Line = { text, stream };
    const last = this.all.at(-1);
    const fits =
      last?.kind === "lines" &&
      last.lines.length < LINES_MAX &&
      last.agent_id === event.agent_id &&
      last.run_id === event.run_id &&
      last.parent === inside.parent;
    if (fits) {
      this.#join(this.added - 1, event, (row) => (row.kind === "lines" ? { ...row, lines: [...row.lines, line] } : row));
    } else {
      this.#push({ kind: "lines", ...base(event), ...inside, lines: [line] });
    }
  }

  #call(event: TownEvent, call: Extract<KnownEvent, { event: "agent_tool_call" }>["data"]): void {
    const { tool, category, summary, input } = call;
    const row: CallRow = {
      kind: "call", ...base(event), ...this.#inside(event, call.parent_tool_use_id),
      tool, category, summary, path: call.path ?? undefined, input, outcome: "open", files: [], cut: cutBytes(event),
    };
    const place = this.#push(row);
    const id = inRun(event, call.tool_use_id);
    remember(this.#calls, id, place);
    remember(this.#open_calls, id, place);
  }

  #result(event: TownEvent, data: Extract<KnownEvent, { event: "agent_tool_result" }>["data"]): void {
    const { success, content, content_length, duration_ms } = data;
    const result: CallResult = { success, content, content_length, duration_ms };
    const id = inRun(event, data.tool_use_id);
    const place = this.#open_calls.get(id);
    if (place === undefined) {
      this.#push({ kind: "result", ...base(event), result, cut: cutBytes(event) });
      return;
    }
    this.#open_calls.delete(id);
    this.#join(place, event, (row) =>
      row.kind === "call" ? { ...row, outcome: result, cut: row.cut + cutBytes(event) } : row,
    );
  }

  #file(event: TownEvent, file: Extract<KnownEvent, { event: "file_changed" }>["data"]): void {
    const place = file.tool_use_id ? this.#calls.get(inRun(event, file.tool_use_id)) : undefined;
    if (place === undefined) {
      this.#push({ kind: "note", ...base(event), icon: "file", tone: "plain", text: sentences.fileSentence(file), file });
      return;
    }
    this.#join(place, event, (row) => (row.kind === "call" ? { ...row, files: [...row.files, file] } : row));
  }

  #end(event: TownEvent, exit: Extract<KnownEvent, { event: "agent.exited" }>["data"]): void {
    // A run's exit is its last event: what is open now stays without a result.
    const run = inRun(event, "");
    for (const [id, place] of this.#open_calls) {
      if (!id.startsWith(run)) continue;
      this.#open_calls.delete(id);
      this.#replace(place, (row) => (row.kind === "call" ? { ...row, outcome: "abandoned" } : row));
    }
    const started_ms = this.#run_started_ms.get(run);
    const duration_ms = started_ms === undefined ? null : Date.parse(event.at) - started_ms;
    this.#push({ kind: "end", ...base(event), ...sentences.endSentence(exit, duration_ms) });
  }

  #note(event: TownEvent, icon: NoteIcon, tone: Tone, text: string, detail?: string): void {
    const note: NoteRow = { kind: "note", ...base(event), icon, tone, text };
    this.#push(detail ? { ...note, detail } : note);
  }

  #system(event: TownEvent, icon: NoteIcon, text: string): void {
    this.#push({ kind: "note", ...base(event), system: true, icon, tone: "plain", text });
  }

  #runStarts(event: TownEvent): void {
    const run = inRun(event, "");
    if (!this.#run_started_ms.has(run)) this.#run_started_ms.set(run, Date.parse(event.at));
  }

  #inside(event: TownEvent, parent_tool_use_id: string | null | undefined): Pick<Row, "depth" | "parent"> {
    if (!parent_tool_use_id) return { depth: 0, parent: null };
    const place = this.#calls.get(inRun(event, parent_tool_use_id));
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
      for (const event of row.events) this.#characters -= eventCharacters(event);
    }
    for (const places of [this.#calls, this.#open_calls, this.#questions]) {
      for (const [id, place] of places) {
        if (place >= this.#rows.shifted) break;
        places.delete(id);
      }
    }
  }
}

function base(event: TownEvent): Base {
  const { id, agent_id, run_id, at } = event;
  return { key: String(id), id, agent_id, run_id, at, depth: 0, parent: null, system: false, events: [event] };
}

/** The newest comes last, also under an id that was there before, so that what goes with the oldest rows stands first. */
function remember(places: Map<string, Place>, id: string, place: Place): void {
  places.delete(id);
  places.set(id, place);
}

/** Ids of calls and questions are only unique within a run. */
function inRun(event: TownEvent, id: string): string {
  return `${event.agent_id} ${event.run_id ?? ""} ${id}`;
}

function cutBytes(event: TownEvent): number {
  return (event.cut ?? []).reduce((sum, part) => sum + part.bytes, 0);
}
