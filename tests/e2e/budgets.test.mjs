// Budgets as a person meets them: set on the page, shown with what is spent, the warning in the list, and the reason of the end.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { addressOf, launch, openPage, signIn } from "./browser.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";

describe("budgets on the page", { skip }, () => {
  let world;
  let town;
  let browser;
  let page;

  before(async () => {
    world = await startWorld();
    town = await world.town();
    await world.registerAgent(town, "spender");
    browser = await launch(chromium);
    ({ page } = await openPage(browser, world.url, { viewport: { width: 1440, height: 900 } }));
    page.setDefaultTimeout(20_000);
    await signIn(page, world);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  const post = async (message_id, tokens, cost_usd) => {
    const data = { message_id, input_tokens: tokens, output_tokens: 0, cost_usd };
    must(await world.post(town, "spender", [{ event_type: "agent_usage", data, run_id: "r" }]), 201);
  };
  async function set(whose, fields) {
    const form = page.getByRole("form", { name: `Budget of ${whose}` });
    for (const [label, amount] of Object.entries(fields)) await form.getByLabel(label).fill(amount);
    await form.getByRole("button", { name: "Save" }).click();
    await form.waitFor({ state: "detached" });
  }

  it("sets the agent's, shows what is spent of it, warns, and says why the run ended", async () => {
    await post("m1", 100, 0.5);
    await page.goto(`${addressOf(world, town)}/agents/spender`);
    await page.getByRole("button", { name: "Set a budget of the day" }).click();
    await set("this agent", { "Tokens a day": "1000", "US dollars a day": "5" });
    await page.getByRole("button", { name: "Budget of the day: $0.50 of $5.00, 100 of 1,000 tokens" }).waitFor();
    await post("m1", 850, 0.75);
    await page.getByRole("button", { name: "Budget of the day: $0.75 of $5.00, 850 of 1,000 tokens" }).waitFor();
    await page.getByText("the agent's budget of the day (UTC) is nearly used up: 850 of 1,000 tokens").first().waitFor();
    await post("m2", 200, 0.25);
    await page.getByText("Over budget").first().waitFor();
    await page.getByText(/Stopped by a budget.*: the agent's budget of the day \(UTC\) is used up: 1,050 of 1,000 tokens/).first().waitFor();
  });

  it("sets the town's, and a start that it refuses says what to do", async () => {
    await page.goto(addressOf(world, town));
    await page.getByRole("button", { name: "Set a budget of the day" }).click();
    await set("this town", { "US dollars a day": "0.5" });
    await page.getByRole("button", { name: "Budget of the day: $1.00 of $0.50" }).waitFor();
    await page.getByText("1,050 of 1,000 tokens").first().waitFor();
    await page.getByRole("button", { name: "Start an agent…" }).click();
    const form = page.getByRole("form", { name: "Start an agent" });
    await form.getByText("Recording", { exact: true }).first().click();
    await form.getByLabel("At most, in tokens").fill("5000");
    await form.getByRole("button", { name: "Start", exact: true }).click();
    await form.getByText(/the town's budget of the day is used up, \$1\.00 of \$0\.50; raise it/).waitFor();
    must(await world.api("PATCH", town.path, { max_cost_usd: null }));
    await form.getByRole("button", { name: "Start", exact: true }).click();
    await page.waitForURL(/\/agents\//);
    const started = must(await world.api("GET", `${town.path}/agents`)).find(({ agent_id }) => agent_id !== "spender");
    assert.deepEqual(started.run_budget, { max_tokens: 5_000 });
    await page.getByText("Run's budget").first().waitFor();
  });
});
