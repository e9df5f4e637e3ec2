// What programs print with colour and progress, as one reads it: recorded bytes, printed by a process in pieces with
// pauses, as they came at first.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import axe from "axe-core";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { Command } from "../worker/command_line.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { until, untilHolds } from "../worker/until.mjs";
import { addressOf, launch, openPage, signIn } from "./browser.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";
const recording = (name) => fileURLToPath(new URL(`../recordings/terminal/${name}`, import.meta.url));
const screenOf = (name) => readFileSync(recording(`${name}.txt`), "utf8").replace(/\n+$/, "");

/** Prints a file to a stream in so many pieces, with 60 ms between them, and ends with a code. */
const PLAY = `
const [file, stream, pieces, code] = process.argv.slice(1);
const bytes = require("fs").readFileSync(file);
const size = Math.ceil(bytes.length / pieces);
let at = 0;
const next = () => {
  if (at >= bytes.length) process.exit(Number(code));
  process[stream].write(bytes.subarray(at, (at += size)), () => setTimeout(next, 60));
};
next();`;
const play = (name, stream, code = 0, pieces = 25) => [process.execPath, "-e", PLAY, recording(name), stream, String(pieces), String(code)];

/** All colours, before and behind a text, and every weight. */
const COLOURS = [30, 90].flatMap((first) => Array.from({ length: 8 }, (_, index) => first + index));
const PALETTE = [
  COLOURS.map((code) => `\u001b[${code}mover${code}\u001b[0m`).join(" "),
  COLOURS.map((code) => `\u001b[${code + 10}mbehind${code}\u001b[0m`).join(" "),
  COLOURS.map((code) => `\u001b[97;${code + 10}mwhite${code}\u001b[0m \u001b[30;${code + 10}mblack${code}\u001b[0m`).join(" "),
  [0, 17, 22, 52, 88, 196, 226, 231, 232, 255].map((number) => `\u001b[38;5;${number}mp${number}\u001b[0m \u001b[48;5;${number}mq${number}\u001b[0m`).join(" "),
  "\u001b[38;2;0;0;0mdarkest\u001b[0m \u001b[38;2;255;255;255mlightest\u001b[0m \u001b[2mdim\u001b[0m \u001b[2;31mdim red\u001b[0m \u001b[7mturned\u001b[0m \u001b[8mconcealed\u001b[0m \u001b[4:3mcurly\u001b[0m",
].join("\n");
const LINKS = "\u001b]8;;https://example.com/log\u0007the log\u001b]8;;\u0007 \u001b]8;;https://evil.example/\u0007https://bank.example\u001b]8;;\u0007 \u001b]8;;file:///home/dev/a.rs\u0007a.rs\u001b]8;;\u0007 \u001b]8;;javascript:window.hacked=1\u0007no\u001b]8;;\u0007";
const print = (text) => [process.execPath, "-e", `process.stdout.write(${JSON.stringify(text)})`];

describe("what programs print", { skip }, () => {
  let world;
  let town;
  let browser;
  let page;
  let noted;
  let storageState;
  const agents = {
    cargo: play("cargo.err", "stderr"),
    git: play("git-clone.err", "stderr", 0, 40),
    npm: play("npm-ls.out", "stdout", 1),
    pytest: play("pytest.out", "stdout", 1),
    palette: print(PALETTE),
    links: print(LINKS),
    // A bar that stands for long enough to be seen at several states, and the other stream beside it.
    bar: ["sh", "-c", "i=0; while [ $i -lt 30 ]; do i=$((i+1)); printf '\\r%d of 30' $i >&2; sleep 0.2; done; printf '\\r\\033[Kall 30\\n' >&2; sleep 0.5; echo done; printf 'sure? '; sleep 2; echo yes"],
  };
  const blocks = () => page.getByRole("log").locator("pre.lines");
  const shownText = async () => (await blocks().allTextContents()).join("").replace(/\n+$/, "");
  const open = async (agent_id, query = "") => {
    await page.goto(`${addressOf(world, town, agent_id)}${query}`);
    await page.getByText("Live", { exact: true }).waitFor();
  };
  const ended = (agent_id) => until(`${agent_id} to end`, async () => must(await world.api("GET", `${town.path}/agents/${agent_id}`)).exit !== null, 30_000);

  before(async () => {
    world = await startWorld();
    town = await world.town();
    browser = await launch(chromium);
    let context;
    ({ page, noted, context } = await openPage(browser, world.url, { viewport: { width: 1440, height: 900 } }));
    page.setDefaultTimeout(15_000);
    await signIn(page, world);
    storageState = await context.storageState();
    for (const [agent_id, command] of Object.entries(agents)) {
      if (agent_id !== "bar") await world.startAgent(town, { agent_id, name: agent_id, runtime: "process", command });
    }
    for (const agent_id of Object.keys(agents)) if (agent_id !== "bar") await ended(agent_id);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("loads nothing for a terminal where no text needs one", async () => {
    assert.deepEqual(noted.requests.filter((url) => url.includes("terminal")), []);
  });

  for (const [agent_id, name] of [["cargo", "cargo.err"], ["git", "git-clone.err"], ["npm", "npm-ls.out"], ["pytest", "pytest.out"]]) {
    it(`shows what a terminal shows of ${name}`, async () => {
      await open(agent_id);
      await untilHolds("the lines of a terminal", async () => assert.equal(await shownText(), screenOf(name)));
      await open(agent_id, "?tab=output");
      const panel = page.getByRole("tabpanel").locator("pre.lines");
      await untilHolds("the same under Output", async () => assert.equal((await panel.allTextContents()).join("").replace(/\n+$/, ""), screenOf(name)));
    });
  }

  it("shows a bar that moves as one line, and a question without an end", async () => {
    await world.startAgent(town, { agent_id: "bar", name: "bar", runtime: "process", command: agents.bar });
    await open("bar");
    const seen = new Set();
    await until("the question", async () => {
      const text = (await shownText()).trimEnd();
      if (/^\d+ of 30$/.test(text)) seen.add(text);
      return text === "all 30\ndone\nsure?";
    }, 15_000).catch(async (error) => assert.fail(`${error.message}: ${JSON.stringify(await shownText())}`));
    assert.ok(seen.size >= 2, `it moved: ${[...seen]}`);
    await until("the answer", async () => (await shownText()) === "all 30\ndone\nsure? yes");
    const events = await world.pages(`${town.path}/agents/bar/events`);
    const parts = events.filter(({ event, data }) => event === "agent_output" && data.partial);
    assert.ok(parts.length > 10 && parts.length <= 30, `${parts.length} parts in 6 s, at most 4 a second, and the question`);
  });

  it("leads only where a text says, and never runs anything", async () => {
    await open("links");
    const links = blocks().locator("a");
    await untilHolds("both links", async () => assert.equal(await links.count(), 2));
    for (const link of await links.all()) {
      assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
      assert.equal(await link.getAttribute("target"), "_blank");
    }
    assert.equal(await shownText(), "the log https://bank.example (https://evil.example/) a.rs no");
    assert.equal(await blocks().locator("span[title]").getAttribute("title"), "file:///home/dev/a.rs");
  });

  for (const colorScheme of ["light", "dark"]) {
    it(`can be read in all colours, ${colorScheme}`, async () => {
      const { page, context } = await openPage(browser, world.url, { viewport: { width: 1440, height: 900 }, colorScheme, reducedMotion: "reduce", storageState });
      await page.goto(addressOf(world, town, "palette"));
      await page.getByRole("log").locator("pre.lines .ansi-red").first().waitFor();
      await page.evaluate(axe.source);
      const { violations, passes } = await page.evaluate(() => window.axe.run("pre.lines", { runOnly: ["color-contrast"] }));
      const told = violations.flatMap(({ nodes }) => nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`));
      assert.deepEqual(told, []);
      assert.ok(passes.flatMap(({ nodes }) => nodes).length > 0, "it looked at something");
      await context.close();
    });
  }

  it("shows the same lines in a terminal", async () => {
    for (const [agent_id, name] of [["cargo", "cargo.err"], ["git", "git-clone.err"], ["npm", "npm-ls.out"], ["pytest", "pytest.out"]]) {
      const tail = new Command(world, ["tail", "--town", town.town_id, "--agent", agent_id]);
      await tail.code();
      const prefix = new RegExp(`^\\d\\d:\\d\\d:\\d\\d  ${agent_id}  `);
      const lines = tail.stdout.split("\n").filter((line) => prefix.test(line)).map((line) => line.replace(prefix, ""));
      const expected = screenOf(name).split("\n");
      const start = lines.indexOf(expected[0]);
      assert.deepEqual(lines.slice(start, start + expected.length), expected, name);
    }
  });

  it("goes without an error in the browser", () => {
    assert.deepEqual(noted.errors, []);
    assert.deepEqual(noted.foreign, []);
  });
});
