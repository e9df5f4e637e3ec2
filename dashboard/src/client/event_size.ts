// How much an event weighs in memory, without writing it out as JSON: counted in characters, and only about.

import type { TownEvent } from "../protocol/protocol.ts";
import { sourceCharacters } from "./event_source.ts";

/** What a field costs beside its text. */
const FIELD_CHARACTERS = 16;

export function eventCharacters(event: TownEvent): number {
  return characters(event.data) + sourceCharacters(event);
}

function characters(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return FIELD_CHARACTERS;
  let sum = FIELD_CHARACTERS;
  for (const part of Array.isArray(value) ? value : Object.values(value)) sum += FIELD_CHARACTERS + characters(part);
  return sum;
}
