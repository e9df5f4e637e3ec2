import assert from "node:assert/strict";
import { test } from "node:test";
import { ansiParts } from "./ansi.ts";
import { withoutAnsi } from "./ansi_mark.ts";

const parts = (text: string): [string, string, string | null][] =>
  ansiParts(text).map((part) => [part.text, part.names.join(" "), part.colour]);

test("colours and weights", () => {
  assert.deepEqual(parts("\u001b[1;31mFAIL\u001b[0m ok \u001b[92mgreen\u001b[39m"), [
    ["FAIL", "ansi-red bold", null],
    [" ok ", "", null],
    ["green", "ansi-bright-green", null],
  ]);
  assert.deepEqual(parts("\u001b[38;5;208mo\u001b[38;5;250mg\u001b[38;2;1;2;3mt"), [
    ["o", "", "255, 135, 0"],
    ["g", "", "188, 188, 188"],
    ["t", "", "1, 2, 3"],
  ]);
});

test("nothing hides, and what only a terminal can do is gone", () => {
  const text = (given: string): string => ansiParts(given).map((part) => part.text).join("");
  assert.equal(text("a\u001b[8mconcealed\u001b[0mb"), "aconcealedb");
  assert.equal(text("10%\r20%\r\ndone"), "10%\n20%\ndone");
  assert.equal(text("\u001b]0;title\u0007\u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\"), "link");
  assert.equal(text("\u001b[2J\u001b[1;1H\u001b[?25lx\u001b(B\u001b=\u001bPq\u001b\\y"), "xy");
  assert.equal(text("<b>&amp;\u001b[31m</b>"), "<b>&amp;</b>");
  assert.equal(withoutAnsi("\u001b[1;31mFAIL\u001b[0m \u001b[2Kx"), "FAIL x");
});
