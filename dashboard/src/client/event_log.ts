// Events of an agent, or of a whole town, in this tab, as rows: what the stream brings is appended, what was fetched later
// is put in its place, and then all rows are made anew. Of a log that nobody looks at, no rows are made. A log has all
// events behind one id, and none before it: that moves back with each page of the past.

import type { Gap, TownEvent } from "../protocol/protocol.ts";
import { Changes } from "./changes.ts";
import { eventCharacters } from "./event_size.ts";
import type { Schedule } from "./listeners.ts";
import type { Typed } from "./previews.ts";
import { RowMaking } from "./row_making.ts";
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
  /** All events with a higher id are here; Infinity while nobody knows where the stream began. */
  #begins_behind = 0;
  #life = 0;
  #hasDropped = false;
  /** How many events the rows had let go of when that was last looked at. */
  #dropped = 0;
  #typed: readonly Typed[] = [];
  readonly #schedule: Schedule;
  /** Rows that are being made of what is here and what comes before it, and what is done then. */
  #making: { readonly making: RowMaking; readonly done: () => void } | null = null;

  constructor(schedule: Schedule, bounds: Bounds = { events: EVENTS_MAX, characters: CHARACTERS_MAX }) {
    this.changes = new Changes(schedule);
    this.#schedule = schedule;
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

  /** All events with a higher id are here, and what the town has up to it is not; 0 where nothing is missing before the others. */
  get begins_behind(): number {
    this.#makeRows();
    return this.#begins_behind;
  }

  /** Whether the town may have events from before the oldest that is here. */
  get lacksEarlier(): boolean {
    return this.begins_behind > 0;
  }

  /** The stream did not tell what lies before. */
  beginsBehind(id: number): void {
    this.#begins_behind = id;
    this.changes.touch();
  }

  /** Another one each time something was taken out: what was asked for before that may not fit any more. */
  get life(): number {
    return this.#life;
  }

  /** Whether the oldest had to go because of the bounds. */
  get hasDropped(): boolean {
    this.#makeRows();
    return this.#hasDropped;
  }

  /** Events that are here. */
  get event_count(): number {
    return this.#rows.event_count + this.#waiting.length;
  }

  /** Events that there is room for beside these before the oldest have to go. */
  roomBeside(others: { readonly events: number; readonly characters: number }): number {
    const characters = this.#rows.characters + this.#waiting_characters + others.characters;
    if (characters >= this.#bounds.characters) return 0;
    return Math.max(0, this.#bounds.events - this.event_count - others.events);
  }

  /** Texts that have no event yet. */
  get typed(): readonly Typed[] {
    return this.#typed;
  }

  append(event: TownEvent): void {
    this.#making?.making.append(event);
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
    this.finishInserting();
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
    this.finishInserting();
    this.makeRoomFor(events);
    const all = this.#with(events);
    this.#gaps = this.#gaps.filter((gap) => gap !== filled);
    this.#fill(all);
  }

  /**
   * Puts in all events behind `begins_behind` that were not here; with gaps, which the town lost before all others. Many
   * rows take some frames, and `done` is called then; never where something is taken out meanwhile (`life`).
   */
  insertEarlier(events: readonly TownEvent[], begins_behind: number, gaps: readonly Gap[], done: () => void): void {
    this.finishInserting();
    const { life } = this;
    const added = gaps.filter((gap) => !this.#gaps.some((other) => isWithin(gap, other)));
    const making = new RowMaking(this.#bounds, this.#with(events), [...this.#gaps, ...added]);
    const made = {
      making,
      done: () => {
        this.#making = null;
        if (life !== this.#life) return;
        this.#gaps.push(...added);
        this.#begins_behind = begins_behind;
        this.#begin(making.rows);
        this.#noteDropped();
        this.changes.touch();
        done();
      },
    };
    this.#making = made;
    const go = (): void => {
      if (this.#making !== made) return;
      if (making.makeSome()) made.done();
      else this.#schedule(go);
    };
    go();
  }

  /** What is being put in is in now. */
  finishInserting(): void {
    this.#making?.making.makeAll();
    this.#making?.done();
  }

  /** What is here and these, each once. */
  #with(events: readonly TownEvent[]): TownEvent[] {
    const known = new Map<number, TownEvent>(this.events().map((event) => [event.id, event]));
    for (const event of events) known.set(event.id, event);
    return [...known.values()];
  }

  /** The bounds move: a reader asks for more than what a tab keeps by itself. */
  makeRoomFor(events: readonly TownEvent[]): void {
    this.#bounds = {
      events: this.#bounds.events + events.length,
      characters: this.#bounds.characters + events.reduce((sum, event) => sum + eventCharacters(event), 0),
    };
  }

  /** Makes the rows anew, of these events and the gaps. */
  #fill(events: readonly TownEvent[]): void {
    const making = new RowMaking(this.#bounds, events, this.#gaps);
    making.makeAll();
    this.#begin(making.rows);
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
    this.#making = null;
    const [kept, gaps] = [this.events().filter((event) => event.agent_id !== agent_id), this.#gaps.filter((gap) => gap.agent_id !== agent_id)];
    this.#gaps = gaps;
    this.#life += 1;
    this.#fill(kept);
  }

  clear(): void {
    this.#making = null;
    this.#bounds = this.#usual;
    this.#begin(new Rows(this.#bounds));
    this.#gaps = [];
    this.#begins_behind = 0;
    this.#life += 1;
    this.#hasDropped = false;
    this.#typed = [];
    this.changes.touch();
  }

  #begin(rows: Rows): void {
    this.#rows = rows;
    this.#dropped = 0;
    [this.#waiting, this.#waiting_characters] = [[], 0];
  }

  #makeRows(): void {
    for (const event of this.#waiting) this.#rows.append(event);
    [this.#waiting, this.#waiting_characters] = [[], 0];
    this.#noteDropped();
  }

  #noteDropped(): void {
    if (this.#rows.dropped_events <= this.#dropped) return;
    this.#dropped = this.#rows.dropped_events;
    this.#begins_behind = Math.max(this.#begins_behind, this.#rows.dropped_id);
    this.#hasDropped = true;
    this.#life += 1;
    this.#making = null;
  }
}

function isWithin(gap: Gap, other: Gap): boolean {
  return gap.agent_id === other.agent_id && gap.reason === other.reason && other.from <= gap.from && gap.to <= other.to;
}
