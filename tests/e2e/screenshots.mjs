// Takes pictures of every scene; `npm run screenshots` sets up and builds first.

import fs from "node:fs";
import path from "node:path";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { launch, openPage, signIn } from "./browser.mjs";
import { scenes } from "./scenes.mjs";
import { fillTown, startStage } from "./stage.mjs";

const FOLDER = ".wrangler/screenshots";
const SIZES = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
const SCHEMES = ["light", "dark"];
/** The two that the README shows: their scenes, and where they go. */
const SHOWN = { town: { colorScheme: "light", file: "docs/town.png" }, agent_tools: { colorScheme: "dark", file: "docs/agent.png" } };

const wanted = process.argv.slice(2);

function pictures() {
  if (wanted.includes("--readme")) {
    return Object.entries(SHOWN).map(([name, picture]) => ({ name, viewport: { width: 1280, height: 760 }, ...picture }));
  }
  const names = Object.keys(scenes).filter((name) => wanted.length === 0 || wanted.some((one) => name.startsWith(one)));
  return Object.entries(SIZES).flatMap(([size, viewport]) =>
    SCHEMES.flatMap((colorScheme) =>
      names.map((name) => ({ name, viewport, colorScheme, file: path.join(FOLDER, `${name}-${size}-${colorScheme}.png`) })),
    ),
  );
}

for (const folder of [FOLDER, "docs"]) fs.mkdirSync(inRoot(folder), { recursive: true });
const world = await startStage();
const browser = await launch(findChromium());
try {
  const town = await fillTown(world);
  const { page, context } = await openPage(browser, world.url);
  await signIn(page, world);
  const storageState = await context.storageState();
  await context.close();
  for (const { name, viewport, colorScheme, file } of pictures()) {
    const session = name === "sign_in" ? {} : { storageState };
    const { page, context } = await openPage(browser, world.url, { viewport, colorScheme, reducedMotion: "reduce", ...session });
    page.setDefaultTimeout(20_000);
    await scenes[name]({ page, context, world, town });
    await page.screenshot({ path: inRoot(file) });
    console.log(file);
    await context.close();
  }
} finally {
  await browser.close();
  await world.stop();
}
