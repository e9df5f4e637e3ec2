// The mathematics of a list of which only a window is laid out: where each item begins, by its measured height or else
// by a guess. No document is needed for it, so its tests need none.

import type { Mark, Place } from "./growing_list.ts";
import { GrowingList } from "./growing_list.ts";

export interface Keyed {
  readonly key: string;
}

export class Heights {
  readonly #measured = new Map<string, number>();
  #list = new GrowingList<Keyed>();
  #mark: Mark = 0;
  #shifted: Place = 0;
  /** Items when they were last taken. */
  #count = 0;
  #sizes = new Float64Array(64);
  /** `#tops[i]` is where item `i` begins, `#tops[n]` the height of all; right up to `#known`. */
  #tops = new Float64Array(65);
  #known = 0;

  get count(): number {
    return this.#count;
  }

  get total(): number {
    return this.top(this.#count);
  }

  /** Takes the items as they are now; `guess` is asked only for what was never measured. */
  update(list: GrowingList<Keyed>, guess: (index: number) => number): void {
    const { all } = list;
    if (list === this.#list) this.#forget(list.shifted - this.#shifted);
    const same = list === this.#list ? Math.min(this.#count, list.sameSince(this.#mark)) : 0;
    this.#shifted = list.shifted;
    if (same === all.length && same === this.#count) return;
    this.#reserve(all.length);
    for (let index = same; index < all.length; index += 1) {
      this.#sizes[index] = this.#measured.get(all[index]?.key ?? "") ?? guess(index);
    }
    [this.#list, this.#mark, this.#count] = [list, list.mark(), all.length];
    this.#known = Math.min(this.#known, same);
  }

  /** So many items went at the beginning. */
  #forget(gone: number): void {
    if (gone === 0) return;
    this.#sizes.copyWithin(0, gone, this.#count);
    this.#count = Math.max(0, this.#count - gone);
    this.#known = 0;
  }

  /** The item's real height; whether it is another than was thought. */
  measure(index: number, height: number): boolean {
    const item = this.#list.all[index];
    if (item === undefined || index >= this.#count || this.#sizes[index] === height) return false;
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
    this.top(this.#count);
    let low = 0;
    let high = this.#count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#tops[middle] ?? 0) <= y) low = middle;
      else high = middle - 1;
    }
    return high;
  }

  /** Where the item of this key is, looked for around where it was; -1 where it is not. */
  indexOf(key: string, near: number): number {
    const { all } = this.#list;
    const count = this.#count;
    for (let distance = 0; distance < count; distance += 1) {
      if (all[near - distance]?.key === key) return near - distance;
      if (all[near + distance]?.key === key) return near + distance;
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
