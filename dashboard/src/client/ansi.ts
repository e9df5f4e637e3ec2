// What a program printed for a terminal: colours and weights are kept, all else that only a terminal understands goes.
// Nothing hides: text "concealed" or written over stays there to read.

import Anser from "anser";

export interface AnsiPart {
  readonly text: string;
  /** Names of a colour and of weights: `ansi-red`, `bold`. */
  readonly names: readonly string[];
  /** A colour beyond the sixteen that have names: "r, g, b". */
  readonly colour: string | null;
}

/** Titles and links (OSC), other strings, moves of the cursor, and whatever else is not a colour. */
const UNSEEN =
  /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[PX^_][^\u001b]*(?:\u001b\\)?|\u001b\[[0-?]*[ -/]*[@-ln-~]|\u001b(?!\[)[ -/]*[0-~]?/gu;

const NAMES = /^(?:ansi-(?:bright-)?(?:black|red|green|yellow|blue|magenta|cyan|white)|bold|dim|italic|underline|strikethrough)$/;

export function ansiParts(text: string): AnsiPart[] {
  // A lone carriage return writes over the line; here each state of a progress bar has a line of its own.
  const plain = text.replace(UNSEEN, "").replace(/\r+\n/g, "\n").replace(/\r/g, "\n");
  return Anser.ansiToJson(plain, { json: true, use_classes: true, remove_empty: true }).map((part) => ({
    text: part.content,
    names: [part.fg, ...part.decorations].filter((name) => NAMES.test(name ?? "")),
    colour: part.fg === "ansi-truecolor" ? part.fg_truecolor : paletteColour(part.fg),
  }));
}

/** The 256 colours: after the 16 that have names a cube of 6 × 6 × 6, then 24 greys. */
function paletteColour(name: string | null): string | null {
  const number = Number(/^ansi-palette-(\d+)$/.exec(name ?? "")?.[1] ?? -1);
  if (number < 16) return null;
  if (number >= 232) return Array(3).fill(8 + 10 * (number - 232)).join(", ");
  const step = (value: number): number => (value === 0 ? 0 : 55 + 40 * value);
  const cube = number - 16;
  return [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(step).join(", ");
}
