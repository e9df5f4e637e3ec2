import assert from "node:assert/strict";
import { test } from "node:test";
import { randomly } from "../testing/randomly.ts";
import type { Mark, Place } from "./growing_list.ts";
import { GrowingList } from "./growing_list.ts";

test("what was added, changed and taken off since a mark begins where it says", () => {
  const list = new GrowingList(["a", "b", "c", "d"]);
  const first = list.mark();
  assert.equal(list.sameSince(first), 4);
  list.push("e");
  assert.equal(list.sameSince(first), 4);
  list.set(2, "C");
  const second = list.mark();
  list.set(3, "D");
  assert.deepEqual([list.sameSince(first), list.sameSince(second)], [2, 3]);
  list.set(3, "D");
  const third = list.mark();
  list.become(["a", "b", "C", "D", "E", "f"]);
  assert.deepEqual([list.sameSince(second), list.sameSince(third)], [3, 4]);
  list.shift(1);
  assert.deepEqual([list.shifted, list.sameSince(second), list.sameSince(third)], [1, 2, 3]);
  list.shift(4);
  assert.equal(list.sameSince(third), 0);
  list.become(["b", "C", "D", "E", "f"]);
  assert.deepEqual(list.all, ["b", "C", "D", "E", "f"]);
});

test("however it changes, what it calls the same is the same, for every mark, also a forgotten one", () => {
  const random = randomly(11);
  const list = new GrowingList<number>();
  const seen: { mark: Mark; shifted: Place; items: number[] }[] = [];
  let next = 0;
  for (let step = 0; step < 3_000; step += 1) {
    const count = list.all.length;
    const choice = random(20);
    if (choice < 12) list.push((next += 1));
    else if (choice < 16 && count > 0) list.set(count - 1 - random(Math.min(count, 30)), (next += 1));
    else if (choice === 16) list.keep(Math.max(0, count - random(5)));
    else if (choice === 17 && random(20) === 0) list.shift(random(count + 1));
    else if (choice === 18) list.become([...list.all.slice(0, Math.max(0, count - 2)), (next += 1)]);
    if (random(3) === 0) seen.push({ mark: list.mark(), shifted: list.shifted, items: [...list.all] });
    for (const { mark, shifted, items } of [...seen.slice(-40), ...seen.slice(0, 2)]) {
      const same = list.sameSince(mark);
      const gone = list.shifted - shifted;
      assert.deepEqual(list.all.slice(0, same), items.slice(gone, gone + same));
    }
  }
});

test("appending says that all before it is untouched, however long that goes on", () => {
  const list = new GrowingList<number>([0]);
  for (let round = 1; round < 1_000; round += 1) {
    const mark = list.mark();
    list.push(round);
    assert.equal(list.sameSince(mark), round);
  }
});
