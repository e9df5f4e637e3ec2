// The real model, as the build makes it for the page.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Model, Piece } from "./terminal_block.ts";
import { TerminalBlock } from "./terminal_block.ts";
import type { TerminalLine } from "./terminal_span.ts";
import { isWebAddress, looksElsewhere } from "./terminal_span.ts";
import { needsTerminal, Terminals } from "./terminals.ts";

const built = `${import.meta.dirname}/../../../target/terminal`;
const PageTerminal = await load();

async function load(): Promise<new () => Model> {
  const module = (await import(`${built}/townwatch_terminal.js`)) as { initSync(options: { module: Uint8Array }): void; PageTerminal: new () => Model };
  module.initSync({ module: readFileSync(`${built}/townwatch_terminal_bg.wasm`) });
  return module.PageTerminal;
}

const piece = (text: string, partial = false, stream: Piece["stream"] = "stdout"): Piece => ({ text, stream, partial });
const textOf = (lines: readonly TerminalLine[]): string[] => lines.map((line) => line.map(({ text }) => text).join(""));
const linesOf = (...pieces: Piece[]): readonly TerminalLine[] => new TerminalBlock(new PageTerminal()).lines(pieces);

test("a progress bar is one line that moves, also over several outputs", () => {
  const block = new TerminalBlock(new PageTerminal());
  const pieces = [piece("first"), piece("10%", true, "stderr")];
  const before = block.lines(pieces);
  assert.deepEqual(textOf(before), ["first", "10%"]);
  pieces.push(piece("\r\u001b[K20%", true, "stderr"));
  const after = block.lines([...pieces]);
  assert.deepEqual(textOf(after), ["first", "20%"]);
  assert.equal(after[0], before[0], "a line that did not change is the same object");
  assert.deepEqual(textOf(block.lines([...pieces, piece("\rdone", false, "stderr"), piece("last")])), ["first", "done", "last"]);
});

test("both streams write to one screen, and each span tells its own", () => {
  const [line] = linesOf(piece("50% ", true, "stderr"), piece("said"));
  assert.deepEqual(line?.map(({ text, stream }) => [text, stream]), [["50% ", "stderr"], ["said", "stdout"]]);
});

test("colours, weights and underlines have names, other colours are given", () => {
  const spans = linesOf(
    piece("\u001b[1;31mFAIL\u001b[0m \u001b[92mgreen\u001b[39m\u001b[38;5;208mo\u001b[38:2::1:2:3mt\u001b[0m\u001b[30;41mlabel\u001b[0m\u001b[7mturned\u001b[0m\u001b[4:3;58:5:1mcurly\u001b[0m\u001b[48;5;250mg"),
  ).flat();
  assert.deepEqual(
    spans.map(({ text, names, colour, behind, line_colour }) => [text, names.join(" "), colour, behind, line_colour]),
    [
      ["FAIL", "bold ansi-red", null, null, null],
      [" ", "", null, null, null],
      ["green", "ansi-bright-green", null, null, null],
      ["o", "", "rgb(255, 135, 0)", null, null],
      ["t", "", "rgb(1, 2, 3)", null, null],
      ["label", "ansi-black behind-red behind", null, null, null],
      ["turned", "inverse", null, null, null],
      ["curly", "underline-curly", null, null, "var(--ansi-1)"],
      ["g", "behind", null, "rgb(188, 188, 188)", null],
    ],
  );
});

test("a link has its address, and a text that says another one is found out", () => {
  const [[see, log] = []] = linesOf(piece("see \u001b]8;;https://example.com/a;b\u0007the log\u001b]8;;\u0007"));
  assert.deepEqual([see?.address, log?.text, log?.address], [null, "the log", "https://example.com/a;b"]);
  assert.ok(isWebAddress("HTTPS://x") && !isWebAddress("file:///x") && !isWebAddress("javascript:x"));
  for (const text of ["https://bank.example", "bank.example/login", "www.bank.example"]) assert.ok(looksElsewhere(text, "https://evil.example/"), text);
  assert.ok(looksElsewhere("bank.example", "https://evil.example/bank.example") && looksElsewhere("b.rs", "file:///src/a.rs"));
  for (const [text, address] of [["the log", "https://a.example"], ["a.example", "https://a.example/"], ["https://a.example/x", "https://a.example/x"], ["a.rs", "file:///src/a.rs"]] as const) {
    assert.ok(!looksElsewhere(text, address), text);
  }
});

test("hidden text is there to read, and what only a terminal can do is gone", () => {
  assert.deepEqual(textOf(linesOf(piece("a\u001b[8mconcealed\u001b[0mb\u001b]0;title\u0007\u001b[?25l<b>&amp;</b>"))), ["aconcealedb<b>&amp;</b>"]);
});

test("terminals are kept while their rows go on, and made anew otherwise", async () => {
  let made = 0;
  let freed = 0;
  class Counted extends PageTerminal {
    constructor() {
      super();
      made += 1;
    }
    override free(): void {
      freed += 1;
      super.free();
    }
  }
  const terminals = new Terminals(() => Promise.resolve(Counted));
  const pieces = [piece("\u001b[31ma")];
  assert.equal(terminals.lines("row", pieces), null, "before the model is here");
  assert.equal(terminals.plain("row", pieces), "a\n");
  await terminals.ready();
  assert.deepEqual(textOf(terminals.lines("row", pieces) ?? []), ["a"]);
  pieces.push(piece("b"));
  assert.deepEqual(textOf(terminals.lines("row", [...pieces]) ?? []), ["a", "b"]);
  assert.deepEqual([made, freed], [1, 0]);
  assert.deepEqual(textOf(terminals.lines("row", [piece("other")]) ?? []), ["other"], "another list is not taken for the same");
  for (let row = 0; row < 40; row += 1) terminals.lines(`${row}`, pieces);
  assert.deepEqual([made, freed], [42, 10], "32 are kept");
  assert.equal(terminals.plain("bar", [piece("10%\r", true), piece("20%\r\u001b[K100%")]), "100%");
});

test("a text without control characters needs no terminal", () => {
  assert.ok(!needsTerminal("plain\ttext\nnaïve 日本 🚀"));
  for (const text of ["\u001b[1m", "a\rb", "a\bb", "\u009b1m"]) assert.ok(needsTerminal(text), JSON.stringify(text));
});
