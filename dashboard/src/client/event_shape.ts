// Any program may post an event under a known name with data of its own making. This looks at the data before the
// view trusts it: what does not have the shape is shown raw, like an event of an unknown name.

import { EVENT_SHAPES } from "../protocol/event_shapes.ts";
import type { KnownEvent, TownEvent } from "../protocol/protocol.ts";

/** What a value may be: a kind by its name, one of some words, or an object of fields. */
export type Shape = "text" | "number" | "integer" | "count" | "flag" | "anything" | readonly string[] | Fields;

/** Fields by their names: `path` is always there, `path?` may be left out or null, `paths[]` and `paths[]?` are lists. */
export type Fields = { readonly [field: string]: Shape };

type Check = (value: unknown) => boolean;

const KINDS = {
  text: (value) => typeof value === "string",
  // A number that JavaScript can not hold is shown as it came, like anything else that is not of the protocol.
  number: (value) => typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER,
  integer: (value) => Number.isSafeInteger(value),
  count: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  flag: (value) => typeof value === "boolean",
  anything: () => true,
} satisfies Record<string, Check>;

// A Map, not an object: an event may well be called `constructor`.
const checks = new Map(Object.entries(EVENT_SHAPES).map(([name, fields]) => [name, checkOf(fields)]));

/** The event as the protocol's type, or null where its name or its data is not of the protocol. */
export function knownEvent(event: TownEvent): KnownEvent | null {
  return checks.get(event.event)?.(event.data) ? ({ event: event.event, data: event.data } as KnownEvent) : null;
}

function checkOf(shape: Shape): Check {
  if (typeof shape === "string") return KINDS[shape];
  if (isWords(shape)) return (value) => shape.some((word) => word === value);
  const fields = Object.entries(shape).map(([key, inner]) => fieldCheck(key, checkOf(inner)));
  return (value) => typeof value === "object" && value !== null && !Array.isArray(value) && fields.every((holds) => holds(value));
}

function fieldCheck(key: string, check: Check): (fields: object) => boolean {
  const isOptional = key.endsWith("?");
  const isList = key.includes("[]");
  const name = key.replace(/\W+$/, "");
  const checkAll: Check = isList ? (value) => Array.isArray(value) && value.every(check) : check;
  return (fields) => {
    // hasOwn: a field that only the prototype has ("constructor") is not there.
    const value: unknown = Object.hasOwn(fields, name) ? (fields as Record<string, unknown>)[name] : undefined;
    return ((value === undefined || value === null) && isOptional) || checkAll(value);
  };
}

/** `Array.isArray` alone does not tell a list that cannot be written to from an object. */
function isWords(shape: readonly string[] | Fields): shape is readonly string[] {
  return Array.isArray(shape);
}
