// What agents ask, as a person answers it: on the card, on the agent's page, in the mayor's column and on a phone. The
// agents post, so that an answer has nobody to go to: what the page sends is read on its way.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import axe from "axe-core";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { until, untilHolds } from "../worker/until.mjs";
import { addressOf, launch, openPage, signIn } from "./browser.mjs";
import { ASKING, answered, DIFFERENCE, LONG_COMMAND, PARTS, postWork } from "./posted_work.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";

describe("questions", { skip }, () => {
  let world;
  let town;
  let browser;
  let page;
  let noted;
  /** The answers that the page sent, and how the next one is answered. */
  const sent = [];
  let reply;

  const card = (name) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name, exact: true }) });
  const form = (name) => page.getByRole("form", { name });
  const openTown = () => page.goto(addressOf(world, town));
  const openAgent = async (agent_id) => {
    await page.goto(addressOf(world, town, agent_id));
    await page.getByText("Live", { exact: true }).waitFor();
  };
  const post = async (agent_id, ...events) => must(await world.post(town, agent_id, events), 201);

  async function holdsToAxe(where) {
    await page.evaluate(axe.source);
    const found = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
    assert.deepEqual(found.violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))]), [], where);
  }

  before(async () => {
    world = await startWorld();
    town = await world.town();
    await postWork(world, town, ASKING);
    browser = await launch(chromium);
    let context;
    ({ page, context, noted } = await openPage(browser, world.url, { viewport: { width: 1440, height: 900 } }));
    page.setDefaultTimeout(15_000);
    await context.route("**/answer", async (route) => {
      sent.push(route.request().postDataJSON());
      await route.fulfill({ status: reply?.status ?? 200, json: reply?.body ?? { success: true, data: { answered: true } } });
    });
    await signIn(page, world);
    await openTown();
    await card("two_questions").waitFor();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("lists both questions on the card, says whose each is, and counts them", async () => {
    const two = card("two_questions");
    await two.getByText("2 questions", { exact: true }).waitFor();
    await untilHolds("two forms", async () => assert.equal(await two.getByRole("form").count(), 2));
    await form(/^Run npm publish/).getByText("npm publish", { exact: true }).waitFor();
    // What the state calls the sub-agent is the call's own description, or that it is one.
    assert.match(await form(/flushall/).innerText(), /(Look after the cache|a sub-agent) asks:/);
    assert.equal(await form(/flushall/).getByRole("button", { name: "Always allow" }).count(), 0, "nothing always can be allowed");
    await holdsToAxe("cards that ask");
  });

  it("says what “Always” would allow, and where the program did not say it", async () => {
    assert.match(await form(/^Run npm publish/).innerText(), /“Always” would allow from now on: npm publish \*/);
    assert.match(await card("long_command").innerText(), /the program did not say what else that would allow/);
  });

  it("answers either of two questions in any order, here and on the agent's page", async () => {
    await form(/flushall/).getByLabel("Words for the agent").fill("Not the cache of the shop.");
    await form(/flushall/).getByRole("button", { name: "Reject" }).click();
    await form(/flushall/).getByText("Answered, waiting for the agent to hear it…").waitFor();
    assert.deepEqual(sent.pop(), { request_id: "two", answer: "reject", text: "Not the cache of the shop." });
    assert.ok(await form(/^Run npm publish/).getByRole("button", { name: "Allow once" }).isEnabled(), "the other is still open");
    await post("two_questions", answered("two", "reject", { text: "Not the cache of the shop." }));
    await card("two_questions").getByText("Needs an answer", { exact: true }).waitFor();
    await openAgent("two_questions");
    assert.equal(await page.getByRole("main").getByRole("form").count(), 1);
    const asked = page.getByRole("log").first().locator(".row.question").first();
    const [icon, body] = [await asked.locator(":scope > .icon").boundingBox(), await asked.locator(".row-body").boundingBox()];
    assert.ok(icon.y >= body.y && icon.y < body.y + body.height && icon.x < body.x, "its mark stands beside it");
    await page.getByRole("log").first().getByText("Rejected by operator: “Not the cache of the shop.”").waitFor();
    await form(/^Run npm publish/).getByRole("button", { name: "Always allow" }).click();
    assert.deepEqual(sent.pop(), { request_id: "one", answer: "always" });
    await post("two_questions", answered("one", "always"));
    await page.getByRole("log").first().getByText("Always allowed by operator").waitFor();
    // The log and the agent's state are frames of their own, so that either may be shown first.
    await untilHolds("no form is left", async () => assert.equal(await page.getByRole("main").getByRole("form").count(), 0));
  });

  it("asks for each part in a fieldset, several choices with boxes, and sends an entry for each", async () => {
    await openAgent("parts");
    const parts = form("Two things to decide");
    const [storage, checks] = [parts.getByRole("group", { name: /Where should the sessions/ }), parts.getByRole("group", { name: /Which checks/ })];
    await storage.getByText("Slower, and survives a restart").waitFor();
    const table = storage.getByRole("radio", { name: "In the table" });
    assert.match(await table.evaluate((radio) => /** @type {HTMLElement} */ (document.getElementById(radio.getAttribute("aria-describedby") ?? "")).textContent), /survives a restart/);
    await storage.getByText("Preview").click();
    assert.equal(await storage.locator(".preview pre").innerText(), PARTS[0].options[0].preview);
    await holdsToAxe("a question in parts");
    const submit = parts.getByRole("button", { name: "Submit" });
    assert.ok(await submit.isDisabled());
    await parts.getByText("2 parts to answer").waitFor();
    await table.focus();
    await page.keyboard.press("ArrowDown");
    await untilHolds("the arrow keys choose", async () => assert.ok(await storage.getByRole("radio", { name: "In memory" }).isChecked()));
    await checks.getByRole("checkbox", { name: "Links" }).check();
    await checks.getByRole("checkbox", { name: "Types" }).check();
    assert.ok(await submit.isEnabled());
    await storage.getByLabel("In your own words").fill("In a file of its own");
    assert.ok(await storage.getByRole("radio", { name: "Something else" }).isChecked());
    await submit.click();
    const answers = [{ text: "In a file of its own" }, { choices: ["Types", "Links"] }];
    assert.deepEqual(sent.pop(), { request_id: "parts", answer: "once", answers });
    await post("parts", answered("parts", "once", { answers }));
    const log = page.getByRole("log").first();
    await log.getByText("Storage: “In a file of its own”").waitFor();
    await log.getByText("Checks: Types, Links").waitFor();
  });

  it("shows all of a long command before it is allowed, or one control beside the button that counts what is hidden", async () => {
    await openTown();
    const long = card("long_command");
    const [shown, breaks] = [await long.locator(".subject pre").innerText(), LONG_COMMAND.split("\n").length];
    assert.ok(LONG_COMMAND.startsWith(shown) && !shown.includes("rm -rf"), shown);
    const hidden = LONG_COMMAND.length - shown.length;
    const lines = breaks - shown.split("\n").length;
    const open = long.getByRole("button", { name: `Show the other ${hidden.toLocaleString("en")} characters, ${lines} lines` });
    const allow = long.getByRole("button", { name: "Allow once" });
    await open.waitFor();
    // Both at one moment: what is drawn above them may still move them.
    const both = [await open.elementHandle(), await allow.elementHandle()];
    const apart = await long.page().evaluate(([one, other]) => Math.abs(one.getBoundingClientRect().y - other.getBoundingClientRect().y), both);
    assert.ok(apart < 60, `the control stands right beside the button, ${apart} px from it`);
    await open.click();
    assert.equal(await long.locator(".subject pre").innerText(), LONG_COMMAND);
    assert.equal(await open.count(), 0);
    const box = await long.locator(".subject pre").evaluate((pre) => [pre.scrollHeight, pre.clientHeight]);
    assert.ok(box[0] <= box[1] + 1, "nothing of it scrolls away");
    await allow.click();
    assert.deepEqual(sent.pop(), { request_id: "long", answer: "once" });
  });

  it("fetches what the agent's state has no room for before it can be allowed, and says if it can not", async () => {
    // The town cuts a question only where many are open; here its state comes cut to the page.
    const { page: other, context, noted: met } = await openPage(browser, world.url, { storageState: await page.context().storageState() });
    other.setDefaultTimeout(15_000);
    await other.routeWebSocket(/\/stream/, (socket) => {
      const server = socket.connectToServer();
      server.onMessage((message) => {
        const frame = JSON.parse(message);
        for (const open of (frame.type === "state" && frame.agent.agent_id === "long_command" && frame.agent.questions) || []) {
          Object.assign(open, { cut: true, subject: { kind: "command", text: "cp --arch…" } });
        }
        socket.send(JSON.stringify(frame));
      });
    });
    let fails = true;
    let fetched = 0;
    await other.route(/\/api\/towns\/[^/]+\/events\/\d+$/, async (route) => {
      fetched += 1;
      if (fails) await route.fulfill({ status: 503, json: { success: false, error: { code: "town_unavailable", message: "The town is out of reach." } } });
      else await route.continue();
    });
    await other.goto(addressOf(world, town, "long_command"));
    const asked = other.getByRole("form");
    await asked.getByText(/The town is out of reach\./).waitFor();
    for (const name of ["Allow once", "Always allow"]) assert.ok(await asked.getByRole("button", { name }).isDisabled(), name);
    assert.ok(await asked.getByRole("button", { name: "Reject" }).isEnabled());
    fails = false;
    await asked.getByRole("button", { name: "Try again" }).click();
    await asked.getByRole("button", { name: /^Show the other/ }).click();
    assert.equal(await asked.locator(".subject pre").innerText(), LONG_COMMAND);
    assert.ok(await asked.getByRole("button", { name: "Allow once" }).isEnabled());
    assert.equal(fetched, 2);
    assert.deepEqual(met.errors.filter((error) => !/503/.test(error)), []);
    await context.close();
  });

  it("says a long command once: the sentence that asks has only its beginning", async () => {
    const data = { ...ASKING.long_command[0].data, request_id: "whole", detail: `May it run \`${LONG_COMMAND}\`?` };
    await post("long_command", answered("long", "once"), { event_type: "agent_question", data });
    const sentence = `May it run \`${LONG_COMMAND.split("\n")[0].slice(0, 120)}…\`?`;
    await card("long_command").getByText(sentence, { exact: true }).waitFor();
    assert.ok(!(await card("long_command").innerText()).includes("rm -rf"));
    await openAgent("long_command");
    await page.getByRole("log").first().getByText(sentence, { exact: true }).waitFor();
    await page.getByRole("log").first().getByRole("button", { name: "The whole command" }).last().click();
    await page.getByRole("log").first().getByText("rm -rf /srv/www/backups").waitFor();
    await openTown();
  });

  it("shows a plan with its structure and a change line by line", async () => {
    await openTown();
    await card("plan").getByRole("listitem").getByText("Switch the").waitFor();
    assert.equal(await card("plan").locator(".subject strong").innerText(), "Copy");
    const change = card("difference").locator(".subject");
    assert.equal(await change.locator(".diff-line.removed .diff-text").last().innerText(), "export const vat = 0.19;");
    assert.equal(await change.locator(".diff-line.added .diff-text").last().innerText(), DIFFERENCE.split("\n")[4].slice(1));
    await card("plan").getByRole("button", { name: "Show it as it was written" }).click();
    await card("plan").getByText("2. Switch the *readers*").waitFor();
  });

  it("tells who comes second what the first said", async () => {
    const details = { answer: "once", by: "operator" };
    reply = { status: 409, body: { success: false, error: { code: "conflict", message: "it was answered", details } } };
    await card("plan").getByRole("button", { name: "Reject" }).click();
    await card("plan").getByText("Somebody else answered first: allowed once.").waitFor();
    assert.ok(await card("plan").getByRole("button", { name: "Allow once" }).isDisabled());
    reply = { status: 503, body: { success: false, error: { code: "container_unavailable", message: "The container is not running." } } };
    await card("difference").getByRole("button", { name: "Reject" }).click();
    await card("difference").getByText("The container is not running.").waitFor();
    assert.ok(await card("difference").getByRole("button", { name: "Reject" }).isEnabled(), "it may be tried again");
    reply = undefined;
    sent.length = 0;
  });

  it("fits on a phone", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await post("parts", { event_type: "agent_question", data: { ...ASKING.parts[0].data, request_id: "again" } });
    await openAgent("parts");
    const parts = form("Two things to decide");
    await parts.getByRole("radio", { name: "In memory" }).check();
    await parts.getByRole("checkbox", { name: "Tests" }).check();
    await holdsToAxe("a question on a phone");
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    await parts.getByRole("button", { name: "Submit" }).click();
    assert.deepEqual(sent.pop().answers, [{ choices: ["In memory"] }, { choices: ["Tests"] }]);
    await openTown();
    await card("plan").waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  it("says of a question that nobody could answer that its run ended first", async () => {
    await post("difference", { event_type: "agent.exited", data: { reason: "stopped" } });
    await openAgent("difference");
    await page.getByRole("log").first().getByText("Nobody answered: the run ended first").waitFor();
    await until("no form", async () => (await page.getByRole("form").count()) === 0);
  });

  it("met no error but the refusals that were asked for", () => {
    assert.deepEqual(noted.errors.filter((error) => !/\b(401|409|503)\b/.test(error)), []);
  });
});
