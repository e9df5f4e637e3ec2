// A browser's own `EventSource`, opened by a script of the dashboard's origin that is signed in by its cookie: it gets
// history and live events, and comes back by itself where it was when the server dies and is there again.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { until } from "../worker/until.mjs";
import { launch, openPage } from "./browser.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";

describe("a browser's EventSource", { skip }, () => {
  let world;
  let town;
  let browser;
  let page;
  let noted;
  const posted = [];
  const note = async (data) => {
    must(await world.post(town, "poster", [{ event_type: "note", data }]), 201);
    posted.push(data);
  };
  const seen = () => page.evaluate(() => window.seen);
  const untilSeen = () =>
    until("all that was posted", async () => (await seen()).notes.length >= posted.length, 30_000, () => posted.length);

  before(async () => {
    world = await startWorld();
    town = await world.town();
    await world.registerAgent(town, "poster");
    browser = await launch(chromium);
    ({ page, noted } = await openPage(browser, world.url));
    page.setDefaultTimeout(20_000);
    await page.goto(`${world.url}/#key=${world.secrets.TOWNWATCH_API_KEY}`);
    await page.getByRole("button", { name: /start the demo agent/i }).waitFor();
    for (let number = 0; number < 5; number += 1) await note(`before ${number}`);
    await page.evaluate((stream) => {
      window.seen = { opened: 0, failed: 0, hellos: [], caughtUp: 0, ids: [], notes: [], states: 0 };
      const source = new EventSource(stream);
      source.onopen = () => (window.seen.opened += 1);
      source.onerror = () => (window.seen.failed += 1);
      source.addEventListener("hello", ({ data }) => window.seen.hellos.push(JSON.parse(data)));
      source.addEventListener("caught_up", () => (window.seen.caughtUp += 1));
      source.addEventListener("state", () => (window.seen.states += 1));
      source.addEventListener("note", ({ data, lastEventId }) => {
        window.seen.ids.push(lastEventId);
        window.seen.notes.push(JSON.parse(data).data);
      });
      window.source = source;
    }, town.stream);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("gets hello, states, history and live events, by the cookie alone", async () => {
    await until("caught_up", async () => (await seen()).caughtUp === 1);
    assert.deepEqual((await seen()).notes, posted);
    await note("live");
    await untilSeen();
    const { opened, failed, notes, states, hellos } = await seen();
    assert.deepEqual([opened, failed, hellos.length, notes], [1, 0, 1, posted]);
    assert.ok(states >= 1);
  });

  it("comes back by itself after the server was killed, and misses nothing and gets nothing twice", async () => {
    for (let round = 1; round <= 2; round += 1) {
      await world.worker.kill();
      await until("the browser to notice", async () => (await seen()).failed >= round);
      await world.worker.start();
      await note(`while it is away ${round}`);
      await until("it to be back", async () => (await seen()).opened === round + 1, 30_000);
      await note(`when it is back ${round}`);
      await untilSeen();
    }
    const { notes, ids, hellos } = await seen();
    assert.deepEqual(notes, posted);
    assert.deepEqual(ids.map(Number), [...new Set(ids.map(Number))].sort((a, b) => a - b));
    assert.ok(hellos.length === 3 && hellos.every(({ reset, epoch }) => !reset && epoch === hellos[0].epoch));
    assert.equal(await page.evaluate(() => window.source.readyState), 1);
    assert.deepEqual(noted.foreign, []);
  });
});
