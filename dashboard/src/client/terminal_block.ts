// One terminal's lines, kept while what a program prints goes on: a new piece costs what is new in it.

import type { TerminalLine, TerminalSpan } from "./terminal_span.ts";
import { LINE_END, SPAN_NUMBERS, terminalSpan } from "./terminal_span.ts";

/** What a program printed at once: a line without its end, or with `partial` a part of one. */
export interface Piece {
  readonly text: string;
  readonly stream: "stdout" | "stderr";
  readonly partial: boolean;
}

/** The model, which is WebAssembly. */
export interface Model {
  feed(source: number, text: string): void;
  changes(): { readonly dropped: number; readonly from: number; readonly text: string; readonly spans: Uint32Array; free(): void };
  link(number: number): string | undefined;
  free(): void;
}

export class TerminalBlock {
  readonly #model: Model;
  /** How many pieces were fed, and the first and the last of them: by these a longer list is known to go on. */
  #count = 0;
  #first: Piece | undefined;
  #last: Piece | undefined;
  #lines: TerminalLine[] = [];
  #dropped = 0;

  constructor(model: Model) {
    this.#model = model;
  }

  /** Lines that went because of the model's bounds. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether these pieces are those that were fed, and perhaps more. */
  goesOnWith(pieces: readonly Piece[]): boolean {
    return this.#count === 0 || (pieces[0] === this.#first && pieces[this.#count - 1] === this.#last);
  }

  /** The lines of all pieces; those that did not change are the same objects as before. */
  lines(pieces: readonly Piece[]): readonly TerminalLine[] {
    if (pieces.length > this.#count) {
      for (const { text, stream, partial } of pieces.slice(this.#count)) {
        this.#model.feed(stream === "stderr" ? 1 : 0, partial || text.endsWith("\n") ? text : `${text}\n`);
      }
      [this.#count, this.#first, this.#last] = [pieces.length, pieces[0], pieces.at(-1)];
      this.#update();
    }
    return this.#lines;
  }

  free(): void {
    this.#model.free();
  }

  #update(): void {
    const shown = this.#model.changes();
    const { dropped, from } = shown;
    const kept = this.#lines.slice(Math.max(0, dropped - this.#dropped), Math.max(0, from - this.#dropped));
    this.#lines = [...kept, ...linesOf(shown.text, shown.spans, (number) => this.#model.link(number))];
    this.#dropped = dropped;
    shown.free();
  }
}

function linesOf(text: string, spans: Uint32Array, link: (number: number) => string | undefined): TerminalLine[] {
  const lines: TerminalLine[] = [];
  let line: TerminalSpan[] = [];
  let at = 0;
  for (let index = 0; index < spans.length; ) {
    const length = spans[index] ?? LINE_END;
    if (length === LINE_END) {
      lines.push(line);
      line = [];
      index += 1;
      continue;
    }
    line.push(terminalSpan(text.slice(at, at + length), spans.subarray(index, index + SPAN_NUMBERS), link));
    at += length;
    index += SPAN_NUMBERS;
  }
  return lines;
}
