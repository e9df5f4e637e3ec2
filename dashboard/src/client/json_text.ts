// Reads JSON as the text that it is: where each part begins and ends, with every digit and every name as it came. What
// `JSON.parse` makes of a text says less: 2512292042121000001 becomes …000, 1.10 becomes 1.1, 1e400 infinite, names that
// look like numbers come first, and of two equal names only the last is left.
//
// All of it expects text that `JSON.parse` has taken. No function calls itself, so no depth is too deep.

/** A part of a text: from `start` up to and without `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What lies directly in an object or a list; `name` is the text of the name with its quotes, null in a list. */
export interface Part extends Span {
  readonly name: string | null;
}

const QUOTE = 0x22;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;
/** A number of at most so many digits is kept exactly. */
const DIGITS_EXACT = 15;

/** Where the next character stands that is no white space. */
export function afterSpace(text: string, at: number): number {
  let next = at;
  for (let code = text.charCodeAt(next); code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09; code = text.charCodeAt(next)) next += 1;
  return next;
}

/** Behind the string whose first quote stands at `start`. */
function afterString(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
}

/** Behind a number, `true`, `false` or `null`. */
function afterWord(text: string, start: number): number {
  let at = start;
  for (let code = text.charCodeAt(at); code > 0x20 && code !== COMMA && code !== CLOSE_LIST && code !== CLOSE_OBJECT; code = text.charCodeAt(at)) at += 1;
  return at;
}

/** Behind the value that begins at `start`. */
export function afterValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return afterString(text, start);
  if (first !== OPEN_LIST && first !== OPEN_OBJECT) return afterWord(text, start);
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = afterString(text, at) - 1;
    else if (code === OPEN_LIST || code === OPEN_OBJECT) depth += 1;
    else if ((code === CLOSE_LIST || code === CLOSE_OBJECT) && (depth -= 1) === 0) return at + 1;
  }
  return text.length;
}

/** What lies directly in the object or list that begins at `start`, in its order, at most so many parts. */
export function partsOf(text: string, start: number, parts_max = Infinity): Part[] {
  const isObject = text.charCodeAt(start) === OPEN_OBJECT;
  const parts: Part[] = [];
  let at = afterSpace(text, start + 1);
  while (at < text.length && text.charCodeAt(at) !== CLOSE_OBJECT && text.charCodeAt(at) !== CLOSE_LIST && parts.length < parts_max) {
    let name: string | null = null;
    if (isObject) {
      const end = afterString(text, at);
      name = text.slice(at, end);
      at = afterSpace(text, afterSpace(text, end) + 1);
    }
    const end = afterValue(text, at);
    parts.push({ name, start: at, end });
    at = afterSpace(text, end);
    if (text.charCodeAt(at) === COMMA) at = afterSpace(text, at + 1);
  }
  return parts;
}

/** How many parts lie directly in the object or list that begins at `start`. */
export function countOfParts(text: string, start: number): number {
  let depth = 0;
  let commas = 0;
  let isEmpty = true;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === CLOSE_LIST || code === CLOSE_OBJECT) {
      if ((depth -= 1) === 0) break;
    } else {
      if (at > start && code > 0x20) isEmpty = false;
      if (code === QUOTE) at = afterString(text, at) - 1;
      else if (code === OPEN_LIST || code === OPEN_OBJECT) depth += 1;
      else if (code === COMMA && depth === 1) commas += 1;
    }
  }
  return isEmpty ? 0 : commas + 1;
}

/** The last part of that name, which is the one that `JSON.parse` takes. */
export function partNamed(text: string, start: number, name: string): Part | null {
  if (text.charCodeAt(start) !== OPEN_OBJECT) return null;
  return partsOf(text, start).findLast((part) => part.name !== null && stringOf(part.name) === name) ?? null;
}

/** What a string or a name says, without its quotes and escapes. */
export function stringOf(quoted: string): string {
  return JSON.parse(quoted) as string;
}

/** Whether `value`, which `JSON.parse` made of the text, says all that the text says. */
export function saysAll(text: string, value: unknown): boolean {
  let names = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = afterString(text, at);
      const next = text.charCodeAt(end) === COLON ? end : afterSpace(text, end);
      if (text.charCodeAt(next) === COLON) {
        names += 1;
        const first = text.charCodeAt(at + 1);
        if (isDigit(first) && isPlace(text.slice(at + 1, end - 1))) return false;
      }
      at = end - 1;
    } else if (code === MINUS || isDigit(code)) {
      const end = afterWord(text, at);
      if (!isPlainNumber(text, at, end)) return false;
      at = end - 1;
    }
  }
  return names === namesIn(value);
}

/** A name that an object puts before all others: "10" but not "010". */
function isPlace(name: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(name);
}

/** Whether a number is written as JavaScript would write it. */
function isPlainNumber(text: string, start: number, end: number): boolean {
  // Most have few digits: those are told by looking, without a text of their own.
  const first = text.charCodeAt(start) === MINUS ? start + 1 : start;
  let at = first;
  while (isDigit(text.charCodeAt(at))) at += 1;
  const isShort = end - start <= DIGITS_EXACT && text.charCodeAt(first) !== ZERO;
  if (isShort && at === end) return true;
  if (isShort && text.charCodeAt(at) === POINT) {
    do at += 1;
    while (isDigit(text.charCodeAt(at)));
    if (at === end && text.charCodeAt(at - 1) !== ZERO) return true;
  }
  const digits = text.slice(start, end);
  return String(Number(digits)) === digits;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** How many names all objects in it have together. */
function namesIn(value: unknown): number {
  let names = 0;
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const one = rest.pop();
    if (typeof one !== "object" || one === null) continue;
    const isList = Array.isArray(one);
    for (const part of isList ? (one as unknown[]) : Object.values(one)) {
      if (!isList) names += 1;
      if (typeof part === "object" && part !== null) rest.push(part);
    }
  }
  return names;
}

/** All strings and names of the text, what they say, and all numbers and words as they stand there. */
export function textsIn(text: string): string[] {
  const texts: string[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = afterString(text, at);
      texts.push(stringOf(text.slice(at, end)));
      at = end - 1;
    } else if (code > 0x20 && code !== COMMA && code !== COLON && !isBracket(code)) {
      const end = afterWord(text, at);
      texts.push(text.slice(at, end));
      at = end - 1;
    }
  }
  return texts;
}

function isBracket(code: number): boolean {
  return code === OPEN_LIST || code === CLOSE_LIST || code === OPEN_OBJECT || code === CLOSE_OBJECT;
}

/** The text with a line for each part, indented by two; of what it says nothing is touched. */
export function laidOut(text: string): string {
  const pieces: string[] = [];
  let depth = 0;
  const line = (): string => `\n${"  ".repeat(depth)}`;
  for (let at = afterSpace(text, 0); at < text.length; at = afterSpace(text, at)) {
    const code = text.charCodeAt(at);
    if (code === OPEN_LIST || code === OPEN_OBJECT) {
      const next = afterSpace(text, at + 1);
      const isEmpty = text.charCodeAt(next) === CLOSE_LIST || text.charCodeAt(next) === CLOSE_OBJECT;
      if (isEmpty) pieces.push(text.charAt(at), text.charAt(next));
      else {
        depth += 1;
        pieces.push(text.charAt(at), line());
      }
      at = isEmpty ? next + 1 : at + 1;
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) {
      depth -= 1;
      pieces.push(line(), text.charAt(at));
      at += 1;
    } else if (code === COMMA) {
      pieces.push(",", line());
      at += 1;
    } else if (code === COLON) {
      pieces.push(": ");
      at += 1;
    } else {
      const end = afterValue(text, at);
      pieces.push(text.slice(at, end));
      at = end;
    }
  }
  return pieces.join("");
}
