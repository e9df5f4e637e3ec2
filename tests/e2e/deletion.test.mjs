// Deleting an agent as a person does it: asked once, gone from every tab without a reload, and not back after an absence.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { until } from "../worker/until.mjs";
import { axeProblems } from "./axe.mjs";
import { addressOf, cardOf, launch, openSignedIn } from "./browser.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";
const SIZES = [
  { viewport: { width: 1440, height: 900 }, colorScheme: "dark" },
  { viewport: { width: 390, height: 844 }, colorScheme: "light" },
];
const NAMES = ["done", "kept", "other-tab", "away"];

describe("deleting an agent", { skip }, () => {
  let world;
  let town;
  let browser;
  let page;
  let other;
  const open = (size) => openSignedIn(browser, world, size);
  const exists = async (name) => (await world.api("GET", `${town.path}/agents/${name}`)).status === 200;

  before(async () => {
    world = await startWorld({ control: false });
    town = await world.town();
    for (const name of NAMES) {
      await world.registerAgent(town, name);
      const events = [{ event_type: "note", data: "something" }, { event_type: "agent.exited", data: { reason: "completed" } }];
      must(await world.post(town, name, events), 201);
      await until("its end", async () => must(await world.api("GET", `${town.path}/agents/${name}`)).exit !== null);
    }
    browser = await launch(chromium);
    [page, other] = [await open(SIZES[0]), await open(SIZES[1])];
    await page.goto(addressOf(world, town));
    await other.goto(addressOf(world, town, "other-tab"));
    for (const name of NAMES) await cardOf(page, name).waitFor();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("is asked once, says what goes, and can be left by the keyboard", async () => {
    const button = cardOf(page, "kept").getByRole("button", { name: "Delete kept" });
    await button.press("Enter");
    const question = page.getByRole("dialog", { name: "Delete kept?" });
    await question.getByText("cannot be brought back").waitFor();
    assert.deepEqual(await axeProblems(page), []);
    assert.equal(await question.getByRole("button", { name: "Keep it" }).evaluate((one) => one === document.activeElement), true);
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "detached" });
    assert.equal(await button.evaluate((one) => one === document.activeElement), true, "the keyboard is where it was");
    assert.ok(await exists("kept"));
  });

  it("takes the card away, and what it tells is true", async () => {
    await cardOf(page, "done").getByRole("button", { name: "Delete done" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
    await cardOf(page, "done").waitFor({ state: "detached" });
    assert.ok(!(await exists("done")));
    await cardOf(page, "kept").waitFor();
  });

  it("is told to another tab that shows the agent, also on a phone", async () => {
    await other.getByRole("button", { name: "Delete other-tab" }).click();
    await other.getByRole("dialog").getByText("cannot be brought back").waitFor();
    assert.deepEqual(await axeProblems(other), []);
    assert.ok(await other.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
    must(await world.api("DELETE", `${town.path}/agents/other-tab`), 204);
    await other.getByRole("heading", { name: "This agent was deleted" }).waitFor();
    await cardOf(page, "other-tab").waitFor({ state: "detached" });
    await other.getByRole("link", { name: "To the town" }).click();
    await cardOf(other, "kept").waitFor();
  });

  it("is not back on a page that was away meanwhile", async () => {
    await world.worker.kill();
    await world.worker.start();
    must(await world.api("DELETE", `${town.path}/agents/away`), 204);
    await cardOf(page, "away").waitFor({ state: "detached", timeout: 60_000 });
    await cardOf(page, "kept").waitFor();
  });
});
