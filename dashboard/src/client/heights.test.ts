import assert from "node:assert/strict";
import { test } from "node:test";
import { GrowingList } from "./growing_list.ts";
import type { Keyed } from "./heights.ts";
import { Heights } from "./heights.ts";

const keys = (...names: string[]): GrowingList<Keyed> => new GrowingList(names.map((key) => ({ key })));
const TEN = (): number => 10;

test("guesses until measured, and tells where an item begins", () => {
  const heights = new Heights();
  heights.update(keys("a", "b", "c"), TEN);
  assert.equal(heights.total, 30);
  assert.equal(heights.measure(1, 25), true);
  assert.equal(heights.measure(1, 25), false);
  assert.deepEqual([0, 1, 2, 3].map((index) => heights.top(index)), [0, 10, 35, 45]);
  assert.deepEqual([-5, 0, 9, 10, 34, 35, 1_000].map((y) => heights.at(y)), [0, 0, 0, 1, 1, 2, 2]);
});

test("an item keeps its height wherever it moves", () => {
  const heights = new Heights();
  heights.update(keys("a", "b", "c"), TEN);
  heights.measure(2, 100);
  heights.update(keys("b", "new", "c", "d"), TEN);
  assert.deepEqual([1, 2, 3, 4].map((index) => heights.top(index)), [10, 20, 120, 130]);
  assert.equal(heights.indexOf("c", 0), 2);
  assert.equal(heights.indexOf("a", 3), -1);
});

test("nothing at all has no height and no item", () => {
  const heights = new Heights();
  heights.update(keys(), TEN);
  assert.deepEqual([heights.total, heights.at(0), heights.indexOf("a", 0)], [0, -1, -1]);
});

test("a hundred thousand items, measured in the middle, cost well under a frame", () => {
  const heights = new Heights();
  const many = new GrowingList(Array.from({ length: 100_000 }, (_, index) => ({ key: String(index) })));
  heights.update(many, TEN);
  assert.equal(heights.total, 1_000_000);
  const began = performance.now();
  for (let round = 0; round < 50; round += 1) {
    heights.measure(50_000 + round, 20);
    assert.equal(heights.total, 1_000_000 + 10 * (round + 1));
  }
  const frame_ms = (performance.now() - began) / 50;
  assert.ok(frame_ms < 4, `${frame_ms} ms`);
});
