// The town's page as a person uses it: who stands where and why, answers, messages, starts and stops. What it has to say
// is known from the recordings.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { expectedOf as claudeSays } from "../oracle/claude_code.mjs";
import { expectedOf as codexSays } from "../oracle/codex.mjs";
import { expectedOf as opencodeSays } from "../oracle/opencode.mjs";
import { present } from "../present.mjs";
import { must } from "../worker/harness.mjs";
import { until, untilHolds } from "../worker/until.mjs";
import { addressOf, launch, openPage, pathOf, signIn } from "./browser.mjs";
import { fillTown, startStage } from "./stage.mjs";
import { Tab } from "./tab.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";

describe("the town's page", { skip }, () => {
  let world;
  let town;
  let browser;
  let page;
  let context;
  let noted;
  const codexText = codexSays("basic").steps.findLast(({ kind }) => kind === "text").text.split("`")[0];
  const card = (name) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name, exact: true }) });
  const openTown = () => page.goto(addressOf(world, town));
  const untilSays = (name, ...texts) =>
    untilHolds(`the card of ${name}`, async () => {
      const shown = (await card(name).innerText()).replaceAll("\n", " ");
      for (const text of texts) assert.ok(shown.includes(text), `${text} in ${shown}`);
    });

  before(async () => {
    world = await startStage();
    town = await fillTown(world);
    browser = await launch(chromium);
    ({ page, context, noted } = await openPage(browser, world.url, { viewport: { width: 1440, height: 900 } }));
    page.setDefaultTimeout(20_000);
    await signIn(page, world);
    await openTown();
    await card("Tidy the build").waitFor();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("shows who needs a person first: asks, waits, failed, lost, at work, ended", async () => {
    await untilHolds("the cards in their order", async () => {
      const names = await page.getByRole("list", { name: "Agents" }).getByRole("heading").allInnerTexts();
      assert.deepEqual(names.slice(0, 4), ["Tidy the build", "Mayor Quimby", "Upgrade the client", "Migrate the tables"]);
      assert.deepEqual(names.slice(4, 6).sort(), ["Fix the failing test", "Watch the log"]);
      assert.deepEqual(names.slice(6).sort(), ["Explain the cache", "Rename across the tree", "Review the parser", "Write the tests"]);
    });
    await page.getByText("2 wait for you · 1 failed · 1 lost · 2 at work · 4 not at work · container running").waitFor();
  });

  it("says what each has cost and used, and no price where there is none", async () => {
    const truth = claudeSays("volume320");
    const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = present(truth.usage);
    const thousands = (count) => `${(count / 1000).toFixed(1)}K`;
    const tokens = `${thousands(input_tokens + cache_read_input_tokens + cache_creation_input_tokens)} in · ${thousands(output_tokens)} out`;
    await untilSays("Rename across the tree", `${truth.calls.length} calls`, `$${present(truth.usage).cost_usd.toFixed(2)}`, tokens);
    for (const name of ["Watch the log", "Migrate the tables", "Write the tests"]) {
      await untilSays(name, "no price");
      assert.doesNotMatch(await card(name).innerText(), /\$\d/, name);
    }
  });

  it("says why a run failed, why one is lost, and which tool failed last", async () => {
    const [{ text }] = claudeSays("err400").steps;
    await untilSays("Upgrade the client", `Failed: ${text}`);
    await untilSays("Migrate the tables", "Lost: the container went away");
    /** @type {any} */
    const failed = opencodeSays("opencode", "basic").results.findLast(({ success }) => !success);
    const { content } = failed.content === undefined ? { content: failed.text } : failed;
    await untilSays("Mayor Quimby", content.trim().split("\n")[0]);
  });

  it("counts in the tab's title and on its icon", async () => {
    await page.waitForFunction(() => document.title === "(2 wait, 2 failed, 2 running) Riverside · Townwatch");
    const icon = await page.evaluate(() => /** @type {HTMLLinkElement} */ (document.querySelector("link[rel=icon]")).href);
    assert.ok(icon.endsWith("/favicons/asks-2.svg"), icon);
    assert.match(await (await fetch(icon)).text(), /^<svg.*>2<\/text>/s);
  });

  it("takes an answer on the card and on the agent's page, and the agent goes on", async () => {
    const truth = opencodeSays("opencode", "permission-ask");
    assert.deepEqual(truth.answers.map(([, answer]) => answer), ["once", "once", "reject"]);
    await card("Tidy the build").getByRole("button", { name: "Allow once" }).click();
    const answered = async (count) => {
      const { events } = must(await world.api("GET", `${town.path}/agents/asks/events?after_id=0&limit=500`));
      return events.filter(({ event }) => event === "agent_question_answered").length >= count;
    };
    await until("the first answer", () => answered(1));
    await card("Tidy the build").getByRole("button", { name: "Allow once" }).waitFor();
    await page.getByRole("link", { name: "Tidy the build" }).click();
    await page.getByRole("main").getByRole("button", { name: "Allow once" }).click();
    await until("the second answer", () => answered(2));
    await page.getByLabel("Words for the agent").fill("Not in this tree.");
    await page.getByRole("button", { name: "Reject" }).click();
    await until("the third answer", () => answered(3));
    const { events } = must(await world.api("GET", `${town.path}/agents/asks/events?after_id=0&limit=500`));
    const answers = events.filter(({ event }) => event === "agent_question_answered").map(({ data }) => [data.request_id, data.answer, data.by]);
    assert.deepEqual(answers, truth.answers.map(([request_id, answer]) => [request_id, answer, "operator"]));
    const log = page.getByRole("log").first();
    for (const { text } of truth.texts) await log.getByText(text).first().waitFor();
    await openTown();
    await card("Tidy the build").waitFor();
    await until("nobody to ask any more", async () => (await page.getByRole("button", { name: "Allow once" }).count()) === 0);
  });

  it("shows the mayor's stream beside the box, keeps it when the mayor ends, and opens it for the next run", async () => {
    const mayor = page.getByRole("complementary", { name: "Mayor Mayor Quimby" });
    const texts = opencodeSays("opencode", "basic").texts.map(({ text }) => text.split("\n")[0]);
    await mayor.getByText(texts.at(-1).slice(0, 30)).first().waitFor();
    await mayor.getByPlaceholder("Say something to the mayor").waitFor();
    await mayor.getByRole("button", { name: /stop/i }).click();
    await mayor.getByText("Stopped").first().waitFor();
    await mayor.getByRole("log").getByText(texts.at(-1).slice(0, 30)).first().waitFor();
    await mayor.getByPlaceholder("What should the mayor do next?").waitFor();
    // A second mayor, whose next order a recording can play.
    await world.startAgent(town, { agent_id: "deputy", name: "Deputy", role: "mayor", runtime: "replay", transcript: "codex/basic", speed: 0 });
    const deputy = page.getByRole("complementary", { name: "Mayor Deputy" });
    await deputy.getByText(codexText).first().waitFor();
    await deputy.getByText(/^Finished/).first().waitFor();
    await deputy.getByPlaceholder("Which recording should it play next?").fill("basic");
    await deputy.getByRole("button", { name: "Start" }).click();
    await deputy.getByText("run 2").waitFor();
    await deputy.getByText(claudeSays("basic").texts.at(-1).split("\n")[0].slice(0, 30)).first().waitFor();
  });

  it("starts any recording there is, and greys what is not installed with the command that installs it", async () => {
    await page.getByRole("button", { name: "Start an agent…" }).click();
    const { container } = must(await world.api("GET", town.path));
    assert.equal(container.agents_apart, false);
    await page.getByText("Agents run here as the control server's own user").waitFor();
    assert.equal(container.sandbox, "none");
    await page.getByRole("radio", { name: /^Command/ }).check();
    await page.getByText("Runs as you on this machine, and asks nothing.").waitFor();
    const names = { claude_code: "Claude Code", codex: "Codex", gemini: "Gemini CLI", opencode: "OpenCode", kilo: "Kilo", process: "Command", replay: "Recording" };
    for (const { name, found, install } of container.runtimes) {
      const choice = page.locator(".choice").filter({ has: page.getByText(names[name], { exact: true }) });
      await untilHolds(`${name}, which is ${found ? "" : "not "}installed`, async () => assert.equal(await choice.getByRole("radio").isEnabled(), found));
      if (!found) assert.ok((await choice.innerText()).endsWith(install), `${name}: ${install}`);
    }
    await page.getByRole("radio", { name: /^Recording/ }).check();
    await untilHolds("the recordings", async () => {
      const recordings = await page.getByRole("combobox", { name: "Recording" }).locator("option").allInnerTexts();
      assert.ok(recordings.includes("codex/volume320") && recordings.includes("basic"), recordings.join());
    });
    await page.getByRole("combobox", { name: "Recording" }).selectOption("codex/basic");
    await page.getByLabel("Played").selectOption("0");
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("By hand");
    await page.getByRole("form", { name: "Start an agent" }).getByRole("button", { name: "Start" }).click();
    await page.getByRole("heading", { name: "By hand" }).waitFor();
    await page.getByRole("log").first().getByText(codexText).first().waitFor();
    await openTown();
    await card("By hand").getByText("Finished").first().waitFor();
  });

  it("stops a run", async () => {
    await card("Watch the log").getByRole("button", { name: "Stop Watch the log" }).click();
    await card("Watch the log").getByText("Stopped").first().waitFor();
  });

  it("says what happened since this browser last looked, each with a link to it", async () => {
    const { events, head } = must(await world.api("GET", `${town.path}/events?after_id=0&limit=1000`));
    const look = { id: events.find(({ event }) => event === "agent_error").id - 1, at: new Date(Date.now() - 3_600_000).toISOString(), costs: [] };
    assert.ok(head > look.id);
    await context.addInitScript(([name, text]) => window.top === window && localStorage.setItem(name, text), [`townwatch.look.${town.town_id}`, JSON.stringify(look)]);
    await openTown();
    const since = page.getByRole("region", { name: "Since you last looked" });
    await since.getByText("Since you last looked, 1 h ago").waitFor();
    // Codex warns of a model that it does not know, and works on.
    const [warning] = codexSays("parallel").notices;
    assert.ok(events.some(({ id, event, data }) => id > look.id && event === "agent_notice" && data.message === warning), "it is among the news");
    await since.getByRole("button", { name: /failure/ }).click();
    await since.getByRole("link", { name: claudeSays("err400").steps[0].text }).waitFor();
    assert.ok(!(await since.innerText()).includes(warning), "a warning is no failure");
    assert.ok(!(await card("Write the tests").innerText()).includes(warning), "nor the last error");
    const log = await world.pages(`${town.path}/events`);
    const files = log.filter(({ id, event }) => id > look.id && event === "file_changed");
    const paths = new Set(files.map(({ agent_id, data }) => `${agent_id} ${data.path}`));
    await since.getByRole("button", { name: `${paths.size} files changed` }).click();
    const last = files.at(-1);
    await since.getByRole("link", { name: last.data.path }).first().click();
    await page.waitForURL((url) => url.searchParams.get("event") === String(last.id));
    await openTown();
    await since.getByRole("button", { name: "Seen" }).click();
    await since.waitFor({ state: "detached" });
  });

  it("tells who asked for it that a run has ended while the tab is hidden", async () => {
    const tab = await Tab.open(browser, await world.link(pathOf(town)));
    const told = () => tab.evaluate(() => window.told);
    await tab.untilSays(".connection", /^Live$/);
    await tab.evaluate(() => {
      window.told = [];
      /** @type {any} */ (window).Notification = class extends EventTarget {
        static permission = "granted";
        static requestPermission = async () => "granted";
        constructor(title, { body }) {
          super();
          window.told.push(`${title} · ${body}`);
        }
      };
      const button = /** @type {HTMLButtonElement} */ ([...document.querySelectorAll("button")].find((button) => button.textContent === "Notifications"));
      button.click();
    });
    await tab.untilSays("button[aria-pressed=true]", /^Notifications$/);
    const order = { agent_id: "news", name: "Newsboy", runtime: "replay", transcript: "err400", speed: 0 };
    await tab.hide();
    await world.startAgent(town, order);
    await until("the notification", async () => (await told()).length > 0);
    assert.deepEqual(await told(), [`Newsboy failed · Failed: ${claudeSays("err400").steps[0].text}`]);
    await tab.show();
    await world.startAgent(town, order);
    await until("the second failure", () =>
      tab.evaluate(() => [...document.querySelectorAll("article")].some(({ textContent }) => /^NewsboyFailed.*run 2/.test(textContent))),
    );
    assert.equal((await told()).length, 1, "who looks needs no notification");
    await tab.close();
  });

  it("is worked by the keyboard alone", async () => {
    await openTown();
    await card("Upgrade the client").waitFor();
    await page.keyboard.press("?");
    const sheet = page.getByRole("dialog", { name: "Keyboard" });
    await sheet.getByText("Start an agent").waitFor();
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "detached" });
    await page.keyboard.press("s");
    await page.getByText("What should run?").waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("What should run?").waitFor({ state: "detached" });
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    const focused = await page.evaluate(() => document.activeElement?.textContent);
    await page.getByRole("list", { name: "Agents" }).getByRole("heading").first().getByText(focused, { exact: true }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: focused }).waitFor();
    await page.keyboard.press("t");
    await page.waitForURL(addressOf(world, town));
  });

  it("met no error, and asked nobody but its own server", () => {
    assert.deepEqual(noted.foreign, []);
    assert.deepEqual(noted.errors.filter((error) => !/401/.test(error)), []);
  });
});
