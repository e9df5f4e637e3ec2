// axe finds nothing wrong with any page, by day and by night, wide and on a phone; nothing is wider than the screen.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { axeProblems } from "./axe.mjs";
import { launch, openPage, signIn } from "./browser.mjs";
import { scenes } from "./scenes.mjs";
import { fillTown, startStage } from "./stage.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";
const SCREENS = [
  { name: "wide, by day", viewport: { width: 1440, height: 900 }, colorScheme: "light", of: /./ },
  { name: "on a phone, by night", viewport: { width: 390, height: 844 }, colorScheme: "dark", of: /^(sign_in|town|posted|agent_(running|asks|tools))/ },
];

describe("every page", { skip }, () => {
  let world;
  let town;
  let browser;
  let storageState;

  before(async () => {
    world = await startStage();
    town = await fillTown(world);
    browser = await launch(chromium);
    const { page, context } = await openPage(browser, world.url);
    await signIn(page, world);
    storageState = await context.storageState();
    await context.close();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  for (const { name, viewport, colorScheme, of } of SCREENS) {
    for (const [scene, show] of Object.entries(scenes).filter(([scene]) => of.test(scene))) {
      it(`${scene} is without a violation, ${name}`, async () => {
        const signedIn = scene === "sign_in" ? {} : { storageState };
        const { page, context } = await openPage(browser, world.url, { viewport, colorScheme, reducedMotion: "reduce", ...signedIn });
        page.setDefaultTimeout(20_000);
        await show({ page, world, town });
        assert.deepEqual(await axeProblems(page), []);
        const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(tooWide <= 0, `${tooWide} pixels wider than the screen`);
        await context.close();
      });
    }
  }
});
