// What agents were told and what of their work is open, as a person reads it; and the mayor's chat, which is the log.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { untilHolds } from "../worker/until.mjs";
import { addressOf, launch, openPage, signIn } from "./browser.mjs";
import { DEPLOY_FAILED, PROMPT, passUnheard, postWork, WORKING } from "./posted_work.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";

describe("what agents were told, and open work", { skip }, () => {
  let world;
  let town;
  let browser;
  let page;
  let noted;

  const card = (name) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name, exact: true }) });
  const log = () => page.getByRole("log").first();
  const rows = (kind) => log().locator(`.row.${kind}`);
  const openAgent = async (agent_id, query = "") => {
    await page.goto(`${addressOf(world, town, agent_id)}${query}`);
    await page.getByText("Live", { exact: true }).waitFor();
  };
  const post = async (agent_id, ...events) => must(await world.post(town, agent_id, events), 201);

  before(async () => {
    world = await startWorld();
    town = await world.town();
    await postWork(world, town, WORKING);
    await passUnheard(world, town, "silent", 11);
    const mayor = { agent_id: "mayor", name: "Mayor Quimby", role: "mayor" };
    must(await world.api("POST", `/api/rigs/${town.rig_id}/agents`, mayor), 201);
    await post("mayor", ...WORKING.told);
    browser = await launch(chromium);
    ({ page, noted } = await openPage(browser, world.url, { viewport: { width: 1440, height: 900 } }));
    page.setDefaultTimeout(15_000);
    await signIn(page, world);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("shows who told the agent what, whole and as it was written", async () => {
    await openAgent("told");
    await rows("user").first().waitFor();
    const told = await rows("user").evaluateAll((all) => all.map((row) => [row.querySelector(".teller").textContent, row.querySelector(".said").textContent]));
    assert.deepEqual(told, [
      ["You asked", PROMPT],
      ["You said", "Leave the **admin** pages alone."],
      ["Claude Code put this there by itself", "This conversation goes on from an earlier one that was summed up."],
    ]);
  });

  it("says on the card what the agent was asked: the first line, and all of it on demand", async () => {
    await page.goto(addressOf(world, town));
    const prompt = card("told").locator(".prompt");
    await prompt.getByText(`${PROMPT.split("\n")[0]}…`, { exact: true }).waitFor();
    await prompt.getByRole("button", { name: /^All of it\s*, of what told was asked$/ }).click();
    await untilHolds("the whole prompt", async () => assert.equal(await prompt.locator(".prompt-whole").textContent(), PROMPT));
    await prompt.getByRole("button", { name: /^Less/ }).click();
    assert.equal(await prompt.locator(".prompt-whole").count(), 0);
    await openAgent("told");
  });

  it("says of a text that was still being typed that it was broken off", async () => {
    const said = rows("say").filter({ hasText: "Understood, I leave" });
    assert.equal(await said.locator(".broken-off").innerText(), "broken off here");
    await openAgent("told", "?tab=output");
    await page.getByRole("region", { name: "Output" }).getByText("broken off here").waitFor();
  });

  it("has the mayor's chat out of the log alone, the same after a reload", async () => {
    const chat = async () => {
      await page.goto(addressOf(world, town));
      const mayor = page.getByRole("complementary", { name: "Mayor Mayor Quimby" });
      await mayor.getByText("Understood, I leave").waitFor();
      return mayor.locator(".row .said").allInnerTexts();
    };
    const before = await chat();
    assert.deepEqual(before.map((text) => text.split("\n")[0].slice(0, 20)), [
      "Move the sessions ou", "I begin with the rea", "Leave the **admin** ", "This conversation go", "Understood, I leave",
    ]);
    assert.deepEqual(await chat(), before);
  });

  it("says of a call whose turn ended without its result that it was interrupted", async () => {
    await openAgent("interrupted");
    const call = rows("call").filter({ hasText: "npm run a-long-build" });
    await call.getByText("interrupted", { exact: true }).waitFor();
    assert.equal(await call.getByText("running").count(), 0);
    await post("interrupted", {
      event_type: "agent_tool_result",
      data: { tool_use_id: "cut", success: true, content: "built", content_length: 5, duration_ms: 9 },
    });
    await call.getByText("succeeded").waitFor();
  });

  it("shows at its call what runs in the background, and how it ended", async () => {
    await openAgent("background");
    const call = rows("call").filter({ hasText: "./deploy.sh staging" });
    await call.getByText("Deploy to staging runs in the background").waitFor();
    await post("background", DEPLOY_FAILED);
    await call.getByText("Deploy to staging failed in the background, returned 2: no such host: staging").waitFor();
    assert.match(await call.getAttribute("class"), /\bbad\b/);
    await page.getByRole("tab", { name: /Errors/ }).click();
    await page.getByRole("region", { name: "Errors" }).getByText("no such host: staging").waitFor();
    await page.goto(addressOf(world, town));
    await card("background").getByText("Deploy to staging: no such host: staging").waitFor();
  });

  it("says what the program did by itself, as loud as it is, and marks a call that fails again and again", async () => {
    await openAgent("notices");
    await log().getByText("The conversation was summed up (from 155,000 to 12,000 tokens)").waitFor();
    await log().getByText("This has failed 4 times in a row").waitFor();
    await page.getByRole("tab", { name: /Errors/ }).click();
    const errors = page.getByRole("region", { name: "Errors" });
    await errors.getByText("The tool server “maps” did not start").waitFor();
    assert.equal(await errors.getByText("summed up").count(), 0);
    assert.equal(await errors.getByText("secret").count(), 0, "what was hidden is no error");
  });

  it("says since when nothing was heard of an agent that posts", async () => {
    await page.goto(addressOf(world, town));
    await card("silent").getByText("Silent", { exact: true }).waitFor();
    await untilHolds("the sentence", async () => assert.match(await card("silent").innerText(), /Nothing heard for 1[2-4] min$/m));
  });

  it("met no error", () => {
    assert.deepEqual(noted.errors.filter((error) => !/401/.test(error)), []);
  });
});
