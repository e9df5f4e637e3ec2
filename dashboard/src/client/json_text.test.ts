import assert from "node:assert/strict";
import { test } from "node:test";
import { randomly } from "../testing/randomly.ts";
import { afterSpace, afterValue, countOfParts, laidOut, partNamed, partsOf, saysAll, textsIn } from "./json_text.ts";

const CHANGED = [
  "2512292042121000001", "-9223372036854775808", "1.10", "1e400", "-0", "1E5", "1e5", "0.0", "1.0", "100000000000000000000", "1e-7", "0.1e1",
  "123456789012345678", "0.00000001", "9007199254740993", "1.7976931348623159e308",
];
const KEPT = ["0", "-1", "7", "1.5", "-0.25", "123456789012345", "9007199254740991", "1e+21", "1e-7x".slice(0, 4), "0.000001", "3.141592653589793"].filter(
  (number) => String(Number(number)) === number,
);

test("knows the numbers that JavaScript would write otherwise", () => {
  for (const number of CHANGED) {
    if (String(Number(number)) === number) continue;
    for (const text of [number, `[1,${number}]`, `{"a": {"b" : ${number} }}`]) assert.equal(saysAll(text, JSON.parse(text)), false, text);
  }
  for (const number of KEPT) {
    for (const text of [number, `[1,${number}]`, `{"a": {"b" : ${number} }}`]) assert.equal(saysAll(text, JSON.parse(text)), true, text);
  }
});

test("knows names that come in another order, and names that stand there twice; not what only looks so inside a string", () => {
  for (const text of ['{"b":1,"10":2}', '{"a":{"0" :1}}', '{"a":1,"a":2}', '[{"x":{"a":1,"b":2,"a":3}}]']) {
    assert.equal(saysAll(text, JSON.parse(text)), false, text);
  }
  const strings = ['{"a":"1.10, -0 {\\"10\\":1}"}', '["\\\\", "1e400"]', '{"010":1,"-1":2,"1.5":3}', '{"__proto__":1,"constructor":[]}', "{}", "[]", '"1.10"'];
  for (const text of strings) assert.equal(saysAll(text, JSON.parse(text)), true, text);
});

test("gives the parts of objects and lists as they stand there", () => {
  const text = ' { "b" : [1, {"x":"]}"}] , "a\\"" : "\\\\" ,"a": 1.10 , "a":2 } ';
  const start = afterSpace(text, 0);
  const parts = partsOf(text, start).map(({ name, start, end }) => [name, text.slice(start, end)]);
  assert.deepEqual(parts, [['"b"', '[1, {"x":"]}"}]'], ['"a\\""', '"\\\\"'], ['"a"', "1.10"], ['"a"', "2"]]);
  assert.equal(countOfParts(text, start), 4);
  assert.equal(partsOf(text, start, 2).length, 2);
  const last = partNamed(text, start, "a");
  assert.equal(last && text.slice(last.start, last.end), "2");
  assert.equal(partNamed(text, start, "toString"), null);
  assert.equal(afterValue(text, start), text.length - 1);
  for (const empty of ["{}", "[ ]", "{\n}"]) assert.deepEqual([partsOf(empty, 0), countOfParts(empty, 0), laidOut(empty)], [[], 0, empty.charAt(0) + empty.at(-1)]);
});

test("lays out without touching a character of what is said", () => {
  assert.equal(laidOut('{"n":1.10,"l":[1e400,{}, "a,b:{"],"n":-0}'), '{\n  "n": 1.10,\n  "l": [\n    1e400,\n    {},\n    "a,b:{"\n  ],\n  "n": -0\n}');
  assert.deepEqual(textsIn('{"1":2.50,"x" : ["-3\\n",-4e5, null ,{}],"x":true}'), ["1", "2.50", "x", "-3\n", "-4e5", "null", "x", "true"]);
});

test("agrees with JSON.parse on any value, however deep", () => {
  const below = randomly(11);
  const value = (depth: number): unknown => {
    const kind = below(depth > 5 ? 4 : 6);
    if (kind === 0) return below(1000) - 500;
    if (kind === 1) return ['a"b', "\\", "", "x\ny", "{[,:]}", "\ud800"][below(6)];
    if (kind === 2) return [true, false, null][below(3)];
    if (kind === 3) return below(100) / 8;
    if (kind === 4) return Array.from({ length: below(5) }, () => value(depth + 1));
    return Object.fromEntries(Array.from({ length: below(5) }, (_, index) => [`n${index}"`, value(depth + 1)]));
  };
  for (let round = 0; round < 500; round += 1) {
    const one = value(0);
    const text = JSON.stringify(one);
    assert.equal(laidOut(text), JSON.stringify(one, null, 2));
    assert.equal(laidOut(JSON.stringify(one, null, 3)), JSON.stringify(one, null, 2));
    assert.ok(saysAll(text, one), text);
    if (typeof one === "object" && one !== null) {
      assert.deepEqual(partsOf(text, 0).map(({ start, end }) => JSON.parse(text.slice(start, end)) as unknown), Object.values(one));
      assert.equal(countOfParts(text, 0), Object.values(one).length);
    }
  }
  const deep = `${"[".repeat(100_000)}1.10${"]".repeat(100_000)}`;
  assert.equal(afterValue(deep, 0), deep.length);
  assert.equal(saysAll(deep, []), false);
});
