// The mathematics of a list of which only a window is laid out: where each item begins, by its measured height or else
// by a guess. No document is needed for it, so its tests need none.

export interface Keyed {
  readonly key: string;
}

export class Heights {
  readonly #measured = new Map<string, number>();
  #items: readonly Keyed[] = [];
  #sizes = new Float64Array(64);
  /** `#tops[i]` is where item `i` begins, `#tops[n]` the height of all; right up to `#known`. */
  #tops = new Float64Array(65);
  #known = 0;

  get count(): number {
    return this.#items.length;
  }

  get total(): number {
    return this.top(this.#items.length);
  }

  /** Takes the items as they are now; `guess` is asked only for what was never measured. */
  update(items: readonly Keyed[], guess: (index: number) => number): void {
    const before = this.#items;
    if (items === before) return;
    this.#reserve(items.length);
    let same = 0;
    const most = Math.min(items.length, before.length);
    while (same < most && (items[same] === before[same] || items[same]?.key === before[same]?.key)) same += 1;
    for (let index = same; index < items.length; index += 1) {
      this.#sizes[index] = this.#measured.get(items[index]?.key ?? "") ?? guess(index);
    }
    this.#items = items;
    this.#known = Math.min(this.#known, same);
  }

  /** The item's real height; whether it is another than was thought. */
  measure(index: number, height: number): boolean {
    const item = this.#items[index];
    if (item === undefined || this.#sizes[index] === height) return false;
    this.#measured.set(item.key, height);
    this.#sizes[index] = height;
    this.#known = Math.min(this.#known, index);
    return true;
  }

  /** All heights are to be measured anew: another width breaks lines elsewhere. */
  forget(): void {
    this.#measured.clear();
  }

  /** Where the item begins; for `count`, where the last one ends. */
  top(index: number): number {
    for (; this.#known < index; this.#known += 1) {
      this.#tops[this.#known + 1] = (this.#tops[this.#known] ?? 0) + (this.#sizes[this.#known] ?? 0);
    }
    return this.#tops[index] ?? 0;
  }

  /** The item that covers this height, at least the first and at most the last; -1 where there is none. */
  at(y: number): number {
    this.top(this.#items.length);
    let low = 0;
    let high = this.#items.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#tops[middle] ?? 0) <= y) low = middle;
      else high = middle - 1;
    }
    return high;
  }

  /** Where the item of this key is, looked for around where it was; -1 where it is not. */
  indexOf(key: string, near: number): number {
    const count = this.#items.length;
    for (let distance = 0; distance < count; distance += 1) {
      if (this.#items[near - distance]?.key === key) return near - distance;
      if (this.#items[near + distance]?.key === key) return near + distance;
      if (near - distance < 0 && near + distance >= count) return -1;
    }
    return -1;
  }

  #reserve(count: number): void {
    if (count <= this.#sizes.length) return;
    const room = Math.max(count, this.#sizes.length * 2);
    const sizes = new Float64Array(room);
    const tops = new Float64Array(room + 1);
    sizes.set(this.#sizes);
    tops.set(this.#tops);
    [this.#sizes, this.#tops] = [sizes, tops];
  }
}
