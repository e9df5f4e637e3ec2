// JSON as the lines of a tree, of which only those are made that are in sight: what is closed costs a count, and a long
// list begins with its first hundred.

import type { Part } from "./json_text.ts";
import { afterSpace, afterValue, countOfParts, partsOf, stringOf } from "./json_text.ts";

/** So many parts are shown of one object or list, and so many more with each request. */
export const PARTS_SHOWN = 100;
/** As much is open from the start as fits in so many lines. */
const LINES_AT_START = 40;
/** Of the parts that have what a reader looks for, so many open by themselves, and of one so many parts are gone through. */
const SOUGHT_MAX = 100;
const PARTS_SOUGHT_MAX = 2_000;
/** A longer string, or one of several lines, is folded. */
const STRING_CHARACTERS = 160;

/** What is shown of something closed. */
const BEGINNING_CHARACTERS = 120;

/** What the reader did to a tree; a line's key is the same for the tree's life. */
export interface TreeView {
  /** True and false for what the reader opened and closed, null for what is as it began. */
  readonly chosen: (key: string) => boolean | null;
  /** How many parts of it the reader asked for. */
  readonly asked: (key: string) => number;
  /** What the reader looks for, "" for nothing: it is not left folded. */
  readonly sought: string;
}

interface Base {
  readonly key: string;
  /** 1 for the outermost. */
  readonly level: number;
  /** The name in an object, the number in a list, null for the outermost. */
  readonly name: string | null;
  /** Which of how many it is among its neighbours. */
  readonly position: number;
  readonly neighbours: number;
}

export type TreeLine =
  /** `beginning`: of what it says, on one line. */
  | (Base & { readonly kind: "object" | "list"; readonly open: boolean; readonly count: number; readonly beginning: string })
  /** `foldable`: longer than a line. `text` is what the string says. */
  | (Base & { readonly kind: "string"; readonly open: boolean; readonly foldable: boolean; readonly text: string })
  /** A number, `true`, `false` or `null`, as it came. */
  | (Base & { readonly kind: "number" | "word"; readonly text: string })
  /** Parts that are not shown yet; `of` is the key of what they are parts of. */
  | (Base & { readonly kind: "more"; readonly of: string; readonly shown: number; readonly rest: number });

interface Node {
  readonly key: string;
  readonly level: number;
  readonly name: string | null;
  readonly position: number;
  readonly neighbours: number;
  readonly start: number;
  readonly end: number;
}

export class JsonTree {
  readonly #text: string;
  readonly #root: Node;
  readonly #counts = new Map<number, number>();
  readonly #openAtStart: ReadonlySet<string>;
  /** Where the sought text stands next, looked for from `from` on. */
  #search: { readonly sought: string; readonly text: string; readonly written: string; from: number; found: number } | null = null;

  /** The text is one that `JSON.parse` takes. */
  constructor(text: string) {
    this.#text = text;
    const start = afterSpace(text, 0);
    this.#root = { key: "", level: 1, name: null, position: 1, neighbours: 1, start, end: afterValue(text, start) };
    this.#openAtStart = this.#firstOpen();
  }

  lines(view: TreeView): TreeLine[] {
    const lines: TreeLine[] = [];
    let sought = 0;
    // What is still to be shown, the next one last.
    const rest: (Node | TreeLine)[] = [this.#root];
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      if ("kind" in next) {
        lines.push(next);
        continue;
      }
      const hasSought = sought < SOUGHT_MAX && this.#has(next, view.sought);
      sought += Number(hasSought);
      const line = this.#line(next, view.chosen(next.key), hasSought);
      lines.push(line);
      if ((line.kind !== "object" && line.kind !== "list") || !line.open) continue;
      const wanted = Math.max(PARTS_SHOWN, view.asked(next.key));
      const parts = this.#parts(next, hasSought ? Math.max(wanted, PARTS_SOUGHT_MAX) : wanted);
      const shown = hasSought ? Math.max(wanted, 1 + parts.findIndex((part) => this.#has(part, view.sought))) : wanted;
      if (line.count > shown) rest.push(moreLine(next, shown, line.count));
      for (const part of parts.slice(0, shown).reverse()) rest.push(part);
    }
    return lines;
  }

  /** The outermost first, then what lies in it, as long as there is room. */
  #firstOpen(): Set<string> {
    const open = new Set<string>();
    let lines = 1;
    const rest = [this.#root];
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
      if (!this.#isContainer(next)) continue;
      const count = this.#count(next);
      if (next !== this.#root && lines + count > LINES_AT_START) continue;
      open.add(next.key);
      lines += count;
      if (lines < LINES_AT_START) rest.push(...this.#parts(next, LINES_AT_START));
    }
    return open;
  }

  #line(node: Node, chosen: boolean | null, hasSought: boolean): TreeLine {
    const { key, level, name, position, neighbours } = node;
    const base = { key, level, name, position, neighbours };
    const first = this.#text.charAt(node.start);
    if (first === "{" || first === "[") {
      const open = chosen ?? (hasSought || this.#openAtStart.has(key));
      return { ...base, kind: first === "{" ? "object" : "list", open, count: this.#count(node), beginning: this.#beginning(node) };
    }
    const source = this.#text.slice(node.start, node.end);
    if (first !== '"') return { ...base, kind: /[-\d]/.test(first) ? "number" : "word", text: source };
    const text = stringOf(source);
    const foldable = text.length > STRING_CHARACTERS || text.includes("\n");
    return { ...base, kind: "string", foldable, open: foldable && (chosen ?? hasSought), text };
  }

  #beginning({ start, end }: Node): string {
    const text = this.#text.slice(start, Math.min(end, start + BEGINNING_CHARACTERS)).replace(/\s+/g, " ");
    return end - start > BEGINNING_CHARACTERS ? `${text}…` : text;
  }

  #isContainer({ start }: Node): boolean {
    const first = this.#text.charAt(start);
    return first === "{" || first === "[";
  }

  #count({ start }: Node): number {
    let count = this.#counts.get(start);
    if (count === undefined) {
      count = countOfParts(this.#text, start);
      this.#counts.set(start, count);
    }
    return count;
  }

  #parts(node: Node, parts_max: number): Node[] {
    const neighbours = this.#count(node);
    return partsOf(this.#text, node.start, parts_max).map((part: Part, index) => ({
      key: `${node.key}/${index}`,
      level: node.level + 1,
      name: part.name === null ? String(index) : stringOf(part.name),
      position: index + 1,
      neighbours,
      start: part.start,
      end: part.end,
    }));
  }

  #has({ start, end }: Node, sought: string): boolean {
    if (sought === "") return false;
    if (this.#search?.sought !== sought) {
      const lower = this.#text.toLowerCase();
      // Some letters grow when made small, and then positions would not be the text's own.
      const text = lower.length === this.#text.length ? lower : this.#text;
      this.#search = { sought, text, written: JSON.stringify(sought.toLowerCase()).slice(1, -1), from: 0, found: -1 };
      this.#search.found = this.#search.text.indexOf(this.#search.written);
    }
    const search = this.#search;
    // Nodes come in about the order of the text: what was found for the one before often holds for the next.
    if (start < search.from || (search.found >= 0 && start > search.found)) {
      search.from = start;
      search.found = search.text.indexOf(search.written, start);
    }
    return search.found >= 0 && search.found < end;
  }
}

function moreLine(of: Node, shown: number, count: number): TreeLine {
  return { kind: "more", key: `${of.key}/more`, of: of.key, level: of.level + 1, name: null, position: shown + 1, neighbours: count, shown, rest: count - shown };
}

/**
 * The JSON that a text is: an object or a list as it stands there, of JSON lines a list of them. Null for any other text,
 * and for what is empty.
 */
export function jsonIn(text: string): string | null {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed) || !/[\]}]$/.test(trimmed)) return null;
  if (isJson(trimmed)) return countOfParts(trimmed, 0) === 0 ? null : trimmed;
  const lines = trimmed.split("\n").filter((line) => line.trim() !== "");
  return lines.length > 1 && lines.every((line) => /^\s*[[{]/.test(line) && isJson(line)) ? `[${lines.join(",")}]` : null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
