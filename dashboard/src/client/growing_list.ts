// A list that grows at its end and loses at its beginning, and can say from where on it differs from what someone saw before: who keeps
// something made of a hundred thousand items makes only that part anew.

/** Older marks than this are forgotten: who comes with one is told that everything may have changed. */
const CHANGES_MAX = 32;

/** What `mark` gave: a moment in the list's life. */
export type Mark = number;

/** Where an item is, counted from the first that the list ever had: it stays the same when older ones go. */
export type Place = number;

export class GrowingList<T> {
  readonly #all: T[] = [];
  #shifted = 0;
  #now: Mark = 0;
  /** Where the list changed after a mark; of two, the older is the nearer to the beginning, for a newer one there covers it. */
  readonly #changes: { readonly mark: Mark; readonly place: Place }[] = [];
  /** The oldest mark of which all changes are still known. */
  #known_since: Mark = 0;

  constructor(items: Iterable<T> = []) {
    for (const item of items) this.push(item);
  }

  /** The same array as long as the list lives, so copy what has to stay as it is. */
  get all(): readonly T[] {
    return this.#all;
  }

  /** Items ever taken off at the beginning, which is the place of the first one that is here. */
  get shifted(): Place {
    return this.#shifted;
  }

  /** Remembers how the list is now, to ask later what changed since. */
  mark(): Mark {
    this.#now += 1;
    return this.#now;
  }

  /** How many of the items that are here now, from the beginning on, were here at the mark and are untouched. */
  sameSince(mark: Mark): number {
    if (mark < this.#known_since) return 0;
    const changed = this.#changes.find((change) => change.mark >= mark);
    return changed === undefined ? this.#all.length : Math.max(0, changed.place - this.#shifted);
  }

  push(item: T): void {
    this.#changed(this.#all.length);
    this.#all.push(item);
  }

  set(index: number, item: T): void {
    if (index < 0 || index >= this.#all.length || this.#all[index] === item) return;
    this.#changed(index);
    this.#all[index] = item;
  }

  /** Takes off all but so many at the beginning. */
  keep(count: number): void {
    if (count >= this.#all.length) return;
    this.#changed(count);
    this.#all.length = count;
  }

  /** Takes off so many at the beginning. */
  shift(count: number): T[] {
    const gone = this.#all.splice(0, count);
    this.#shifted += gone.length;
    return gone;
  }

  /** Becomes like these; what is the same at the beginning stays untouched. */
  become(items: readonly T[]): void {
    let same = 0;
    while (same < items.length && same < this.#all.length && items[same] === this.#all[same]) same += 1;
    this.keep(same);
    for (let index = same; index < items.length; index += 1) this.push(items[index] as T);
  }

  #changed(index: number): void {
    const place = this.#shifted + index;
    let last = this.#changes.at(-1);
    if (last !== undefined && last.mark === this.#now && last.place <= place) return;
    for (; last !== undefined && last.place >= place; last = this.#changes.at(-1)) this.#changes.pop();
    this.#changes.push({ mark: this.#now, place });
    if (this.#changes.length <= CHANGES_MAX) return;
    const forgotten = this.#changes.shift();
    if (forgotten !== undefined) this.#known_since = forgotten.mark + 1;
  }
}

/** How many of these places, each after the one before it, are before `place`. */
export function countBefore(places: readonly Place[], place: Place): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle] ?? 0) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
