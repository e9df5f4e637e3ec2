// Watching an agent at work: the list follows, and leaves alone who reads; what is typed shows while it is typed; the
// view can be frozen; what the stream left out is fetched from the log.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { expectedOf } from "../oracle/claude_code.mjs";
import { present } from "../present.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { until } from "../worker/until.mjs";
import { placeOf, scrollBy, settled, wholeList } from "./activity.mjs";
import { addressOf, launch, openPage, signIn } from "./browser.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";

describe("watching an agent", { skip }, () => {
  let world;
  let town;
  let browser;
  let page;
  let noted;
  let posted = 0;
  const log = () => page.getByRole("log");
  /** Posts so many messages, numbered on, in one batch. */
  const say = async (count) => {
    const events = Array.from({ length: count }, (_, index) => ({
      event_type: "agent_output",
      data: { text: `message number ${posted + index}, ${"which goes on for a while ".repeat((posted + index) % 5)}`, stream: "assistant" },
    }));
    must(await world.post(town, "talker", events), 201);
    posted += count;
  };
  const paused = () => page.getByRole("button", { name: /Paused/ });
  const untilFollows = () => until("the list to follow", async () => (await paused().count()) === 0);
  const untilSeen = (number) => until(`message ${number}`, async () => (await placeOf(page, `message number ${number},`))?.inSight);
  const open = async (agent_id, query = "") => {
    await page.goto(`${addressOf(world, town, agent_id)}${query}`);
    await page.getByText("Live", { exact: true }).waitFor();
  };

  before(async () => {
    world = await startWorld();
    town = await world.town();
    await world.registerAgent(town, "talker");
    await say(60);
    browser = await launch(chromium);
    ({ page, noted } = await openPage(browser, world.url, { viewport: { width: 1440, height: 900 } }));
    page.setDefaultTimeout(15_000);
    await signIn(page, world);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("follows the end", async () => {
    await open("talker");
    await untilSeen(59);
    await say(30);
    await untilSeen(89);
    await untilFollows();
  });

  it("leaves alone who scrolled up, says what came in, and goes on by one key", async () => {
    await scrollBy(page, -1500);
    await paused().waitFor();
    await settled(page);
    const inSight = await page.getByRole("region", { name: "Activity" }).evaluate((scroller) => {
      const top = scroller.getBoundingClientRect().top;
      const slot = [...scroller.querySelectorAll(".slot")].find((one) => one.getBoundingClientRect().top >= top);
      return { text: slot.querySelector(".said").textContent, y: slot.getBoundingClientRect().top - top };
    });
    await say(42);
    await page.getByRole("button", { name: /^Paused · 42 new/ }).waitFor();
    const after_ = await placeOf(page, inSight.text);
    assert.ok(Math.abs(after_.y - inSight.y) < 1, `it stood at ${inSight.y} and stands at ${after_.y}`);
    await page.keyboard.press("End");
    await untilSeen(131);
    await untilFollows();
  });

  it("goes on following who scrolled back to the end by hand, or pressed the button", async () => {
    await scrollBy(page, -400);
    await paused().click();
    await say(3);
    await untilSeen(134);
    await scrollBy(page, -400);
    await paused().waitFor();
    await scrollBy(page, 5000);
    await say(3);
    await untilSeen(137);
  });

  it("keeps in its place what is read when something above it opens or grows", async () => {
    await page.keyboard.press("e");
    await scrollBy(page, -900);
    await paused().waitFor();
    await settled(page);
    const before_ = await page.getByRole("region", { name: "Activity" }).evaluate((scroller) => scroller.scrollTop);
    for (const width of [1300, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      await settled(page);
    }
    const after_ = await page.getByRole("region", { name: "Activity" }).evaluate((scroller) => scroller.scrollTop);
    assert.ok(Math.abs(after_ - before_) < 60, `${before_} and ${after_}`);
    await page.keyboard.press("End");
    await untilFollows();
  });

  it("freezes, says how much waits, and is up to date again after", async () => {
    await untilSeen(137);
    await settled(page);
    await page.keyboard.press(" ");
    const frozen = await log().innerText();
    await say(7);
    await page.getByRole("button", { name: "Frozen 7 waiting" }).waitFor();
    assert.equal(await log().innerText(), frozen);
    assert.equal(await paused().count(), 0, "the scroll is not paused");
    await page.keyboard.press(" ");
    await untilSeen(144);
  });

  it("has something to read wherever one scrolls to right after many came at once", async () => {
    await world.registerAgent(town, "flood");
    const flood = async (beginning) => {
      const events = Array.from({ length: 250 }, (_, index) => ({ event_type: "agent_output", data: { text: `drop number ${beginning + index},`, stream: "assistant" } }));
      must(await world.post(town, "flood", events), 201);
    };
    await open("flood");
    for (const beginning of [0, 250, 500]) await flood(beginning);
    await until("the last to be seen", async () => (await placeOf(page, "drop number 749,"))?.inSight);
    for (const pixels of [-250, -900, -3_000, 400]) {
      const seen = await page.getByRole("region", { name: "Activity" }).evaluate(async (scroller, by) => {
        scroller.scrollTop += by;
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        const { top, bottom } = scroller.getBoundingClientRect();
        const slots = [...scroller.querySelectorAll(".slot")].map((slot) => ({ box: slot.getBoundingClientRect(), text: slot.textContent }));
        const inSight = slots.filter(({ box }) => box.bottom > top && box.top < bottom);
        return { isFull: slots[0].box.top <= top && slots[slots.length - 1].box.bottom >= bottom, numbers: inSight.map(({ text }) => Number(/number (\d+)/.exec(text)?.[1])) };
      }, pixels);
      assert.ok(seen.isFull, `after ${pixels}`);
      assert.deepEqual(seen.numbers, seen.numbers.map((_, index) => seen.numbers[0] + index));
    }
  });

  it("follows though what stands beside the list comes and goes, and more comes in before the browser has painted", async () => {
    await world.registerAgent(town, "beginner");
    const tell = (number) => world.post(town, "beginner", [{ event_type: "agent_output", data: { text: `word number ${number}, ${"and so on ".repeat(30)}`, stream: "assistant" } }]);
    for (let number = 0; number < 15; number += 1) must(await tell(number), 201);
    await open("beginner");
    await until("the last to be seen", async () => (await placeOf(page, "word number 14,"))?.inSight);
    await page.getByRole("region", { name: "Activity" }).evaluate((scroller) => {
      const beside = document.createElement("div");
      beside.style.height = "27px";
      const change = () => {
        if (beside.isConnected) beside.remove();
        else scroller.before(beside);
        void scroller.scrollTop; // lays out, and the browser moves a window that is higher now
        window.change = requestAnimationFrame(change); // the next frame's first, before what the page does in it
      };
      change();
    });
    for (let number = 15; number < 30; number += 1) {
      must(await tell(number), 201);
      assert.equal(await paused().count(), 0, `at word ${number}`);
    }
    await page.evaluate(() => cancelAnimationFrame(window.change));
    await until("the last to be seen", async () => (await placeOf(page, "word number 29,"))?.inSight);
    assert.equal(await paused().count(), 0);
  });

  it("shows the last row's menu whole, which hangs below it", async () => {
    await open("beginner");
    await until("the last to be seen", async () => (await placeOf(page, "word number 29,"))?.inSight);
    await log().locator(".row-menu-button").last().click();
    const items = page.getByRole("menuitem");
    await items.last().scrollIntoViewIfNeeded();
    const isHit = (item) => {
      const { left, top, width, height } = item.getBoundingClientRect();
      return item.contains(document.elementFromPoint(left + width / 2, top + height / 2));
    };
    assert.ok((await items.count()) > 1);
    const hit = await Promise.all((await items.all()).map((item) => item.evaluate(isHit)));
    assert.deepEqual(hit, Array(await items.count()).fill(true));
    await page.keyboard.press("Escape");
  });

  it("shows what is typed while it is typed, as the text that it then is", async () => {
    const truth = expectedOf("basic");
    const typed = new Set();
    await open("typist");
    await page.evaluate(() => {
      window.typed = [];
      new MutationObserver(() => {
        for (const one of document.querySelectorAll(".tab-panel .typing")) window.typed.push(one.textContent);
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    await world.startAgent(town, { agent_id: "typist", name: "typist", runtime: "replay", transcript: "basic", speed: 0.1 });
    await log().getByText(/^Finished after/).waitFor({ timeout: 40_000 });
    for (const text of await page.evaluate(() => window.typed)) typed.add(text);
    assert.ok(typed.size > 3, `${typed.size} states of typing`);
    for (const text of typed) assert.ok(truth.texts.some((whole) => whole.startsWith(text)), JSON.stringify(text));
    await until("nothing to be typed any more", async () => (await page.locator(".typing").count()) === 0);
  });

  it("fetches what the stream left out, and says so until it is there", async () => {
    let held;
    const release = new Promise((resolve) => (held = resolve));
    await page.routeWebSocket(/\/stream/, (socket) => {
      const server = socket.connectToServer();
      server.onMessage((text) => {
        const frame = JSON.parse(text);
        if (frame.type !== "events") return socket.send(text);
        const [first, last] = [frame.events.at(2)?.id, frame.events.at(11)?.id];
        if (last === undefined || frame.events.some(({ agent_id }) => agent_id !== "talker")) return socket.send(text);
        const part = (events) => socket.send(JSON.stringify({ ...frame, events }));
        part(frame.events.slice(0, 2));
        socket.send(JSON.stringify({ type: "gap", agent_id: "talker", from: first, to: last, count: 10, reason: "elided" }));
        part(frame.events.slice(12));
      });
    });
    // What a gap left out is asked for by what is before it, the past by what is behind it.
    await page.route(/agents\/talker\/events\?after_id=[1-9]/, async (route) => {
      await release;
      await route.continue();
    });
    const texts = async () => (await wholeList(page)).filter(({ text }) => /message number/.test(text)).map(({ text }) => Number(present(/number (\d+)/.exec(text), text)[1]));
    await open("talker");
    await untilSeen(144);
    for (let batch = 0; batch < 2; batch += 1) {
      await say(20);
      await untilSeen(posted - 1);
    }
    const gaps = (await wholeList(page)).filter(({ kind }) => kind === "gap");
    assert.ok(gaps.length > 0 && gaps.every(({ text }) => /10 events were left out here/.test(text)), JSON.stringify(gaps));
    assert.ok((await texts()).length < posted);
    held();
    await until("the gaps to be filled", async () => {
      await page.getByRole("region", { name: "Activity" }).evaluate((scroller) => (scroller.scrollTop = 0));
      return (await wholeList(page)).every(({ kind }) => kind !== "gap");
    }, 15_000);
    assert.deepEqual(await texts(), Array.from({ length: posted }, (_, index) => index));
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });

  it("opens a link to an event that the tab does not have, in its context", async () => {
    const { events } = must(await world.api("GET", `${town.path}/agents/talker/events?after_id=0&limit=60`));
    const oldest = events[12];
    await open("talker", `?event=${oldest.id}`);
    const current = log().locator("[aria-current=true]");
    await current.waitFor();
    await current.getByText(oldest.data.text.trim()).waitFor();
    await until("what came next to stand below", async () => (await placeOf(page, events[13].data.text))?.inSight);
  });

  it("asked nobody but its own server, and met no error", () => {
    assert.deepEqual(noted.foreign, []);
    assert.deepEqual(noted.errors.filter((error) => !/401/.test(error)), []);
  });
});
