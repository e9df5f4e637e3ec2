// What an event's data was before it was parsed, kept only where parsing lost something of it: digits, the order of names,
// names that stood there twice. So what the page shows and copies is what came, over whichever way it came.

import type { TownEvent } from "../protocol/protocol.ts";
import { afterSpace, partNamed, partsOf, saysAll } from "./json_text.ts";

const sources = new WeakMap<TownEvent, string>();

/**
 * Keeps what the events of a text lose by being parsed. `parsed` is what `JSON.parse` made of the text, and `path` names
 * where in it an event is, or a list of events.
 */
export function keepSources(text: string, parsed: unknown, path: readonly string[]): void {
  if (comesBack(text, parsed) || saysAll(text, parsed)) return;
  let start = afterSpace(text, 0);
  let value = parsed;
  for (const name of path) {
    const part = partNamed(text, start, name);
    if (part === null) return;
    start = part.start;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  if (!Array.isArray(value)) return keepSource(text, start, value);
  const events = value as readonly unknown[];
  partsOf(text, start).forEach((part, index) => keepSource(text, part.start, events[index]));
}

/** The fastest look: what comes back as it was has lost nothing. Other texts may only have been written with more space. */
function comesBack(text: string, parsed: unknown): boolean {
  try {
    return JSON.stringify(parsed) === text;
  } catch {
    // Nested deeper than the browser can write.
    return false;
  }
}

function keepSource(text: string, start: number, event: unknown): void {
  const part = partNamed(text, start, "data");
  if (part === null || typeof event !== "object" || event === null) return;
  const source = text.slice(part.start, part.end);
  if (!saysAll(source, (event as TownEvent).data)) sources.set(event as TownEvent, source);
}

/** The event's data as JSON, as it came. */
export function dataText(event: TownEvent): string {
  return sources.get(event) ?? JSON.stringify(event.data) ?? "null";
}

/** The event as JSON, its data as it came. */
export function eventText(event: TownEvent): string {
  const source = sources.get(event);
  if (source === undefined) return JSON.stringify(event);
  const fields = Object.entries(event).map(([name, value]) => `${JSON.stringify(name)}:${name === "data" ? source : JSON.stringify(value)}`);
  return `{${fields.join(",")}}`;
}

/** One field of the event's data as JSON, as it came; null where there is none. */
export function fieldText(event: TownEvent, name: string): string | null {
  const text = dataText(event);
  const part = partNamed(text, afterSpace(text, 0), name);
  return part === null ? null : text.slice(part.start, part.end);
}

/** Whether parsing lost something of the event's data, so that only its text says all. */
export function saysLess(event: TownEvent): boolean {
  return sources.has(event);
}

/** How many characters are kept beside the event. */
export function sourceCharacters(event: TownEvent): number {
  return sources.get(event)?.length ?? 0;
}
