// A part of a terminal's line, as the page shows it: names of classes, and colours that have no name.
//
// Nothing hides: text that a terminal would conceal is there to read.

export interface TerminalSpan {
  readonly text: string;
  /** `ansi-red`, `bold`, `underline-curly`, … */
  readonly names: readonly string[];
  /** The colour of the text beyond the sixteen that have names: `rgb(1, 2, 3)`. */
  readonly colour: string | null;
  /** The colour behind it. */
  readonly behind: string | null;
  readonly line_colour: string | null;
  /** What the program linked it to, whatever that is. */
  readonly address: string | null;
  readonly stream: "stdout" | "stderr";
}

export type TerminalLine = readonly TerminalSpan[];

/** What the model gives for a span, behind its length: attributes and underline, source, three colours, link. */
export const SPAN_NUMBERS = 7;
export const LINE_END = 0xffff_ffff;

const ATTRIBUTES = ["bold", "dim", "italic", "blink", "inverse", "concealed", "strike", "overline"];
const UNDERLINES = ["", "underline", "underline-double", "underline-curly", "underline-dotted", "underline-dashed"];
const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const INVERSE = 1 << 4;
const INDEXED = 1;
const RGB = 2;

export function terminalSpan(text: string, numbers: Uint32Array, link: (number: number) => string | undefined): TerminalSpan {
  const [, looks = 0, source = 0, foreground = 0, background = 0, underline = 0, address = 0] = numbers;
  const isInverse = (looks & INVERSE) !== 0;
  const [over, under] = isInverse ? [background, foreground] : [foreground, background];
  const names = ATTRIBUTES.filter((name, bit) => (looks & (1 << bit)) !== 0 && name !== "inverse");
  const line = UNDERLINES[looks >> 8];
  if (line) names.push(line);
  const name = colourName(over);
  if (name !== null) names.push(`ansi-${name}`);
  const behindName = colourName(under);
  if (behindName !== null) names.push(`behind-${behindName}`);
  if (under !== 0) names.push("behind");
  if (isInverse && over === 0 && under === 0) names.push("inverse");
  return {
    text,
    names,
    colour: name === null ? colourOf(over) : null,
    behind: behindName === null ? colourOf(under) : null,
    line_colour: colourOf(underline),
    address: address === 0 ? null : (link(address) ?? null),
    stream: source === 1 ? "stderr" : "stdout",
  };
}

function colourName(colour: number): string | null {
  const number = colour & 0xff;
  if (colour >>> 24 !== INDEXED || number >= 16) return null;
  return `${number >= 8 ? "bright-" : ""}${COLOURS[number % 8]}`;
}

/** The 256 colours: after the 16 that have names a cube of 6 × 6 × 6, then 24 greys. */
function colourOf(colour: number): string | null {
  const kind = colour >>> 24;
  if (kind === RGB) return `rgb(${(colour >> 16) & 0xff}, ${(colour >> 8) & 0xff}, ${colour & 0xff})`;
  if (kind !== INDEXED) return null;
  const number = colour & 0xff;
  if (number < 16) return `var(--ansi-${number % 8})`;
  if (number >= 232) return `rgb(${Array(3).fill(8 + 10 * (number - 232)).join(", ")})`;
  const step = (value: number): number => (value === 0 ? 0 : 55 + 40 * value);
  const cube = number - 16;
  return `rgb(${[Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(step).join(", ")})`;
}

/** Whether an address may be opened from here. */
export function isWebAddress(address: string): boolean {
  return /^https?:\/\//iu.test(address);
}

/** Whether a text says that it leads somewhere else than it does: `https://bank.example` linked to another place. */
export function looksElsewhere(text: string, address: string): boolean {
  const said = text.trim().toLowerCase();
  const looksLikeAddress = /^(?:[a-z][a-z0-9+.-]*:\/\/|www\.|mailto:)|^[\w-]+(?:\.[\w-]+)+(?:[/:?#]|$)/u.test(said);
  const bare = (one: string): string => one.replace(/^[a-z][a-z0-9+.-]*:(?:\/\/)?/u, "").replace(/\/$/u, "");
  const leadsTo = address.toLowerCase();
  // A file's name alone (`a.rs`) looks like a host's.
  if (leadsTo.startsWith("file:") && leadsTo.endsWith(`/${said}`)) return false;
  return looksLikeAddress && bare(leadsTo) !== bare(said);
}
