// Putting an agent away as a person does it: from its page, told to every tab, found again at the end of the town's page.

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

describe("archiving an agent", { skip }, () => {
  let world;
  let town;
  let browser;
  let page;
  let other;
  const open = (size) => openSignedIn(browser, world, size);
  const quiet = (tab, count) => tab.getByRole("button", { name: `${count} archived`, exact: true });
  const stateOf = async (name) => must(await world.api("GET", `${town.path}/agents/${name}`));

  before(async () => {
    world = await startWorld({ control: false });
    town = await world.town();
    for (const name of ["done", "kept"]) {
      await world.registerAgent(town, name);
      const events = [{ event_type: "agent_output", data: { text: "what it said", stream: "assistant" } }, { event_type: "agent.exited", data: { reason: "completed" } }];
      must(await world.post(town, name, events), 201);
      await until("its end", async () => (await stateOf(name)).exit !== null);
    }
    browser = await launch(chromium);
    [page, other] = [await open(SIZES[0]), await open(SIZES[1])];
    await page.goto(addressOf(world, town, "done"));
    await other.goto(addressOf(world, town));
    await cardOf(other, "done").waitFor();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("is one press on its page, and the card leaves every tab", async () => {
    await page.getByRole("button", { name: "Archive done" }).click();
    await page.getByRole("button", { name: "Bring back done" }).waitFor();
    assert.deepEqual(await axeProblems(page), []);
    await cardOf(other, "done").waitFor({ state: "detached" });
    await cardOf(other, "kept").waitFor();
    await quiet(other, 1).waitFor();
    assert.ok((await stateOf("done")).archived_at);
  });

  it("is behind one quiet control, which also a phone shows whole", async () => {
    await quiet(other, 1).press("Enter");
    const list = other.getByRole("list", { name: "Archived agents" });
    await list.getByRole("link", { name: "done" }).waitFor();
    assert.deepEqual(await axeProblems(other), []);
    assert.ok(await other.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
  });

  it("is read from its address by a page that was never told of it", async () => {
    await page.reload();
    await page.getByRole("heading", { name: "done", level: 1 }).waitFor();
    await page.getByRole("button", { name: "Bring back done" }).waitFor();
    await page.getByText("what it said").first().waitFor();
  });

  it("is not taken for deleted by a page that was away while it was archived", async () => {
    await other.goto(addressOf(world, town, "kept"));
    await other.getByRole("button", { name: "Archive kept" }).waitFor();
    await world.worker.kill();
    await world.worker.start();
    must(await world.api("POST", `${town.path}/agents/kept/archive`));
    await other.getByRole("button", { name: "Bring back kept" }).waitFor({ timeout: 60_000 });
    must(await world.api("DELETE", `${town.path}/agents/kept/archive`));
    await other.getByRole("button", { name: "Archive kept" }).waitFor();
  });

  it("is brought back from there, and the control goes with the last one", async () => {
    await other.getByRole("link", { name: "Back to the town" }).click();
    await quiet(other, 1).click();
    await other.getByRole("button", { name: "Bring back done" }).click();
    await cardOf(other, "done").waitFor();
    await quiet(other, 1).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Archive done" }).waitFor();
    assert.equal((await stateOf("done")).archived_at, undefined);
  });
});
