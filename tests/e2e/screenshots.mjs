// Takes pictures of every scene; `npm run screenshots` sets up and builds first.

import fs from "node:fs";
import path from "node:path";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { launch, openPage, signIn } from "./browser.mjs";
import { scenes } from "./scenes.mjs";
import { fillTown, startStage } from "./stage.mjs";

const FOLDER = inRoot(".wrangler/screenshots");
const SIZES = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
const SCHEMES = ["light", "dark"];

const wanted = process.argv.slice(2);
fs.mkdirSync(FOLDER, { recursive: true });

const world = await startStage();
const browser = await launch(findChromium());
try {
  const town = await fillTown(world);
  const { page, context } = await openPage(browser, world.url);
  await signIn(page, world);
  const storageState = await context.storageState();
  await context.close();
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of SCHEMES) {
      for (const [name, show] of Object.entries(scenes)) {
        if (wanted.length > 0 && !wanted.some((one) => name.startsWith(one))) continue;
        const { page, context } = await openPage(browser, world.url, { viewport, colorScheme, reducedMotion: "reduce", ...(name === "sign_in" ? {} : { storageState }) });
        page.setDefaultTimeout(20_000);
        await show({ page, context, world, town });
        const file = path.join(FOLDER, `${name}-${size}-${colorScheme}.png`);
        await page.screenshot({ path: file });
        console.log(path.relative(inRoot("."), file));
        await context.close();
      }
    }
  }
} finally {
  await browser.close();
  await world.stop();
}
