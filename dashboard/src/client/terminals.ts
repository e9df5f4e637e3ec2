// The terminals of the rows that are shown. The model comes only when a text needs it: one without control characters
// is what it is.

import type { Model, Piece } from "./terminal_block.ts";
import { TerminalBlock } from "./terminal_block.ts";
import type { TerminalLine } from "./terminal_span.ts";

/** Rows whose terminals are kept; that of the one shown longest ago goes, and is made anew when it is shown again. */
const BLOCKS_MAX = 32;

const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/u;
/** Where there is no model yet: what of a text is not to be read. */
const ESCAPES = /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b\[[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]?/gu;

/** Whether only a terminal shows it as it was meant. */
export function needsTerminal(text: string): boolean {
  return CONTROLS.test(text);
}

export class Terminals {
  readonly #load: () => Promise<new () => Model>;
  #Model: (new () => Model) | null = null;
  #loading: Promise<void> | null = null;
  /** Those that were shown longest ago first. */
  readonly #blocks = new Map<string, TerminalBlock>();

  constructor(load: () => Promise<new () => Model>) {
    this.#load = load;
  }

  get isReady(): boolean {
    return this.#Model !== null;
  }

  /** Brings the model; where it does not come, texts are shown without it. */
  ready(): Promise<void> {
    this.#loading ??= this.#load().then(
      (Model) => void (this.#Model = Model),
      () => void (this.#loading = null),
    );
    return this.#loading;
  }

  /** The lines that pieces make which may go on under the same name; null until the model is here. */
  lines(name: string, pieces: readonly Piece[]): readonly TerminalLine[] | null {
    if (this.#Model === null) return null;
    let block = this.#blocks.get(name);
    this.#blocks.delete(name);
    if (block !== undefined && !block.goesOnWith(pieces)) {
      block.free();
      block = undefined;
    }
    block ??= new TerminalBlock(new this.#Model());
    this.#blocks.set(name, block);
    for (const [oldest, unused] of this.#blocks) {
      if (this.#blocks.size <= BLOCKS_MAX) break;
      unused.free();
      this.#blocks.delete(oldest);
    }
    return block.lines(pieces);
  }

  /** The lines of a text that is whole. */
  linesOf(text: string): readonly TerminalLine[] | null {
    if (this.#Model === null) return null;
    const block = new TerminalBlock(new this.#Model());
    try {
      return block.lines([{ text, stream: "stdout", partial: false }]);
    } finally {
      block.free();
    }
  }

  /** What pieces say, as one would copy it. */
  plain(name: string, pieces: readonly Piece[]): string {
    if (pieces.some(({ text }) => needsTerminal(text))) {
      void this.ready();
      const lines = this.lines(name, pieces);
      if (lines !== null) return lines.map((line) => line.map(({ text }) => text).join("")).join("\n");
    }
    const text = pieces.map(({ text, partial }) => (partial ? text : `${text}\n`)).join("");
    return withoutEscapes(text);
  }
}

/** The text alone, each state of a line as it was printed. */
export function withoutEscapes(text: string): string {
  return text.replace(ESCAPES, "");
}

/** The page's own. */
export const terminals = new Terminals(async () => {
  const { default: start, PageTerminal } = await import("terminal-module");
  await start();
  return PageTerminal;
});
