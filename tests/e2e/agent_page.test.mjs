// An agent's page: what one reads there is what the recording says, by the oracle.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { expectedOf } from "../oracle/claude_code.mjs";
import { present } from "../present.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { until, untilHolds } from "../worker/until.mjs";
import { mustShowWork, placeOf, settled, untilAllIsHere, wholeList } from "./activity.mjs";
import { addressOf, launch, openPage, signIn } from "./browser.mjs";

const run = promisify(execFile);
const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";

describe("an agent's page", { skip }, () => {
  let world;
  let town;
  let browser;
  let context;
  let page;
  let noted;
  const truths = { basic: expectedOf("basic"), volume: expectedOf("volume320"), subagent: expectedOf("subagent") };
  const tab = (name) => page.getByRole("tab", { name });
  const panel = () => page.getByRole("tabpanel");
  const open = async (agent_id, query = "", /** @type {string | RegExp} */ last = /^(Finished|Failed) after/) => {
    await page.goto(`${addressOf(world, town, agent_id)}${query}`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("log").getByText(last).last().waitFor();
  };
  const replay = (agent_id, transcript, more = {}) => world.startAgent(town, { agent_id, name: agent_id, runtime: "replay", transcript, speed: 0, ...more });
  const ended = (agent_id, run_number = 1) =>
    until(`${agent_id} to end`, async () => {
      const state = must(await world.api("GET", `${town.path}/agents/${agent_id}`));
      return state.exit !== null && state.run_number === run_number;
    }, 30_000);

  before(async () => {
    world = await startWorld();
    town = await world.town();
    await Promise.all([replay("basic", "basic"), replay("volume", "volume320"), replay("subagent", "subagent"), replay("twice", "basic")]);
    const printed = ["printf '\\033[1;31mFAIL\\033[0m b.test.ts\\n\\033[8mnot hidden\\033[0m \\033]8;;https://evil.example\\007a link\\033]8;;\\007\\n'; exit 1"];
    await world.startAgent(town, { agent_id: "colours", name: "colours", runtime: "process", command: ["sh", "-c", ...printed] });
    browser = await launch(chromium);
    ({ page, context, noted } = await openPage(browser, world.url, { viewport: { width: 1440, height: 900 } }));
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    page.setDefaultTimeout(15_000);
    await signIn(page, world);
    await Promise.all(["basic", "volume", "subagent", "twice", "colours"].map((agent_id) => ended(agent_id)));
    await replay("twice", "err400");
    await ended("twice", 2);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("shows all 322 calls and every text of a long run once, in order", async () => {
    await open("volume");
    mustShowWork(await wholeList(page), truths.volume);
  });

  it("lists every call under Tools, by how it went", async () => {
    const { calls, results } = truths.volume;
    await open("volume", "?tab=tools");
    await untilHolds("the number of calls", async () => assert.equal(await tab("Tools").innerText(), `Tools\n${calls.length}`));
    const listed = await wholeList(page, "Tools");
    assert.deepEqual(listed.map(({ text }) => calls.find(({ tool }) => text.startsWith(tool))?.tool), calls.map(({ tool }) => tool));
    assert.equal(listed.filter(({ text }) => text.includes("failed")).length, results.filter(({ success }) => !success).length);
  });

  it("folds repeats, and opens them", async () => {
    const done = truths.volume.calls.filter(({ tool, tool_use_id }) => tool === "Bash" && truths.volume.results.some((one) => one.tool_use_id === tool_use_id && one.success));
    await open("volume", "?tool=Bash&status=succeeded", `Bash ×${done.length}`);
    await untilHolds("nothing but the group", async () => assert.equal((await wholeList(page)).length, 1));
    await page.getByRole("log").getByText(`Bash ×${done.length}`).click();
    await untilHolds("the calls below their group", async () => {
      const items = await wholeList(page);
      assert.equal(items.length, 1 + done.length);
      assert.ok(items.at(-1).text.includes(done.at(-1).input.command.slice(0, 40)), items.at(-1).text);
    });
  });

  it("opens a call: what it was given, what came of it, and its JSON as the log has it", async () => {
    await open("basic");
    const bash = truths.basic.calls.find(({ tool }) => tool === "Bash");
    const result = truths.basic.results.find(({ tool_use_id }) => tool_use_id === bash.tool_use_id);
    const row = page.getByRole("log").locator(".row").filter({ hasText: "Running `ls -la" });
    await row.locator(".fold").click();
    assert.equal(await row.locator(".command-line").innerText(), bash.input.command);
    assert.equal((await row.locator("pre").last().textContent()).trim(), result.text.trim());
    await row.hover();
    await row.getByRole("button", { name: /More about event/ }).click();
    await page.getByRole("menuitem", { name: "Show JSON" }).click();
    const [call] = JSON.parse(await page.locator(".raw pre").textContent());
    assert.deepEqual([call.event, call.data.tool_use_id, call.data.input], ["agent_tool_call", bash.tool_use_id, bash.input]);
  });

  it("copies an event as a link, as a command that fetches it, and as JSON", async () => {
    await open("basic");
    const row = page.getByRole("log").locator(".row").filter({ hasText: "Reading README.md" });
    const copied = async (what) => {
      await row.hover();
      await row.getByRole("button", { name: /More about event/ }).click();
      await page.getByRole("menuitem", { name: what }).click();
      await page.getByText(`${{ "Copy JSON": "JSON", "Copy link": "Link", "Copy as curl": "Command" }[what]} copied`, { exact: true }).waitFor();
      return page.evaluate(() => navigator.clipboard.readText());
    };
    const events = JSON.parse(await copied("Copy JSON"));
    assert.deepEqual(events[0].data.input, truths.basic.calls[0].input);
    assert.equal(await copied("Copy link"), `${addressOf(world, town, "basic")}?event=${events[0].id}`);
    assert.deepEqual(events.map(({ event }) => event), ["agent_tool_call", "agent_tool_result"]);
    const command = await copied("Copy as curl");
    assert.ok(!command.includes(world.secrets.TOWNWATCH_API_KEY), "the key is not in it");
    const { stdout } = await run("sh", ["-c", command], { env: { ...process.env, TOWNWATCH_API_KEY: world.secrets.TOWNWATCH_API_KEY } });
    assert.equal(stdout, events.map((event) => JSON.stringify({ success: true, data: event })).join(""));
  });

  it("opens a row's menu, goes through it and leaves it by key", async () => {
    await open("basic");
    const button = page.getByRole("log").locator(".row").filter({ hasText: "Reading README.md" }).getByRole("button", { name: /More about event/ });
    const focused = () => page.evaluate(() => document.activeElement?.textContent || document.activeElement?.getAttribute("aria-label"));
    await button.focus();
    await page.keyboard.press("Enter");
    await until("the first of the menu", async () => (await focused()) === "Copy link");
    await page.keyboard.press("ArrowDown");
    assert.equal(await focused(), "Copy as curl");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    assert.equal(await focused(), "Show JSON");
    await page.keyboard.press("Escape");
    await page.getByRole("menu").waitFor({ state: "detached" });
    assert.match(await focused(), /^More about event/);
    assert.ok(await button.evaluate((element) => element === document.activeElement));
  });

  it("shows an edit as a difference, under the call and under the file", async () => {
    await open("basic", "?tab=files");
    const edit = truths.basic.calls.find(({ tool }) => tool === "Edit");
    const showsEdit = (place) =>
      untilHolds("the edit as a difference", async () => {
        const lines = (kind) => place.locator(`.diff-line.${kind} .diff-text`).allTextContents();
        assert.deepEqual([await lines("removed"), await lines("added")], [[edit.input.old_string], [edit.input.new_string]]);
      });
    await panel().getByRole("button").filter({ hasText: "app.py" }).click();
    await showsEdit(panel());
    await page.getByRole("log").getByText("Editing src/app.py").click();
    await showsEdit(page.getByRole("log"));
    await panel().getByRole("button", { name: /Edit|Chang/ }).last().click();
    await until("the call to be shown in the activity", async () => (await placeOf(page, "Editing src/app.py"))?.inSight);
    await page.waitForURL(/[?&]event=\d+/);
  });

  it("fetches whole what the stream has cut: a long text, and a call's long result", async () => {
    const isLong = (text) => JSON.stringify(text).length > 48 << 10;
    const text = truths.volume.texts.find(isLong);
    const result = truths.volume.results.find((one) => isLong(one.text));
    const log = await world.pages(`${town.path}/agents/volume/events`);
    const said = log.find(({ event, data, cut }) => event === "agent_output" && cut && text.startsWith(data.text.slice(0, 100)));
    const called = log.find(({ event, data }) => event === "agent_tool_call" && data.tool_use_id === result.tool_use_id);
    const current = page.getByRole("log").locator("[aria-current=true]");

    await open("volume", `?event=${said.id}`, /./);
    await current.getByText("KiB more are in the log").waitFor();
    await current.getByRole("button", { name: "Show all of it" }).click();
    await current.getByText("KiB more are in the log").waitFor({ state: "detached" });
    await current.getByRole("button", { name: `Show all ${text.length.toLocaleString("en")} characters` }).click();
    await untilHolds("all of the text", async () => assert.equal(await current.locator(".said").textContent(), text));

    await open("volume", `?event=${called.id}`, /./);
    await current.locator(".fold").click();
    await current.getByRole("button", { name: "Show all of it" }).click();
    await current.getByText("more are in the log").waitFor({ state: "detached" });
    await current.getByRole("button", { name: /^Show all \d+ KiB$/ }).click();
    await untilHolds("all of the result", async () => assert.equal(await current.locator("pre").last().textContent(), result.text));
  });

  it("has tabs that arrows move through", async () => {
    await open("basic");
    await tab("Output").focus();
    const selected = (name) => page.getByRole("tab", { name, selected: true }).waitFor();
    await page.keyboard.press("ArrowRight");
    await selected("Tools");
    await page.waitForURL(/tab=tools/);
    await page.keyboard.press("End");
    await selected("Errors");
    const problems = truths.basic.results.filter(({ success }) => !success);
    await untilHolds("the number of errors", async () => assert.equal(await tab("Errors").innerText(), `Errors\n${problems.length}`));
    for (const { text } of problems) await panel().getByText(text.trim().split("\n")[0].replace(/<\/?\w+>/g, "").slice(0, 30)).first().waitFor();
    await page.goBack();
    await selected("Tools");
  });

  it("steps through errors by e and E", async () => {
    await open("basic");
    const current = (text) => page.getByRole("log").locator("[aria-current=true]").filter({ hasText: text }).waitFor();
    await page.keyboard.press("e");
    await current("does/not/exist.txt");
    await page.keyboard.press("e");
    await current("echo partial; exit 3");
    await page.keyboard.press("E");
    await current("does/not/exist.txt");
  });

  it("finds a text wherever it stands, counts it, marks it and goes from place to place", async () => {
    await open("volume");
    const text = "out/f007.txt";
    const inCall = (call) => JSON.stringify(call.input).includes(text) || truths.volume.results.some((result) => result.tool_use_id === call.tool_use_id && result.text.includes(text));
    const rows = truths.volume.calls.filter(inCall).length + truths.volume.texts.filter((one) => one.includes(text)).length;
    assert.ok(rows > 0);
    await page.keyboard.press("/");
    await page.keyboard.type(text);
    // One of the recording's results is longer than a frame: what is cut of it is not here yet.
    await page.getByText(`${rows}+`, { exact: true }).waitFor();
    await page.getByRole("button", { name: "Fetch and search" }).click();
    await page.getByText("Not searched").waitFor({ state: "detached" });
    await page.getByRole("searchbox", { name: "Find a text" }).press("Enter");
    await page.getByText(`1 / ${rows}`, { exact: true }).waitFor();
    await until("the place to be marked", () =>
      page.evaluate((sought) => [...(CSS.highlights.get("found") ?? [])].some((range) => range.toString().toLowerCase() === sought), text),
    );
    // The address follows what is shown.
    await until("the place in the address", () => /q=out%2Ff007\.txt.*event=\d+/.test(page.url()));
    const address = page.url();
    await page.goto("about:blank");
    await page.goto(address);
    await page.getByText(`1 / ${rows}+`, { exact: true }).waitFor();
    await page.getByRole("log").locator("[aria-current=true]").waitFor();
  });

  it("filters by tool, result, path and kind, and says so in the address", async () => {
    const { calls, results } = truths.volume;
    const failed = calls.filter(({ tool, tool_use_id }) => tool === "Read" && results.some((one) => one.tool_use_id === tool_use_id && !one.success));
    await open("volume", "?tool=Read&status=failed", /missing\//);
    await page.getByRole("tab", { name: "Tools" }).click();
    await untilHolds("the failed calls", async () => assert.equal((await wholeList(page, "Tools")).length, failed.length));
    await page.getByRole("button", { name: "Filter 2" }).click();
    await page.getByRole("button", { name: "Show all again" }).click();
    await page.getByRole("button", { name: "Messages" }).click();
    await page.keyboard.press("Escape");
    await page.waitForURL(/kind=text/);
    await untilHolds("the messages", async () => assert.equal((await wholeList(page)).length, truths.volume.texts.length));
  });

  it("shows the machinery when asked for everything", async () => {
    await open("basic");
    assert.ok(!(await page.getByRole("log").textContent()).includes("Session opened"));
    await page.keyboard.press("w");
    await page.waitForURL(/show=all/);
    const opened = `Session opened with ${truths.basic.model}`;
    await until("the session's row", async () => (await wholeList(page)).some(({ text }) => text.includes(opened)));
  });

  it("nests what a sub-agent does under its call, and hides it on demand", async () => {
    await open("subagent");
    const inner = page.getByRole("log").locator(".depth-1");
    await settled(page);
    const count = await inner.count();
    assert.ok(count > 0, "there are rows of a sub-agent");
    await page.getByRole("button", { name: "Hide what its sub-agent did" }).click();
    await until("them to be gone", async () => (await inner.count()) === 0);
    await page.getByRole("button", { name: "Show what its sub-agent did" }).click();
    await until("them to be back", async () => (await inner.count()) === count);
  });

  it("has the agent's runs in a menu, and shows one by itself", async () => {
    await open("twice");
    const menu = page.getByRole("combobox", { name: "Run" });
    await until("both runs to be in it", async () => (await menu.locator("option").count()) === 3);
    await menu.selectOption({ index: 2 });
    await page.getByRole("log").getByText("I'll look at the README first.").waitFor();
    const first = (await wholeList(page)).map(({ text }) => text).join("\n");
    assert.ok(first.includes("Finished after") && !first.includes("Failed after"), first);
    await menu.selectOption({ index: 1 });
    await page.getByRole("log").getByText(/^Failed after/).waitFor();
    const second = (await wholeList(page)).map(({ text }) => text).join("\n");
    assert.ok(!second.includes("I'll look at the README first."), second);
    await page.waitForURL(/run=/);
  });

  it("shows a terminal's colours and hides nothing", async () => {
    await open("colours");
    const red = page.getByRole("log").locator(".ansi-red");
    assert.equal(await red.innerText(), "FAIL");
    assert.equal(await red.evaluate((element) => getComputedStyle(element).fontWeight), "700");
    const lines = await page.getByRole("log").locator("pre.lines").first().textContent();
    assert.ok(lines.includes("FAIL b.test.ts\nnot hidden a link\n"), JSON.stringify(lines));
  });

  it("says what the address asks for and the log does not have", async () => {
    await open("basic", "?event=999999");
    await page.getByText("Event 999999 is not among what the log has of this agent.").waitFor();
  });

  it("shows up to four agents side by side, as the address says", async () => {
    await open("basic");
    const besides = page.getByRole("region").filter({ has: page.getByRole("heading", { level: 2 }) });
    for (const agent_id of ["subagent", "twice", "colours"]) await page.getByRole("combobox", { name: "Another agent side by side" }).selectOption(agent_id);
    await until("no fifth to be offered", async () => (await page.getByRole("combobox", { name: "Another agent side by side" }).count()) === 0);
    await until("them in the address", () => /with=subagent%2Ctwice%2Ccolours/.test(page.url()));
    await page.reload();
    const names = async () => (await besides.getByRole("heading", { level: 2 }).allTextContents()).join();
    await until("the same three after a reload", async () => (await names()) === "subagent,twice,colours");
    await page.getByRole("region", { name: "twice", exact: true }).getByText(/^Failed after/).waitFor();
    await page.getByRole("region", { name: "colours", exact: true }).getByText("FAIL", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Close twice" }).click();
    await until("two to be left", async () => (await besides.getByRole("heading", { level: 2 }).count()) === 2);
    await page.goBack();
    await until("it to be back", async () => (await besides.getByRole("heading", { level: 2 }).count()) === 3);
  });

  it("has all agents' rows in one list, each under its agent's name", async () => {
    await page.goto(`${addressOf(world, town)}/activity`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("log").locator(".row").first().waitFor();
    await untilHolds("every agent's calls", async () => {
      const items = await wholeList(page);
      for (const [agent_id, { calls }] of Object.entries(truths)) {
        const own = items.filter(({ kind, text }) => kind === "call" && new RegExp(`^\\d\\d:\\d\\d:\\d\\d${agent_id}`).test(text));
        const folded = items.filter(({ kind, text }) => kind === "group" && text.includes(agent_id)).reduce((sum, { text }) => sum + Number(present(/×(\d+)/.exec(text), text)[1]), 0);
        assert.equal(own.length + folded, calls.length, agent_id);
      }
    });
  });

  it("goes through all agents' rows and errors by key, and filters them by tool", async () => {
    await page.goto(`${addressOf(world, town)}/activity`);
    await untilAllIsHere(page);
    const current = page.getByRole("log").locator("[aria-current=true]");
    const words = async () => (await current.innerText()).replaceAll("\n", " ");
    const pressed = async (key) => {
      const before_ = page.url();
      await page.keyboard.press(key);
      await until(`another row by ${key}`, () => page.url() !== before_);
      await current.waitFor();
      return words();
    };
    const errors = [await pressed("e"), await pressed("e"), await pressed("e")];
    for (const one of errors) assert.match(one, /failed|Failed|error|missing/i);
    assert.equal(new Set(errors).size, 3);
    assert.equal(await pressed("E"), errors[1]);
    const next = await pressed("j");
    assert.notEqual(next, errors[1]);
    assert.equal(await pressed("k"), errors[1]);

    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Filter", exact: true }).click();
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    await page.keyboard.press("Escape");
    await until("the tool in the address", () => /tool=Edit/.test(page.url()));
    const edits = truths.basic.calls.filter(({ tool }) => tool === "Edit");
    await until("only edits", async () => (await page.getByRole("log").locator(".row").allInnerTexts()).every((text) => /Edit/.test(text)));
    const shown = (await wholeList(page)).filter(({ text }) => /^\d\d:\d\d:\d\dbasic/.test(text));
    assert.equal(shown.length, edits.length);
  });

  it("fits a phone: the activity is a tab, and nothing is wider than the screen", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const name of ["activity", "output", "tools", "files", "errors"]) {
      await page.goto(`${addressOf(world, town, "basic")}?tab=${name}`);
      await panel().waitFor();
      await until("the panel's words", async () => (await panel().innerText()).length > 10);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390, name);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  it("lists the tokens of an agent that posts, and revokes one or all", async () => {
    await world.registerAgent(town, "keyed");
    const [idle, used] = [await world.agentToken(town, "keyed"), await world.agentToken(town, "keyed")];
    const post = (token) => world.post(town, "keyed", [{ event_type: "note", data: "by a token" }], { token });
    must(await post(used), 201);
    await page.goto(addressOf(world, town, "keyed"));
    await page.getByRole("button", { name: "Tokens" }).click();
    const sheet = page.getByRole("dialog", { name: "Tokens of keyed" });
    const [usedRow, idleRow] = [sheet.getByRole("listitem").filter({ hasText: "last used" }), sheet.getByRole("listitem").filter({ hasText: "not used yet" })];
    await usedRow.getByRole("button", { name: "Revoke" }).click();
    await usedRow.getByText(/, revoked /).waitFor();
    assert.equal(await usedRow.getByRole("button").count(), 0);
    assert.equal((await post(used)).status, 401);
    assert.equal(await idleRow.getByText(/good until/).count(), 1);
    must(await post(idle), 201);
    await sheet.getByRole("button", { name: "Revoke all" }).click();
    await untilHolds("all revoked", async () => assert.equal(await sheet.getByText(/, revoked /).count(), 2));
    assert.equal((await post(idle)).status, 401);
    await sheet.getByText("Without an id").waitFor();
    await sheet.getByRole("button", { name: "Close" }).click();
    await sheet.waitFor({ state: "detached" });
    await page.goto(addressOf(world, town, "basic"));
    assert.equal(await page.getByRole("button", { name: "Tokens" }).count(), 0, "an agent that runs here has none");
  });

  it("asked nobody but its own server, and met no error", () => {
    assert.deepEqual(noted.foreign, []);
    assert.deepEqual(noted.errors.filter((error) => !/401/.test(error)), []);
  });
});
