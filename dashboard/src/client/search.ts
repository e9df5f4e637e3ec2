// Finds a text in rows, a slice at a time so that no frame waits for it, and never looks at a row twice.

import type { Row } from "./row.ts";

/** A row's text beyond this is not searched. */
const ROW_CHARACTERS_MAX = 1024 * 1024;

export class Search {
  readonly query: string;
  readonly #pattern: RegExp;
  readonly #known = new WeakMap<Row, boolean>();

  constructor(query: string) {
    this.query = query;
    this.#pattern = new RegExp(query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "iu");
  }

  /** The rows that have the text, and whether all were looked at before `isOver` said to stop. */
  find(rows: readonly Row[], isOver: () => boolean): { found: Row[]; done: boolean } {
    const found: Row[] = [];
    for (const row of rows) {
      let has = this.#known.get(row);
      if (has === undefined) {
        if (isOver()) return { found, done: false };
        has = this.has(row);
        this.#known.set(row, has);
      }
      if (has) found.push(row);
    }
    return { found, done: true };
  }

  has(row: Row): boolean {
    return textsOf(row).some((text) => this.#pattern.test(text.slice(0, ROW_CHARACTERS_MAX)));
  }
}

/** All that a row says, opened. */
export function textsOf(row: Row): string[] {
  switch (row.kind) {
    case "say":
      return [row.text];
    case "lines":
      return row.lines.map((line) => line.text);
    case "call":
      return [
        row.summary,
        row.tool,
        ...strings(row.input),
        ...(typeof row.outcome === "object" ? [row.outcome.content] : []),
        ...row.files.map((file) => file.path),
      ];
    case "result":
      return [row.result.content];
    case "note":
      return [row.text, row.detail ?? ""];
    case "question":
      return [row.question.detail, ...row.question.options];
    case "unknown":
      return [row.name, ...strings(row.data)];
    case "gap":
    case "end":
      return [row.text];
    case "run":
      return [];
  }
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
