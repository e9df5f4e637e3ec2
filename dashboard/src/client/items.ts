// What the list shows of the rows: those that pass the filter, with repeats folded ("Read ×14") and what is inside a
// closed sub-agent left out.
//
// `update` does only the part again that the rows say has changed, so that a hundred thousand rows cost a frame no more
// than the ten that are new.

import type { Filter } from "./filter.ts";
import { passes } from "./filter.ts";
import type { Mark, Place } from "./growing_list.ts";
import { countBefore, GrowingList } from "./growing_list.ts";
import type { CallRow, Row } from "./row.ts";

export interface RowItem {
  readonly kind: "row";
  readonly key: string;
  readonly row: Row;
  /** One of an opened group. */
  readonly inGroup: boolean;
}

/** Several calls of one tool in a row. */
export interface GroupItem {
  readonly kind: "group";
  readonly key: string;
  readonly rows: readonly CallRow[];
}

export type Item = RowItem | GroupItem;

export interface View {
  readonly filter: Filter;
  /** Groups that are open. */
  readonly open: ReadonlySet<string>;
  /** Calls whose sub-agent's rows are hidden. */
  readonly closed: ReadonlySet<string>;
  /** While someone reads, nothing folds under their eyes: groups by the rows that were in them. Null: fold freely. */
  readonly held: ReadonlyMap<string, string> | null;
}

/** Fewer are shown one by one. */
const GROUP_MIN = 3;

export class Items {
  #source: GrowingList<Row> | null = null;
  #mark: Mark = 0;
  #view: View | null = null;
  readonly #items = new GrowingList<Item>();
  /** The place after the last row when they were last looked at. */
  #end: Place = 0;
  /** For each item, the place of its first row, and of the last one that may fold with it. */
  readonly #starts: Place[] = [];
  readonly #ends: Place[] = [];
  readonly #hidden = new Map<string, Place>();

  get all(): readonly Item[] {
    return this.#items.all;
  }

  /** The same items, for who wants to know which of them changed. */
  get list(): GrowingList<Item> {
    return this.#items;
  }

  update(rows: GrowingList<Row>, view: View): void {
    const isSame = this.#view === view && this.#source === rows;
    const first = rows.shifted;
    const same = first + (isSame ? rows.sameSince(this.#mark) : 0);
    const end = first + rows.all.length;
    this.#forget(isSame ? first : Infinity);
    if (isSame && same === this.#end && same === end) return;
    const kept = this.#keptItems(same, view);
    const from = Math.min(same, this.#starts[kept] ?? same);
    this.#items.keep(kept);
    this.#starts.length = kept;
    this.#ends.length = kept;
    [this.#source, this.#mark, this.#end, this.#view] = [rows, rows.mark(), end, view];
    this.#derive(rows, Math.max(first, from), view);
  }

  /** Lets go of what is before the first row; a group stays whole until the last of its rows goes. */
  #forget(first: Place): void {
    const gone = countBefore(this.#ends, first);
    for (const list of [this.#starts, this.#ends]) list.splice(0, gone);
    this.#items.shift(gone);
    for (const [key, place] of this.#hidden) {
      if (place >= first) break;
      this.#hidden.delete(key);
    }
  }

  /** Items that stay: those before the first changed row, without the repeats that it may go on. */
  #keptItems(same: Place, view: View): number {
    let kept = countBefore(this.#starts, same);
    const last = foldable(this.all[kept - 1]);
    for (let row = last; row !== null && last !== null && belong(row, last, view); row = foldable(this.all[kept - 1])) kept -= 1;
    return kept;
  }

  #derive(rows: GrowingList<Row>, from: Place, view: View): void {
    let run: { row: CallRow; place: Place }[] = [];
    const endRun = (): void => {
      this.#pushRun(run, view);
      run = [];
    };
    for (let place = from; place < this.#end; place += 1) {
      const row = rows.all[place - rows.shifted];
      if (row === undefined || this.#isHidden(row, place, view) || !passes(row, view.filter)) continue;
      const [first] = run;
      if (!canFold(row)) {
        endRun();
        this.#push({ kind: "row", key: row.key, row, inGroup: false }, place, place);
        continue;
      }
      if (first !== undefined && !belong(first.row, row, view)) endRun();
      run.push({ row, place });
    }
    endRun();
  }

  #pushRun(run: readonly { row: CallRow; place: Place }[], view: View): void {
    const [first] = run;
    const end = run.at(-1)?.place;
    if (first === undefined || end === undefined) return;
    const key = `group-${first.row.key}`;
    const folds = view.held === null ? run.length >= GROUP_MIN : view.held.get(first.row.key) === key;
    if (!folds) {
      for (const { row, place } of run) this.#push({ kind: "row", key: row.key, row, inGroup: false }, place, place);
      return;
    }
    this.#push({ kind: "group", key, rows: run.map(({ row }) => row) }, first.place, end);
    if (!view.open.has(key)) return;
    for (const { row, place } of run) this.#push({ kind: "row", key: row.key, row, inGroup: true }, place, end);
  }

  #push(item: Item, start: Place, end: Place): void {
    this.#items.push(item);
    this.#starts.push(start);
    this.#ends.push(end);
  }

  #isHidden(row: Row, place: Place, view: View): boolean {
    const inside = row.parent !== null && (view.closed.has(row.parent) || this.#hidden.has(row.parent));
    if (inside) this.#hidden.set(row.key, place);
    return inside;
  }
}

/** Which rows are in which group now, to hold them so. */
export function groupsOf(items: readonly Item[]): Map<string, string> {
  const groups = new Map<string, string>();
  for (const item of items) {
    if (item.kind === "group") for (const row of item.rows) groups.set(row.key, item.key);
  }
  return groups;
}

function canFold(row: Row): row is CallRow {
  if (row.kind !== "call" || typeof row.outcome !== "object" || !row.outcome.success) return false;
  // What it gave to see is seen.
  return row.files.length === 0 && row.tasks.length === 0 && row.outcome.attachments === undefined;
}

/** The call that the item would go on repeating; null where it repeats none. */
function foldable(item: Item | undefined): CallRow | null {
  const row = item?.kind === "group" ? item.rows[0] : item?.row;
  return row !== undefined && canFold(row) ? row : null;
}

function belong(first: CallRow, row: CallRow, { held }: View): boolean {
  if (held !== null) return held.get(row.key) === held.get(first.key) && held.has(row.key);
  return row.tool === first.tool && row.parent === first.parent && row.agent_id === first.agent_id;
}
