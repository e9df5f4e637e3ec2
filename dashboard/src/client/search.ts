// Finds a text in the rows that a reader wants to see; in slices so that no frame waits for it, and in each frame only in
// what is new since the last.

import type { AgentToolCall, TownEvent } from "../protocol/protocol.ts";
import { dataText, fieldText, saysLess } from "./event_source.ts";
import type { Filter } from "./filter.ts";
import { passes } from "./filter.ts";
import type { GrowingList, Mark, Place } from "./growing_list.ts";
import { countBefore } from "./growing_list.ts";
import { textsIn } from "./json_text.ts";
import { textsOfQuestion } from "./questions.ts";
import type { CallRow, Row, Task, UnknownRow } from "./row.ts";
import { terminalName } from "./row.ts";
import { Rows } from "./rows.ts";
import { terminals } from "./terminals.ts";

/** What was found, and what could not be looked at. */
export interface Findings {
  /** The rows that pass and have the text, oldest first. */
  readonly found: readonly Row[];
  /** The rows that pass and do not have it in what is here of them, but are not whole. */
  readonly cut: readonly Row[];
  /** Whether all that is here was looked at. */
  readonly done: boolean;
}

export class Search {
  readonly query: string;
  readonly #pattern: RegExp;
  /** No row's text is looked at twice. */
  readonly #known = new WeakMap<Row, boolean>();
  #source: GrowingList<Row> | null = null;
  #filter: Filter | null = null;
  #mark: Mark = 0;
  /** The place of the next row to look at. */
  #next: Place = 0;
  readonly #found = new PlacedRows();
  readonly #cut = new PlacedRows();

  constructor(query: string) {
    this.query = query;
    this.#pattern = new RegExp(query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "iu");
  }

  /** Looks at what is new, until all is looked at or `isOver` says to stop. */
  find(rows: GrowingList<Row>, filter: Filter, isOver: () => boolean): Findings {
    this.#keep(rows, filter);
    const end = rows.shifted + rows.all.length;
    for (; this.#next < end; this.#next += 1) {
      const row = rows.all[this.#next - rows.shifted];
      if (row === undefined || !passes(row, filter)) continue;
      let has = this.#known.get(row);
      if (has === undefined) {
        if (isOver()) return this.#findings(false);
        has = this.has(row);
        this.#known.set(row, has);
      }
      if (has) this.#found.push(row, this.#next);
      else if (row.events.some(isCut)) this.#cut.push(row, this.#next);
    }
    return this.#findings(true);
  }

  #findings(done: boolean): Findings {
    return { found: this.#found.rows, cut: this.#cut.rows, done };
  }

  /** What was found stays found, but for rows that changed or went. */
  #keep(rows: GrowingList<Row>, filter: Filter): void {
    const isSame = rows === this.#source && filter === this.#filter;
    const same = rows.shifted + (isSame ? rows.sameSince(this.#mark) : 0);
    [this.#source, this.#filter, this.#mark] = [rows, filter, rows.mark()];
    this.#next = Math.max(rows.shifted, Math.min(this.#next, same));
    for (const placed of [this.#found, this.#cut]) placed.keep(rows.shifted, this.#next);
  }

  has(row: Row): boolean {
    return textsOf(row).some((text) => this.#pattern.test(text));
  }

  /** Whether a row that is made of this event alone has it. */
  hasEvent(event: TownEvent): boolean {
    const rows = new Rows();
    rows.append(event);
    return rows.all.some((row) => this.has(row));
  }
}

/** Rows with their places in the list, each after the one before it. */
class PlacedRows {
  readonly rows: Row[] = [];
  readonly #places: Place[] = [];

  push(row: Row, place: Place): void {
    this.rows.push(row);
    this.#places.push(place);
  }

  /** Keeps those from one place up to another. */
  keep(first: Place, next: Place): void {
    const gone = countBefore(this.#places, first);
    const kept = countBefore(this.#places, next);
    for (const list of [this.rows, this.#places]) {
      list.length = kept;
      list.splice(0, gone);
    }
  }
}

/** Whether the stream left a part of the event out. */
export function isCut({ cut }: TownEvent): boolean {
  return (cut ?? []).length > 0;
}

/** All that a row says, opened. */
export function textsOf(row: Row): string[] {
  switch (row.kind) {
    case "say":
    case "user":
      return [row.text];
    case "lines":
      return [terminals.plain(terminalName(row), row.lines)];
    case "call":
      return [
        row.summary,
        row.tool,
        ...inputTexts(row),
        ...(typeof row.outcome === "object" ? [row.outcome.content] : []),
        ...row.files.map((file) => file.path),
        ...row.tasks.flatMap(textsOfTask),
      ];
    case "task":
      return textsOfTask(row.task);
    case "result":
      return [row.result.content];
    case "note":
      return [row.text, row.detail ?? ""];
    case "question":
      return textsOfQuestion(row.question, row.answered);
    case "unknown":
      return [row.name, ...dataTexts(row)];
    case "gap":
    case "end":
      return [row.text];
    case "run":
      return [];
  }
}

function textsOfTask({ description, end }: Task): string[] {
  return [description, end?.summary ?? ""];
}

// What the page shows is looked through: the digits that came, not what JavaScript made of them.

function inputTexts(row: CallRow): string[] {
  const event = row.events.find(({ data }) => (data as Partial<AgentToolCall> | null)?.input === row.input);
  return event !== undefined && saysLess(event) ? textsIn(fieldText(event, "input") ?? "") : strings(row.input);
}

function dataTexts({ events: [event], data }: UnknownRow): string[] {
  return event !== undefined && saysLess(event) ? textsIn(dataText(event)) : strings(data);
}

/** The texts of a JSON value, its fields' names too. */
function strings(value: unknown): string[] {
  const found: string[] = [];
  const rest = [value];
  while (rest.length > 0) {
    const one = rest.pop();
    if (typeof one === "string") found.push(one);
    else if (Array.isArray(one)) rest.push(...(one as unknown[]));
    else if (typeof one === "object" && one !== null) {
      found.push(...Object.keys(one));
      rest.push(...(Object.values(one) as unknown[]));
    } else if (one !== undefined) found.push(String(one));
  }
  return found;
}
