// Which parts a reader has opened, apart from the rows that show them: a row that leaves the window and comes back is
// as it was left.

import { useEffect, useReducer } from "preact/hooks";

export class OpenParts {
  readonly #toggled = new Set<string>();
  readonly #listeners = new Set<() => void>();

  has(name: string): boolean {
    return this.#toggled.has(name);
  }

  /** All that begin so. */
  named(beginning: string): readonly string[] {
    return [...this.#toggled].filter((name) => name.startsWith(beginning));
  }

  set(name: string, open: boolean): void {
    if (open === this.#toggled.has(name)) return;
    if (open) this.#toggled.add(name);
    else this.#toggled.delete(name);
    for (const listener of [...this.#listeners]) listener();
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}

/** Whether the part is open, and how to turn that around. */
export function useOpen(parts: OpenParts, name: string): [open: boolean, toggle: () => void] {
  const open = parts.has(name);
  const [, renderAgain] = useReducer((count: number, _: undefined) => count + 1, 0);
  useEffect(() => parts.listen(() => parts.has(name) !== open && renderAgain(undefined)), [parts, name, open]);
  return [open, () => parts.set(name, !parts.has(name))];
}
