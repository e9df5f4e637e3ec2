// What an agent sent is what a person reads: numbers digit for digit, over whichever way they come; JSON laid out; a search
// that says what it did not look at; and a page that is offline when the browser is.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { until, untilHolds } from "../worker/until.mjs";
import { axeProblems } from "./axe.mjs";
import { addressOf, launch, openPage, signIn } from "./browser.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";

/** As agents print it: with what JavaScript can not hold, names that look like numbers, and a name twice. */
const INPUT = `{"order_id":7301150029384756001,"price":2.50,"rate":1e400,"zero":-0,"count":3E5,"10":"ten","2":"two","tags":["a",4.0],"where":{"shop":12345678901234567890,"shop":1.0}}`;
const ROWS = `[${Array.from({ length: 150 }, (_, index) => `{"row":${index},"key":73011500293847560${String(index).padStart(2, "0")},"price":${index}.50}`).join(",")}]`;
const CONTENT = `{"found":150,"next":null,"note":"${"a long note ".repeat(40)}","rows":${ROWS}}`;
/** More than a frame takes: the needle lies in what is cut. */
const CUT = (needle) => `beginning of a log\n${"a line that says nothing new\n".repeat(3_000)}${needle}\n`;
/** JSON that is cut on its way, and longer than what the page looks at by itself. */
const LONG = `{"list":[${Array.from({ length: 2_000 }, (_, index) => `{"row":${index},"key":7301150029384756${String(index).padStart(4, "0")},"text":"some words"}`).join(",")}],"end":1.0}`;

const call = (id, input, more = "") =>
  `{"event_type":"agent_tool_call","data":{"tool_use_id":"${id}","tool":"mcp__shop__${id}","category":"Mcp","input":${input},"summary":"Asking the shop ${id}"${more}}}`;
const result = (id, content) =>
  `{"event_type":"agent_tool_result","data":{"tool_use_id":"${id}","success":true,"content":${JSON.stringify(content)},"content_length":${content.length},"duration_ms":5}}`;

describe("what came", { skip }, () => {
  let world;
  let town;
  let browser;
  let context;
  let page;
  let noted;
  const open = async (query = "", agent_id = "shop") => {
    await page.goto(`${addressOf(world, town, agent_id)}${query}`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("log").getByText("the last one").waitFor();
  };
  const row = (summary) => page.getByRole("log").locator(".row").filter({ hasText: summary });
  const opened = async (summary) => {
    const button = row(summary).getByRole("button", { name: new RegExp(summary) });
    if ((await button.getAttribute("aria-expanded")) === "false") await button.click();
    return row(summary).locator(".folded").first();
  };
  const fieldsOf = (folded) => folded.locator(".fields > .field-short").evaluateAll((fields) => fields.map((field) => field.textContent));
  /** Without the beginnings of what is closed, which nobody has to hear. */
  const linesOf = (tree) =>
    tree.locator("[role=treeitem]").evaluateAll((lines) => {
      const heard = (line) => [...line.querySelectorAll(".json-content")].map((one) => [...one.childNodes].filter((part) => part.ariaHidden !== "true").map((part) => part.textContent).join("")).join("");
      return lines.map(heard);
    });
  const mustHaveDigits = async () => {
    const folded = await opened("Asking the shop digits");
    assert.deepEqual(await fieldsOf(folded), [
      "order_id7301150029384756001", "price2.50", "rate1e400", "zero-0", "count3E5", "10ten", "2two", 'tags["a",4.0]',
    ]);
    assert.deepEqual(await linesOf(folded.getByRole("tree", { name: "where" })), ["{2 keys}", "shop: 12345678901234567890", "shop: 1.0"]);
    const unknown = await opened("shop.order");
    assert.deepEqual(await linesOf(unknown.getByRole("tree")), ["{2 keys}", "total: 1.10", "id: 7301150029384756001"]);
  };

  before(async () => {
    world = await startWorld();
    town = await world.town();
    await world.registerAgent(town, "shop");
    const events = [
      call("digits", INPUT),
      result("digits", `{"order_id":7301150029384756001,"price":2.50}`),
      call("rows", "{}"),
      result("rows", CONTENT),
      call("lines", "{}"),
      result("lines", '{"id":1.0}\n{"id":7301150029384756003}\n'),
      `{"event_type":"shop.order","data":{"total":1.10,"id":7301150029384756001}}`,
      `{"event_type":"agent_usage","data":{"message_id":"m","input_tokens":7301150029384756001,"output_tokens":1}}`,
      call("short", "{}"),
      result("short", CUT("needle in a haystack 7301150029384756009")),
      call("other", "{}"),
      result("other", CUT("nothing of that kind")),
      call("long", "{}"),
      result("long", LONG),
      `{"event_type":"agent_output","data":{"text":"the last one","stream":"assistant"}}`,
    ];
    for (const one of events) must(await world.api("POST", `/api/rigs/${town.rig_id}/agent-events`, `{"agent_id":"shop","events":[${one}]}`), 201);
    browser = await launch(chromium);
    ({ page, context, noted } = await openPage(browser, world.url, { viewport: { width: 1440, height: 900 } }));
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    page.setDefaultTimeout(15_000);
    await signIn(page, world);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("is shown digit for digit and in its order, over a WebSocket", async () => {
    await open();
    await mustHaveDigits();
    // A number that is of the protocol, and that JavaScript can not hold, is shown as it came.
    await open("?show=all");
    const usage = await opened("agent_usage");
    assert.ok((await linesOf(usage.getByRole("tree"))).includes("input_tokens: 7301150029384756001"));
  });

  for (const [transport, blocked] of [
    ["an event stream", ["WebSocket"]],
    ["page after page", ["WebSocket", "stream"]],
  ]) {
    it(`is shown digit for digit by ${transport}, which is offline and live again with the browser`, async () => {
      const other = await openPage(browser, world.url, { storageState: await context.storageState(), viewport: { width: 1440, height: 900 } });
      await other.page.addInitScript(() => {
        /** @type {any} */ (window).WebSocket = class {
          constructor() {
            throw new Error("no WebSocket gets through");
          }
        };
      });
      if (blocked.includes("stream")) await other.page.route(/\/stream\?/, (route) => route.abort());
      const first = page;
      page = other.page;
      page.setDefaultTimeout(20_000);
      try {
        await open();
        await page.locator(`.connection[title*="${blocked.includes("stream") ? "asking again and again" : "over an event stream"}"]`).waitFor();
        await mustHaveDigits();
        await other.context.setOffline(true);
        await page.getByText("Offline", { exact: true }).waitFor({ timeout: 5_000 });
        await other.context.setOffline(false);
        await page.getByText("Live", { exact: true }).waitFor();
      } finally {
        page = first;
        await other.context.close();
      }
    });
  }

  it("is copied and shown raw as it came, also an event that was fetched whole", async () => {
    await open();
    const menu = async (item) => {
      await row("Asking the shop digits").getByRole("button", { name: /More about event/ }).click();
      await page.getByRole("menuitem", { name: item }).click();
    };
    await menu("Copy JSON");
    await page.getByText("JSON copied").waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    const compact = copied.replace(/\n */g, "").replaceAll('": ', '":');
    assert.ok(compact.includes(`"input":${INPUT},"summary"`), copied);
    await menu("Show JSON");
    const raw = await page.locator(".raw").innerText();
    for (const digits of ["7301150029384756001", "2.50", "1e400", "-0", "3E5", "12345678901234567890"]) assert.ok(raw.includes(digits), digits);
    await page.getByRole("button", { name: "Hide JSON" }).click();
  });

  it("is laid out where a result is JSON, and as it came one press away", async () => {
    await open();
    const folded = await opened("Asking the shop rows");
    const tree = folded.getByRole("tree", { name: "What came of mcp__shop__rows" });
    assert.deepEqual(await linesOf(tree), ["{4 keys}", "found: 150", "next: null", `note: "${"a long note ".repeat(10)}… 480 characters`, "rows: [150 items]"]);
    await tree.getByRole("treeitem", { name: /^rows/ }).click();
    await tree.getByRole("treeitem", { name: /^99: / }).waitFor();
    assert.equal((await linesOf(tree)).at(-1), "50 more: show the next 50");
    await tree.getByRole("treeitem", { name: /^50 more/ }).click();
    await tree.getByRole("treeitem", { name: /^149: / }).click();
    assert.deepEqual((await linesOf(tree)).slice(-4), ["149: {3 keys}", "row: 149", "key: 73011500293847560149", "price: 149.50"]);
    await tree.getByRole("treeitem", { name: /^note/ }).click();
    await tree.getByText("a long note ".repeat(40).trim()).waitFor();
    await folded.getByRole("button", { name: "As it came" }).click();
    assert.equal(await folded.locator("pre").first().textContent(), CONTENT);
    await folded.getByRole("button", { name: "As it came" }).click();
    await tree.getByRole("treeitem", { name: /^149: / }).waitFor();

    const lines = (await opened("Asking the shop lines")).getByRole("tree");
    assert.deepEqual(await linesOf(lines), ["[2 items]", "0: {1 key}", "id: 1.0", "1: {1 key}", "id: 7301150029384756003"]);
  });

  it("is laid out by the page's worker where it is long, once it is fetched whole", async () => {
    await open();
    const folded = await opened("Asking the shop long");
    assert.equal(await folded.getByRole("tree").count(), 0, "what was cut is no JSON");
    await folded.getByRole("button", { name: "Show all of it" }).click();
    const tree = folded.getByRole("tree");
    await tree.waitFor();
    assert.deepEqual(await linesOf(tree), ["{2 keys}", "list: [2,000 items]", "end: 1.0"]);
    await page.getByRole("searchbox", { name: "Find a text" }).fill("73011500293847561234");
    await page.getByRole("button", { name: "Next place" }).click();
    await tree.getByRole("treeitem", { name: "key: 73011500293847561234" }).waitFor();
  });

  it("opens and closes by the keys that trees have", async () => {
    await open();
    const tree = (await opened("Asking the shop rows")).getByRole("tree");
    await tree.getByRole("treeitem", { name: "{4 keys}" }).focus();
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    const press = async (key, text) => {
      await page.keyboard.press(key);
      await untilHolds(`${key} to lead to ${text}`, async () => assert.equal((await focused()).slice(0, text.length), text));
    };
    await press("ArrowDown", "found: 150");
    await press("End", "rows: [150 items]");
    await press("ArrowRight", "rows: [150 items]");
    await press("ArrowRight", "0: {3 keys}");
    await press("Enter", "0: {3 keys}");
    await press("ArrowDown", "row: 0");
    await press("ArrowLeft", "0: {3 keys}");
    await press("ArrowLeft", "0: {3 keys}");
    await press("ArrowDown", "1: {3 keys}");
    await press("ArrowLeft", "rows: [150 items]");
    await press("ArrowLeft", "rows: [150 items]");
    assert.equal((await linesOf(tree)).length, 5);
    await press("Home", "{4 keys}");
    assert.deepEqual(await axeProblems(page), []);
  });

  it("is found by its digits, and what lies folded is opened for it", async () => {
    await open();
    await page.getByRole("searchbox", { name: "Find a text" }).fill("73011500293847560142");
    await page.getByRole("button", { name: "Next place" }).click();
    await row("Asking the shop rows").getByRole("treeitem", { name: "key: 73011500293847560142" }).waitFor();
    await page.getByRole("searchbox", { name: "Find a text" }).fill("12345678901234567890");
    await untilHolds("one place, and two cut texts", async () => assert.match(await page.locator(".find-count").innerText(), /^1\+?( |$)/));
  });

  it("is searched where it was cut, too, and until then is not said to be nowhere", async () => {
    await open("?show=all");
    await page.getByRole("searchbox", { name: "Find a text" }).fill("needle in a haystack");
    await page.getByText(/^Not searched: 3 cut texts \(\d+ KiB more in the log\)\.$/).waitFor();
    await page.locator(".find-count", { hasText: "none so far" }).waitFor();
    assert.deepEqual(await axeProblems(page), []);
    await page.getByRole("button", { name: "Fetch and search" }).click();
    await page.locator(".find-count", { hasText: /^1$/ }).waitFor();
    await page.getByText("Not searched").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Next place" }).click();
    await row("Asking the shop short").getByText("needle in a haystack 7301150029384756009").waitFor();
    await page.getByRole("searchbox", { name: "Find a text" }).fill("no such thing");
    await page.getByText(/^Not searched: 2 cut texts /).waitFor();
    await page.getByRole("button", { name: "Fetch and search" }).click();
    await page.locator(".find-count", { hasText: "nowhere" }).waitFor();
  });

  it("says that a text could not be fetched, and that it was not searched", async () => {
    await open("?show=all");
    await page.route(/\/events\/\d+$/, (route) => route.abort());
    await page.getByRole("searchbox", { name: "Find a text" }).fill("nothing of that kind");
    await page.getByRole("button", { name: "Fetch and search" }).click();
    await page.locator(".unsearched").getByRole("alert").getByText("can not be reached").waitFor();
    await page.getByText(/^Not searched: 3 cut texts/).waitFor();
    assert.equal(await page.locator(".find-count").innerText(), "none so far");
    await page.unroute(/\/events\/\d+$/);
    await page.getByRole("button", { name: "Fetch and search" }).click();
    await page.locator(".find-count", { hasText: /^1$/ }).waitFor();
  });

  it("is offline as soon as the browser is, and live again with it", async () => {
    await open();
    const began = Date.now();
    await context.setOffline(true);
    await page.getByText("Offline", { exact: true }).waitFor();
    assert.ok(Date.now() - began < 3_000, `after ${Date.now() - began} ms`);
    await context.setOffline(false);
    await page.getByText("Live", { exact: true }).waitFor();
    must(await world.post(town, "shop", [{ event_type: "agent_output", data: { text: "said after the cut", stream: "assistant" } }]), 201);
    await page.getByRole("log").getByText("said after the cut").waitFor();
  });

  it("is stored and shown although this browser can not show notifications", async () => {
    const other = await openPage(browser, world.url, { storageState: await context.storageState() });
    // As Chrome on Android: the permission is there, and the constructor throws.
    await other.page.addInitScript(() => {
      /** @type {any} */ (window).Notification = class {
        static permission = "granted";
        static requestPermission = async () => "granted";
        constructor() {
          throw new TypeError("Failed to construct 'Notification': Illegal constructor.");
        }
      };
      Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
      localStorage.setItem("townwatch.notices", "on");
    });
    await other.page.goto(addressOf(world, town, "shop"));
    await other.page.getByText("Live", { exact: true }).waitFor();
    must(await world.post(town, "shop", [{ event_type: "agent.exited", data: { reason: "failed", exit_code: 1 } }]), 201);
    await other.page.getByText("Notifications are off: this browser can not show them").waitFor();
    await until("the agent to be failed", async () => /Failed/.test(await other.page.getByRole("main").innerText()));
    await other.context.close();
  });

  it("is read where the browser gives no worker, no storage and no history", async () => {
    const other = await openPage(browser, world.url, { storageState: await context.storageState(), viewport: { width: 1440, height: 900 } });
    await other.page.addInitScript(() => {
      const refuse = () => {
        throw new DOMException("not here", "SecurityError");
      };
      /** @type {any} */ (window).Worker = class {
        constructor() {
          refuse();
        }
      };
      history.replaceState = refuse;
      Object.defineProperty(window, "localStorage", { get: refuse });
    });
    await other.page.goto(addressOf(world, town, "shop"));
    await other.page.getByText("Live", { exact: true }).waitFor();
    await other.page.getByRole("tabpanel").getByText("the last one").waitFor();
    await other.page.getByRole("button", { name: /Asking the shop digits/ }).click();
    await other.page.getByRole("log").getByText("1e400").waitFor();
    await other.page.getByRole("searchbox", { name: "Find a text" }).fill("1e400");
    await other.page.getByRole("log").getByText("1e400").waitFor();
    assert.deepEqual(other.noted.errors.filter((error) => /not here/.test(error)), []);
    await other.context.close();
  });

  it("does nothing that a page should not", () => {
    assert.deepEqual(noted.foreign, []);
    assert.deepEqual(noted.errors.filter((error) => !/401|ERR_FAILED|ERR_INTERNET_DISCONNECTED/.test(error)), []);
  });
});
