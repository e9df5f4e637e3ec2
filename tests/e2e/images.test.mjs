// Pictures on the page: seen where they are pictures, told where they are not, and nothing moves while they come.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { attached, HOSTILE, idOf, noisePng, PICTURES, result } from "../pictures/pictures.mjs";
import { must, mustRefuse, startWorld } from "../worker/harness.mjs";
import { until } from "../worker/until.mjs";
import { addressOf, launch, openPage, signIn } from "./browser.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";

const call = (tool_use_id, summary) => ({
  event_type: "agent_tool_call",
  data: { tool_use_id, tool: "Read", category: "Read", input: { file_path: summary }, summary, path: summary },
});
const gave = (tool_use_id, attachments, content) => ({ event_type: "agent_tool_result", data: result(tool_use_id, attachments, content) });

describe("pictures on the page", { skip }, () => {
  let world;
  let town;
  let browser;
  let page;
  let noted;
  const put = (bytes, kind) =>
    world.api("PUT", `/api/rigs/${town.rig_id}/agents/painter/images/${idOf(bytes)}`, bytes, { headers: { "content-type": kind } });
  const rowOf = (words) => page.getByRole("log").locator(".row.call").filter({ hasText: words });

  before(async () => {
    world = await startWorld({ control: false });
    town = await world.town();
    await world.registerAgent(town, "painter");
    const large = noisePng(1_160, 21);
    for (const [kind, bytes] of [...Object.entries(PICTURES), ["image/png", large]]) must(await put(bytes, kind), 201);
    // Nobody could put these there; what names them all the same finds nothing.
    for (const { bytes } of HOSTILE) mustRefuse(await put(bytes, "image/png"), 400, "invalid_request");
    const kinds = Object.entries(PICTURES).map(([kind, bytes]) => attached(bytes, kind));
    const told = [
      { kind: "image", size_bytes: 300, problem: "Only PNG, JPEG, WebP and GIF pictures are kept, and this is none of them." },
      { kind: "image", media_type: "image/png", size_bytes: 5 << 20, problem: "It is larger than 4 MiB, so it is not kept." },
      { kind: "audio", media_type: "audio/wav", size_bytes: 2_048 },
      { kind: "document", name: "plan\u202efdp.exe", media_type: "application/pdf" },
      { kind: "link", name: "site", uri: "https://evil.example/site" },
      { kind: "link", uri: "javascript:window.hacked=9" },
      { kind: "image", image_id: "../../../evil", media_type: "image/png" },
    ];
    const events = [
      call("small", "Reading four small pictures"), gave("small", kinds, "four of them"),
      call("large", "Taking a screenshot"), gave("large", [attached(large)]),
      call("hostile", "Reading what only looks like pictures"), gave("hostile", HOSTILE.map(({ bytes }) => attached(bytes))),
      call("told", "Reading other things"), gave("told", told),
      gave("alone", [attached(PICTURES["image/gif"], "image/gif")]),
      { event_type: "agent_output", data: { text: "the last one", stream: "assistant" } },
    ];
    must(await world.post(town, "painter", events), 201);
    browser = await launch(chromium);
    ({ page, noted } = await openPage(browser, world.url, { viewport: { width: 1280, height: 1400 } }));
    page.setDefaultTimeout(15_000);
    await signIn(page, world);
    await page.goto(addressOf(world, town, "painter"));
    await page.getByRole("log").getByText("the last one").waitFor();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  const sizes = (row) => row.locator(".picture img").evaluateAll((all) => all.map((one) => [one.complete, one.naturalWidth, one.naturalHeight]));
  /** Those in sight only: the others are not loaded before somebody comes near them. */
  const untilSeen = async (row, count) => {
    await row.locator(".picture img").first().waitFor();
    let found = [];
    const seen = async () => {
      found = await sizes(row);
      return found.filter(([complete, width]) => complete && width > 0).length === count;
    };
    try {
      await until(`${count} pictures`, seen, 6_000);
    } catch (problem) {
      const rows = await page.getByRole("log").locator(".row").allInnerTexts();
      throw new Error(`${/** @type {Error} */ (problem).message} ${JSON.stringify(found)} in ${JSON.stringify(rows).slice(0, 1_500)}`, { cause: problem });
    }
  };

  const toTheTop = () =>
    page.evaluate(() => {
      for (const scroller of document.querySelectorAll(".scroller")) scroller.scrollTop = 0;
    });

  it("are seen, of every kind and size, with words for who cannot see them", async () => {
    await toTheTop();
    await untilSeen(rowOf("four small"), 4);
    assert.deepEqual(await sizes(rowOf("four small")), [[true, 12, 8], [true, 12, 8], [true, 12, 8], [true, 2, 2]]);
    await untilSeen(rowOf("screenshot"), 1);
    assert.deepEqual(await sizes(rowOf("screenshot")), [[true, 1_160, 1_160]]);
    assert.equal(await page.getByRole("img", { name: /^Picture, image\/gif, 36 bytes/ }).count(), 2, "one in a row of its own");
    const box = await rowOf("screenshot").locator(".picture").boundingBox();
    assert.deepEqual([box.width, box.height], [170, 130]);
  });

  it("lead to the whole picture, in a page of its own that can do nothing", async () => {
    const [whole] = await Promise.all([page.context().waitForEvent("page"), rowOf("screenshot").locator("a.picture").click()]);
    await whole.waitForLoadState();
    assert.match(new URL(whole.url()).pathname, /\/agents\/painter\/images\/[0-9a-f]{32}$/);
    assert.equal(await whole.locator("img").evaluate((one) => one.naturalWidth), 1_160);
    assert.equal(await whole.evaluate(() => window.opener), null);
    await whole.close();
  });

  it("that are none are told, in the place that was kept for them", async () => {
    const row = rowOf("only looks like");
    await row.scrollIntoViewIfNeeded();
    await until("six words", async () => (await row.locator(".picture.missing").count()) === 6, 15_000);
    assert.equal(await row.locator("img").count(), 0);
    const words = await row.locator(".picture.missing").allInnerTexts();
    for (const [at, { bytes }] of HOSTILE.entries()) {
      assert.ok(words[at].startsWith(`Picture, image/png, ${bytes.length} bytes`) && words[at].includes("not here"), words[at]);
    }
    const box = await row.locator(".picture").first().boundingBox();
    assert.deepEqual([box.width, box.height], [170, 130]);
  });

  it("and other things are told by kind, name, size and address; only addresses of the web are links", async () => {
    const row = rowOf("Reading other things");
    await row.getByRole("button", { name: "Show all 7" }).click();
    const text = await row.innerText();
    for (const words of ["Only PNG, JPEG, WebP and GIF", "5.0 MiB", "larger than 4 MiB", "Sound, audio/wav, 2 KiB", "⟨U+202E⟩", "javascript:window.hacked=9"]) {
      assert.ok(text.includes(words), `${words} in ${text}`);
    }
    const links = await row.locator(".attachments a:not(.picture)").evaluateAll((all) => all.map(({ href, rel, target }) => [href, rel, target]));
    assert.deepEqual(links, [["https://evil.example/site", "noopener noreferrer", "_blank"]]);
  });

  it("fit a phone and the night", async () => {
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.reload();
    await page.getByRole("log").getByText("the last one").waitFor();
    await rowOf("four small").scrollIntoViewIfNeeded().catch(() => {});
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 390, `${wide} pixels wide`);
    await page.setViewportSize({ width: 1280, height: 1400 });
    await page.emulateMedia({ colorScheme: "light" });
  });

  it("move nothing for who reads above them", async () => {
    await page.setViewportSize({ width: 1280, height: 620 });
    await page.reload();
    await page.getByRole("log").getByText("the last one").waitFor();
    await toTheTop();
    await untilSeen(rowOf("four small"), 4);
    const top = () => rowOf("four small").evaluate((one) => one.getBoundingClientRect().top);
    const before = await top();
    const fresh = noisePng(300, 22);
    must(await put(fresh, "image/png"), 201);
    must(await world.post(town, "painter", [call("late", "One that comes late"), gave("late", [attached(fresh)])]), 201);
    await page.waitForTimeout(1_500);
    assert.equal(await top(), before);
  });

  it("fetched nothing from elsewhere, and ran nothing", async () => {
    assert.deepEqual(noted.foreign, []);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    const errors = noted.errors.filter((one) => !/status of 40[04]/.test(one));
    assert.deepEqual(errors, []);
    const asked = noted.requests.filter((url) => url.includes("/images/"));
    assert.ok(asked.every((url) => /\/agents\/painter\/images\/([0-9a-f]{32}|\.\.%2F)/.test(url)), asked.join("\n"));
  });
});
