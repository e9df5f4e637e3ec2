// Events of an agent, or of a whole town, in this tab, as rows: what the stream brings is appended, what was fetched later
// is put in its place, and then all rows are made anew. Of a log that nobody looks at, no rows are made.

import type { Gap, TownEvent } from "../protocol/protocol.ts";
import { Changes } from "./changes.ts";
import type { Schedule } from "./changes.ts";
import { eventCharacters } from "./event_size.ts";
import type { Typed } from "./previews.ts";
import { CHARACTERS_MAX, EVENTS_MAX, Rows } from "./rows.ts";
import type { Bounds } from "./rows.ts";

export class EventLog {
  readonly changes: Changes;
  readonly #usual: Bounds;
  #bounds: Bounds;
  #rows: Rows;
  /** Events that have no rows yet; within the bounds by themselves, so that a log has at most twice as much. */
  #waiting: TownEvent[] = [];
  #waiting_characters = 0;
  #gaps: Gap[] = [];
  #typed: readonly Typed[] = [];

  constructor(schedule: Schedule, bounds: Bounds = { events: EVENTS_MAX, characters: CHARACTERS_MAX }) {
    this.changes = new Changes(schedule);
    [this.#usual, this.#bounds, this.#rows] = [bounds, bounds, new Rows(bounds)];
  }

  get rows(): Rows {
    this.#makeRows();
    return this.#rows;
  }

  /** All events that are here, oldest first. */
  events(): TownEvent[] {
    return [...this.#rows.all.flatMap((row) => row.events), ...this.#waiting];
  }

  /** What the stream left out and the log may still have. */
  get gaps(): readonly Gap[] {
    return this.#gaps.filter((gap) => gap.reason === "elided");
  }

  /** The oldest event that is here; null where there is none. */
  get oldest_id(): number | null {
    return this.rows.all.find((row) => row.events.length > 0)?.id ?? null;
  }

  /** Texts that have no event yet. */
  get typed(): readonly Typed[] {
    return this.#typed;
  }

  append(event: TownEvent): void {
    this.#waiting.push(event);
    this.#waiting_characters += eventCharacters(event);
    // The rows let go of the oldest beyond their bounds.
    if (this.#waiting.length > this.#bounds.events || this.#waiting_characters > this.#bounds.characters) this.#makeRows();
    this.changes.touch();
  }

  appendGap(gap: Gap): void {
    // A viewer that comes back is told again of what is missing; the reader knows already.
    const known = this.#gaps.some((other) => gap.agent_id === other.agent_id && gap.reason === other.reason && gap.to <= other.to);
    if (known) return;
    this.#gaps.push(gap);
    this.rows.appendGap(gap);
    this.changes.touch();
  }

  type(typed: readonly Typed[]): void {
    this.#typed = typed;
    this.changes.touch();
  }

  /**
   * Puts in events that were fetched, wherever they belong, and closes the gap that they fill. The bounds move with
   * them: what a reader asked for does not push out what was there.
   */
  insert(events: readonly TownEvent[], filled: Gap | null): void {
    this.#bounds = {
      events: this.#bounds.events + events.length,
      characters: this.#bounds.characters + events.reduce((sum, event) => sum + eventCharacters(event), 0),
    };
    const known = new Map<number, TownEvent>(this.events().map((event) => [event.id, event]));
    for (const event of events) known.set(event.id, event);
    this.#gaps = this.#gaps.filter((gap) => gap !== filled);
    const steps = [
      ...this.#gaps.map((gap) => ({ id: gap.from - 0.5, gap, event: null })),
      ...[...known.values()].map((event) => ({ id: event.id, gap: null, event })),
    ].sort((one, other) => one.id - other.id);
    this.#begin();
    for (const { gap, event } of steps) {
      if (gap !== null) this.#rows.appendGap(gap);
      else this.#rows.append(event);
    }
    this.changes.touch();
  }

  /** What was thought to be in the log is gone from it, too. */
  lose(gap: Gap): void {
    this.#gaps = this.#gaps.map((other) => (other === gap ? { ...gap, reason: "pruned" } : other));
    this.insert([], null);
  }

  clear(): void {
    this.#bounds = this.#usual;
    this.#begin();
    this.#gaps = [];
    this.#typed = [];
    this.changes.touch();
  }

  #begin(): void {
    this.#rows = new Rows(this.#bounds);
    [this.#waiting, this.#waiting_characters] = [[], 0];
  }

  #makeRows(): void {
    for (const event of this.#waiting) this.#rows.append(event);
    [this.#waiting, this.#waiting_characters] = [[], 0];
  }
}
