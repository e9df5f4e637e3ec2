// Who opens a town in which much has happened is live at once: what is before that comes when it is looked at.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { until } from "../worker/until.mjs";
import { addressOf, launch, openSignedIn } from "./browser.mjs";
import { crowdedTown } from "./crowded_town.mjs";
import { Traffic } from "./traffic.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";
const BYTES_MAX = 120_000;

describe("a town in which much has happened", { skip }, () => {
  let world;
  let browser;
  let town;
  let agents;
  const rowsShown = async (page) => Number((await page.locator(".agent-title .kind").innerText()).replace(/\D/g, ""));

  before(async () => {
    world = await startWorld({ control: false });
    browser = await launch(chromium);
    ({ town, agents } = await crowdedTown(world));
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  for (const [name, path] of [["the town's page", ""], ["an agent's page", "/agents/agent-0"], ["all activity", "/activity"]]) {
    it(`${name} is live after 120 kB at most`, async () => {
      const page = await openSignedIn(browser, world);
      const traffic = await Traffic.of(page);
      await page.goto(addressOf(world, town) + path);
      await page.getByText("Live", { exact: true }).waitFor();
      const { stream, api } = traffic;
      assert.ok(stream > 0, "the stream was counted");
      assert.ok(stream + api <= BYTES_MAX, `${stream} of the stream, ${api} of the API`);
      await page.context().close();
    });
  }

  it("an agent's page shows its whole log in the end, every event once and in order, while others come", async () => {
    const page = await openSignedIn(browser, world);
    await page.goto(addressOf(world, town, agents[0]));
    await page.getByText("Live", { exact: true }).waitFor();
    const line = (text) => ({ event_type: "agent_output", data: { text, stream: "assistant" } });
    must(await world.post(town, agents[0], [line("one that comes meanwhile")]), 201);
    await page.getByText("one that comes meanwhile").first().waitFor();
    await page.getByText("Loading earlier events…").first().waitFor({ state: "detached" });
    const log = await world.pages(`${town.path}/agents/${agents[0]}/events`);
    const calls = log.filter(({ event }) => event === "agent_tool_call").length;
    await until("all its calls", async () => Number((await page.getByRole("tab", { name: /Tools/ }).innerText()).replace(/\D/g, "")) === calls);
    // What is not loaded was pruned, and that is said.
    await page.locator(".activity .scroller").evaluate((list) => list.scrollTo({ top: 0 }));
    await page.getByText(/events from before this are gone/).first().waitFor();
    await page.context().close();
  });

  it("the list of all agents shows all of them in the end", async () => {
    const page = await openSignedIn(browser, world);
    await page.goto(`${addressOf(world, town)}/activity`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByText("Loading earlier events…").first().waitFor({ state: "detached" });
    assert.ok((await rowsShown(page)) > 3_000);
    await page.context().close();
  });

  it("says so where the past does not come, and gets it when asked again", async () => {
    const page = await openSignedIn(browser, world);
    const isPast = (url) => url.pathname.endsWith("/events") && url.searchParams.has("before_id");
    let asked = 0;
    await page.route(isPast, (route) => {
      asked += 1;
      return route.abort();
    });
    await page.goto(addressOf(world, town, agents[5]));
    await page.getByText(/Earlier events could not be loaded/).first().waitFor();
    assert.equal(await page.getByText("Nothing has happened yet").count(), 0);
    // By then the page waits for two seconds before it tries again by itself, so that what follows the click is its own.
    await until("eight tries", () => asked >= 8);
    const [before, clicked_ms] = [asked, performance.now()];
    await page.getByRole("button", { name: "Try again" }).first().click();
    await until("the try that was asked for", () => asked > before);
    assert.ok(performance.now() - clicked_ms < 1_500);
    await page.unroute(isPast);
    await page.getByText(/Earlier events could not be loaded/).first().waitFor({ state: "detached" });
    await page.context().close();
  });
});
