// Makes rows out of an agent's events, one event at a time: `append` is the only way in, for history and live alike.
//
// Rows are kept in chunks so that a view renders again only what changed: a chunk's `version` counts its changes, and
// a row that changed is another object. Both bounds below are reached by dropping the oldest chunk whole.

import type { Gap, KnownEvent, TownEvent } from "../protocol/protocol.ts";
import { knownEvent } from "./known_event.ts";
import type { CallResult, Line, NoteIcon, Row, Tone } from "./row.ts";
import * as sentences from "./sentences.ts";

export interface RowChunk {
  readonly key: string;
  readonly rows: readonly Row[];
  readonly version: number;
}

interface OpenChunk extends RowChunk {
  rows: Row[];
  version: number;
  events: number;
  characters: number;
}

/** Where a row is; chunks never move a row. */
interface Place {
  readonly chunk: OpenChunk;
  readonly index: number;
}

/** Events of one agent that a tab keeps. */
export const EVENTS_MAX = 5_000;
/** Their data, as JSON: 5,000 events of the usual 1 to 4 kB, or fewer large ones. */
export const CHARACTERS_MAX = 16 * 1024 * 1024;
const CHUNK_ROWS = 50;
const CHUNK_EVENTS = 250;
/** Lines in one row; a program that prints for hours gets several. */
const LINES_MAX = 200;
const DEPTH_MAX = 4;

export class Rows {
  #chunks: OpenChunk[] = [];
  #added = 0;
  #events = 0;
  #characters = 0;
  #dropped_events = 0;
  /** Maps throughout: ids are the agents' own words and may be `__proto__`. */
  readonly #calls = new Map<string, Place>();
  readonly #questions = new Map<string, Place>();
  readonly #run_started_ms = new Map<string, number>();
  #open_calls = new Map<string, Place>();
  #run_id: string | undefined;
  #pruned_to = 0;

  get chunks(): readonly RowChunk[] {
    return this.#chunks;
  }

  /** Rows ever added: what a reader who has scrolled away has missed is the difference. */
  get added(): number {
    return this.#added;
  }

  /** Events that were here and had to go because of this tab's own bound. */
  get dropped_events(): number {
    return this.#dropped_events;
  }

  append(event: TownEvent): void {
    if (event.run_id !== undefined && event.run_id !== this.#run_id) {
      this.#run_id = event.run_id;
      this.#push({ kind: "run", key: `run-${event.id}`, at: event.at, depth: 0 });
    }
    const known = knownEvent(event);
    if (known === null) {
      const { event: name, data } = event;
      this.#push({ kind: "unknown", ...base(event), name, data });
    } else {
      this.#appendKnown(event, known);
    }
    this.#charge(event);
    this.#keepBounds();
  }

  appendGap(gap: Gap): void {
    // A viewer that comes back is told again of what was pruned; the reader knows already.
    if (gap.reason === "pruned" && gap.to <= this.#pruned_to) return;
    if (gap.reason === "pruned") this.#pruned_to = gap.to;
    const text = sentences.gapSentence(gap);
    this.#push({ kind: "gap", key: `gap-${gap.from}-${gap.to}-${this.#added}`, at: "", depth: 0, text });
  }

  #appendKnown(event: TownEvent, known: KnownEvent): void {
    const { data } = known;
    switch (known.event) {
      case "agent_output":
        return this.#output(event, known.data);
      case "agent_tool_call":
        return this.#call(event, known.data);
      case "agent_tool_result":
        return this.#result(event, known.data);
      case "file_changed":
        return this.#file(event, known.data);
      case "agent_question": {
        const place = this.#push({ kind: "question", ...base(event), question: known.data, answered: null });
        this.#questions.set(inRun(event, known.data.request_id), place);
        return;
      }
      case "agent_question_answered": {
        const answered = known.data;
        const place = this.#questions.get(inRun(event, answered.request_id));
        if (place === undefined) return this.#note(event, "status", "plain", `A question was answered: ${answered.answer}`);
        return this.#replace(place, (row) => (row.kind === "question" ? { ...row, answered } : row));
      }
      case "agent.exited":
        return this.#end(event, known.data);
      case "agent.status":
        if (known.data.status === "starting" || known.data.status === "running") this.#runStarts(event);
        return this.#note(event, "status", "plain", sentences.statusSentence(known.data.status));
      case "agent_session":
        this.#runStarts(event);
        return this.#note(event, "session", "plain", sentences.sessionSentence(known.data), json(data));
      case "agent_error":
        return this.#note(
          event,
          "error",
          known.data.retryable ? "warning" : "bad",
          known.data.retryable ? `${known.data.message} (trying again)` : known.data.message,
        );
      case "run_started":
        this.#runStarts(event);
        return this.#note(event, "run", "plain", `Run ${known.data.run_number} started`);
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
      case "source_gap": {
        this.#push({ kind: "gap", ...base(event), text: sentences.sourceGapSentence(known.data) });
        return;
      }
      case "agent_usage":
      case "progress_update":
        // Numbers that are always shown up to date in the agent's state; as rows they would bury the work.
        return;
    }
  }

  #output(event: TownEvent, output: Extract<KnownEvent, { event: "agent_output" }>["data"]): void {
    const depth = this.#depth(event, output.parent_tool_use_id);
    const { stream, text } = output;
    if (stream === "assistant" || stream === "thinking") {
      this.#push({ kind: "say", ...base(event), depth, voice: stream, text, cut: cutBytes(event) });
      return;
    }
    const line: Line = { text, stream };
    const last = this.#last();
    const row = last?.chunk.rows[last.index];
    const fits = row?.kind === "lines" && row.depth === depth && row.lines.length < LINES_MAX;
    if (last !== null && fits) {
      this.#replace(last, (before) => (before.kind === "lines" ? { ...before, lines: [...before.lines, line] } : before));
    } else {
      this.#push({ kind: "lines", ...base(event), depth, lines: [line] });
    }
  }

  #call(event: TownEvent, call: Extract<KnownEvent, { event: "agent_tool_call" }>["data"]): void {
    const { tool, category, summary, input } = call;
    const depth = this.#depth(event, call.parent_tool_use_id);
    const place = this.#push({
      kind: "call", ...base(event), depth, tool, category, summary, input, outcome: "open", files: [], cut: cutBytes(event),
    });
    const id = inRun(event, call.tool_use_id);
    this.#calls.set(id, place);
    this.#open_calls.set(id, place);
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
    this.#replace(place, (row) =>
      row.kind === "call" ? { ...row, outcome: result, cut: row.cut + cutBytes(event) } : row,
    );
  }

  #file(event: TownEvent, file: Extract<KnownEvent, { event: "file_changed" }>["data"]): void {
    const place = file.tool_use_id ? this.#calls.get(inRun(event, file.tool_use_id)) : undefined;
    if (place === undefined) return this.#note(event, "file", "plain", sentences.fileSentence(file));
    this.#replace(place, (row) => (row.kind === "call" ? { ...row, files: [...row.files, file] } : row));
  }

  #end(event: TownEvent, exit: Extract<KnownEvent, { event: "agent.exited" }>["data"]): void {
    // A run's exit is its last event: what is open now stays without a result.
    for (const place of this.#open_calls.values()) {
      this.#replace(place, (row) => (row.kind === "call" ? { ...row, outcome: "abandoned" } : row));
    }
    this.#open_calls = new Map();
    const started_ms = this.#run_started_ms.get(event.run_id ?? "");
    const duration_ms = started_ms === undefined ? null : Date.parse(event.at) - started_ms;
    this.#push({ kind: "end", ...base(event), ...sentences.endSentence(exit, duration_ms) });
  }

  #note(event: TownEvent, icon: NoteIcon, tone: Tone, text: string, detail?: string): void {
    const note = { kind: "note", ...base(event), icon, tone, text } as const;
    this.#push(detail ? { ...note, detail } : note);
  }

  #runStarts(event: TownEvent): void {
    const run_id = event.run_id ?? "";
    if (!this.#run_started_ms.has(run_id)) this.#run_started_ms.set(run_id, Date.parse(event.at));
  }

  #depth(event: TownEvent, parent_tool_use_id: string | null | undefined): number {
    if (!parent_tool_use_id) return 0;
    const parent = this.#calls.get(inRun(event, parent_tool_use_id));
    return Math.min(DEPTH_MAX, 1 + (parent?.chunk.rows[parent.index]?.depth ?? 0));
  }

  #last(): Place | null {
    const chunk = this.#chunks.at(-1);
    return chunk === undefined || chunk.events >= CHUNK_EVENTS ? null : { chunk, index: chunk.rows.length - 1 };
  }

  #push(row: Row): Place {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.rows.length >= CHUNK_ROWS || chunk.events >= CHUNK_EVENTS) {
      chunk = { key: row.key, rows: [], version: 0, events: 0, characters: 0 };
      this.#chunks.push(chunk);
    }
    chunk.rows.push(row);
    chunk.version += 1;
    this.#added += 1;
    return { chunk, index: chunk.rows.length - 1 };
  }

  #replace(place: Place, change: (row: Row) => Row): void {
    const row = place.chunk.rows[place.index];
    if (row === undefined) return;
    place.chunk.rows[place.index] = change(row);
    place.chunk.version += 1;
  }

  /** Counts the event on the newest chunk: also a joined result, which is about as old as its call. */
  #charge(event: TownEvent): void {
    const chunk = this.#chunks.at(-1);
    if (chunk === undefined) return;
    const characters = JSON.stringify(event.data)?.length ?? 0;
    chunk.events += 1;
    chunk.characters += characters;
    this.#events += 1;
    this.#characters += characters;
  }

  #keepBounds(): void {
    while (this.#chunks.length > 1 && (this.#events > EVENTS_MAX || this.#characters > CHARACTERS_MAX)) {
      const oldest = this.#chunks.shift();
      if (oldest === undefined) return;
      this.#events -= oldest.events;
      this.#characters -= oldest.characters;
      this.#dropped_events += oldest.events;
      for (const places of [this.#calls, this.#open_calls, this.#questions]) {
        for (const [id, place] of places) if (place.chunk === oldest) places.delete(id);
      }
    }
  }
}

function base(event: TownEvent): { key: string; at: string; depth: number } {
  return { key: String(event.id), at: event.at, depth: 0 };
}

/** Ids of calls and questions are only unique within a run. */
function inRun(event: TownEvent, id: string): string {
  return `${event.run_id ?? ""} ${id}`;
}

function cutBytes(event: TownEvent): number {
  return (event.cut ?? []).reduce((sum, part) => sum + part.bytes, 0);
}

function json(data: unknown): string {
  return JSON.stringify(data, null, 2);
}
