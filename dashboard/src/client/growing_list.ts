// A list that mostly grows at its end, and can say from where on it differs from what someone saw before: who keeps
// something made of a hundred thousand items makes only that part anew.

/** Older marks than this are forgotten: who comes with one is told that everything may have changed. */
const CHANGES_MAX = 32;

/** What `mark` gave: a moment in the list's life. */
export type Mark = number;

export class GrowingList<T> {
  readonly #all: T[] = [];
  #now: Mark = 0;
  /** Where the list changed after a mark; of two, the older is the nearer to the beginning, for a newer one there covers it. */
  readonly #changes: { readonly mark: Mark; readonly index: number }[] = [];
  /** The oldest mark of which all changes are still known. */
  #known_since: Mark = 0;

  constructor(items: Iterable<T> = []) {
    for (const item of items) this.push(item);
  }

  /** The same array as long as the list lives, so copy what has to stay as it is. */
  get all(): readonly T[] {
    return this.#all;
  }

  /** Remembers how the list is now, to ask later what changed since. */
  mark(): Mark {
    this.#now += 1;
    return this.#now;
  }

  /** How many items at the beginning are untouched since the mark. */
  sameSince(mark: Mark): number {
    if (mark < this.#known_since) return 0;
    return this.#changes.find((change) => change.mark >= mark)?.index ?? this.#all.length;
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
    if (count > 0) this.#changed(0);
    return this.#all.splice(0, count);
  }

  /** Becomes like these; what is the same at the beginning stays untouched. */
  become(items: readonly T[]): void {
    let same = 0;
    while (same < items.length && same < this.#all.length && items[same] === this.#all[same]) same += 1;
    this.keep(same);
    for (let index = same; index < items.length; index += 1) this.push(items[index] as T);
  }

  #changed(index: number): void {
    let last = this.#changes.at(-1);
    if (last !== undefined && last.mark === this.#now && last.index <= index) return;
    for (; last !== undefined && last.index >= index; last = this.#changes.at(-1)) this.#changes.pop();
    this.#changes.push({ mark: this.#now, index });
    if (this.#changes.length <= CHANGES_MAX) return;
    const forgotten = this.#changes.shift();
    if (forgotten !== undefined) this.#known_since = forgotten.mark + 1;
  }
}
