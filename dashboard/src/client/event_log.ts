// Events of an agent, or of a whole town, in this tab, as rows: what the stream brings is appended, what was fetched later
// is put in its place, and then all rows are made anew. Of a log that nobody looks at, no rows are made.

import type { Gap, TownEvent } from "../protocol/protocol.ts";
import { Changes } from "./changes.ts";
import { eventCharacters } from "./event_size.ts";
import type { Schedule } from "./listeners.ts";
import type { Typed } from "./previews.ts";
import type { Bounds } from "./rows.ts";
import { CHARACTERS_MAX, EVENTS_MAX, Rows } from "./rows.ts";

export class EventLog {
  readonly changes: Changes;
  readonly #usual: Bounds;
  #bounds: Bounds;
  #rows: Rows;
  /** Events that have no rows yet; within the bounds by themselves, so that a log has at most twice as much. */
  #waiting: TownEvent[] = [];
  #waiting_characters = 0;
  #gaps: Gap[] = [];
  /** Events are known to have been before the oldest that is here … */
  #lacks_earlier = false;
  /** … but not of these agents. */
  readonly #whole = new Set<string>();
  /** How many events the rows had let go of when that was last looked at. */
  #dropped = 0;
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

  /** Whether the town's log no longer has all of what belongs here. */
  get hasLost(): boolean {
    return this.#gaps.some((gap) => gap.reason === "pruned");
  }

  /** The agent's oldest event that is here; null where there is none. */
  oldestOf(agent_id: string): number | null {
    return this.rows.all.find((row) => row.agent_id === agent_id && row.events.length > 0)?.id ?? null;
  }

  /** Whether the town may have events of the agent from before its oldest here, because this tab let go of them. */
  lacksEarlier(agent_id: string): boolean {
    this.#makeRows();
    return this.#lacks_earlier && !this.#whole.has(agent_id);
  }

  /** Some events were gone before the others came here. */
  beginsLate(): void {
    this.#lacks_earlier = true;
    this.#whole.clear();
  }

  /** The town has no more events of the agent than are here. */
  beginsWith(agent_id: string): void {
    this.#whole.add(agent_id);
    this.changes.touch();
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
    this.#fill([...known.values()]);
  }

  /** Makes the rows anew, of these events and the gaps. */
  #fill(events: readonly TownEvent[]): void {
    const steps = [
      ...this.#gaps.map((gap) => ({ id: gap.from - 0.5, gap, event: null })),
      ...events.map((event) => ({ id: event.id, gap: null, event })),
    ].sort((one, other) => one.id - other.id);
    this.#begin();
    for (const { gap, event } of steps) {
      if (gap !== null) this.#rows.appendGap(gap);
      else this.#rows.append(event);
    }
    this.#noteDropped();
    this.changes.touch();
  }

  /** What was thought to be in the log is gone from it, too. */
  lose(gap: Gap): void {
    this.#gaps = this.#gaps.map((other) => (other === gap ? { ...gap, reason: "pruned" } : other));
    this.insert([], null);
  }

  /** Takes out all that is an agent's. */
  forget(agent_id: string): void {
    const [kept, gaps] = [this.events().filter((event) => event.agent_id !== agent_id), this.#gaps.filter((gap) => gap.agent_id !== agent_id)];
    this.#gaps = gaps;
    this.#fill(kept);
  }

  clear(): void {
    this.#bounds = this.#usual;
    this.#begin();
    this.#gaps = [];
    this.#lacks_earlier = false;
    this.#whole.clear();
    this.#typed = [];
    this.changes.touch();
  }

  #begin(): void {
    this.#rows = new Rows(this.#bounds);
    this.#dropped = 0;
    [this.#waiting, this.#waiting_characters] = [[], 0];
  }

  #makeRows(): void {
    for (const event of this.#waiting) this.#rows.append(event);
    [this.#waiting, this.#waiting_characters] = [[], 0];
    this.#noteDropped();
  }

  #noteDropped(): void {
    if (this.#rows.dropped_events > this.#dropped) this.beginsLate();
    this.#dropped = this.#rows.dropped_events;
  }
}
