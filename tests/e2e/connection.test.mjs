// What a person sees while the network is cut, the Worker dies and the tab sleeps: the truth about the connection, and in
// the end every line once, in order. The long cut runs beside the others: all of it is waiting.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { expectedOf } from "../oracle/claude_code.mjs";
import { present } from "../present.mjs";
import { Cable } from "../worker/cable.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { sleep, until } from "../worker/until.mjs";
import { mustShowWork, wholeList } from "./activity.mjs";
import { addressOf, launch, openPage, pathOf, signIn } from "./browser.mjs";
import { Tab } from "./tab.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";
/** Prints a numbered line four times a second until it is stopped. */
const COUNTING = ["sh", "-c", "i=0; while [ $i -lt 600 ]; do echo line $i; i=$((i+1)); sleep 0.25; done"];
/** Plays for 50 s; the cut begins in its first ten. */
const PLAYED = { runtime: "replay", transcript: "volume320", speed: 0.2 };
/** First nothing comes through, then everything breaks: half a minute in all. */
const SILENT_MS = 10_000;
const BROKEN_MS = 20_000;
/** What the page writes of the counting agent, read in the page. */
const countedLines = () =>
  [...document.querySelectorAll(".activity pre.lines")].map((one) => one.textContent).join("").split("\n").filter((line) => line !== "");

describe("a page whose connection breaks", { skip, concurrency: true }, () => {
  describe("again and again", { concurrency: false }, againAndAgain);
  describe("for half a minute in the middle of a run", { concurrency: false }, halfAMinute);
});

function againAndAgain() {
  let world;
  let town;
  let cable;
  let browser;
  let page;
  const indicator = () => page.locator(".connection");
  const lines = () => page.evaluate(countedLines);
  const untilLines = (more) => {
    let had;
    return until(`${more} more lines`, async () => {
      const now = (await lines()).length;
      had ??= now;
      return now >= had + more;
    }, 30_000);
  };
  const untilLive = () => page.getByText("Live", { exact: true }).waitFor();
  const logged = async () => {
    const log = await world.pages(`${town.path}/events`);
    return log.filter(({ event }) => event === "agent_output").map(({ data }) => data.text.trimEnd());
  };

  before(async () => {
    world = await startWorld();
    town = await world.town();
    cable = await Cable.lay(() => Number(new URL(world.url).port));
    browser = await launch(chromium);
    ({ page } = await openPage(browser, cable.url));
    page.setDefaultTimeout(30_000);
    await signIn(page, world, cable.url);
    await world.startAgent(town, { agent_id: "counting", name: "Counting", runtime: "process", command: COUNTING });
    await page.goto(addressOf(cable, town, "counting"));
    await untilLive();
    await untilLines(4);
  });
  after(async () => {
    await browser?.close();
    await cable?.stop();
    await world?.stop();
  });

  it("says that it reconnects while the network is cut, and goes on where it was", async () => {
    cable.cut();
    await page.getByRole("button", { name: /^Reconnecting \(attempt \d+, / }).waitFor();
    const had = (await lines()).length;
    await page.getByText(/^Reconnecting \(attempt [6-9]/).waitFor();
    await until("the run to go on", async () => (await logged()).length > had + 12);
    cable.mend();
    await indicator().click();
    await untilLive();
    await until("what happened meanwhile", async () => (await lines()).length > had + 12);
  });

  it("says Offline where the browser knows that there is no network", async () => {
    cable.cut();
    await page.evaluate(() => window.dispatchEvent(new Event("offline")));
    await page.getByText("Offline", { exact: true }).waitFor();
    cable.mend();
    await page.evaluate(() => window.dispatchEvent(new Event("online")));
    await untilLive();
  });

  it("lives through a Worker that is killed and started again", async () => {
    await world.worker.kill();
    await page.getByText(/^Reconnecting/).waitFor();
    await world.worker.start();
    await untilLive();
    await untilLines(4);
  });

  it("says Stale where nothing was heard for three beats, and leaves such a connection", async () => {
    const { page: watched, context } = await openPage(browser, cable.url, { storageState: await page.context().storageState() });
    watched.setDefaultTimeout(30_000);
    await watched.clock.install();
    await watched.goto(addressOf(cable, town, "counting"));
    await watched.getByText("Live", { exact: true }).waitFor();
    cable.silence();
    await watched.clock.runFor(91_000);
    await watched.getByText(/^Stale \(silent for 1 min 3\d s\)$/).waitFor();
    await watched.clock.runFor(5_000);
    await watched.getByText(/^(Reconnecting|Connecting)/).waitFor();
    cable.mend();
    await watched.getByText("Live", { exact: true }).waitFor();
    await context.close();
    await untilLive();
    await untilLines(4);
  });

  it("shows a tab that was hidden all that happened meanwhile, and asks whether its connection lives", async () => {
    const tab = await Tab.open(browser, await world.link(pathOf(town, "counting"), cable.url));
    const has = async () => (await tab.evaluate(countedLines)).length;
    const untilHas = (count) => until(`the tab to show ${count} lines`, async () => (await has()) >= count, 30_000);
    await tab.untilSays(".connection", /^Live$/);
    await tab.hide();
    const had = (await logged()).length;
    await until("the run to go on", async () => (await logged()).length > had + 12);
    await tab.show();
    await untilHas(had + 12);
    // A tab that was frozen as well has all of it, too.
    await tab.hide();
    await tab.freeze();
    await sleep(1_500);
    await tab.thaw();
    await tab.show();
    await tab.untilSays(".connection", /^Live$/);
    await untilHas((await logged()).length);
    // Its connection dies without a word while nobody looks; who looks at it hears so within its five seconds.
    await tab.hide();
    cable.silence();
    await sleep(500);
    const asked = Date.now();
    await tab.show();
    await tab.untilSays(".connection", /^(Reconnecting|Connecting)/);
    assert.ok(Date.now() - asked < 8_000, `it took ${Date.now() - asked} ms`);
    // The next attempt hangs in the same silence, until somebody looks once more.
    await tab.untilSays(".connection", /^Connecting/);
    await sleep(5_000);
    cable.mend();
    await tab.hide();
    await tab.show();
    await tab.untilSays(".connection", /^Live$/);
    const log = await logged();
    await untilHas(log.length);
    const shown = await tab.evaluate(countedLines);
    assert.deepEqual(shown, shown.map((_, number) => `line ${number}`));
    await tab.close();
    await untilLive();
    await untilLines(4);
  });

  it("reads an event stream where no WebSocket gets through, and says so", async () => {
    cable.refuses = /upgrade: websocket/i;
    cable.cut();
    cable.mend();
    // Failure upon failure has made the pauses long by now; a person does not wait for them either.
    await until("an event stream", async () => {
      if (await page.locator("button.connection").count()) await page.locator("button.connection").click({ timeout: 500 }).catch(() => {});
      return (await indicator().getAttribute("title")).includes("over an event stream, because no WebSocket gets through");
    }, 30_000);
    await untilLive();
    await untilLines(4);
  });

  it("shows every line once, in order, as the log has them", async () => {
    must(await world.api("POST", `${town.path}/container/agents/counting/stop`, { signal: "SIGKILL" }));
    await page.getByText(/^Stopped after/).first().waitFor();
    const all = await logged();
    assert.deepEqual(all, all.map((_, number) => `line ${number}`));
    await until("all of them", async () => (await lines()).length >= all.length);
    assert.deepEqual(await lines(), all);
  });
}

function halfAMinute() {
  const truth = expectedOf("volume320");
  let world;
  let town;
  let cable;
  let browser;
  let page;
  let cutAt;
  const calls = async () => (await world.pages(`${town.path}/agents/playing/events`)).filter(({ event }) => event === "agent_tool_call");
  const newest = () => page.getByRole("log").locator(".row.call").last().textContent();
  /** What the indicator changed to since it was last asked. */
  const words = () => page.evaluate(() => window.words.splice(0));

  before(async () => {
    world = await startWorld();
    town = await world.town();
    cable = await Cable.lay(() => Number(new URL(world.url).port));
    browser = await launch(chromium);
    ({ page } = await openPage(browser, cable.url));
    page.setDefaultTimeout(30_000);
    await page.addInitScript(() => {
      window.words = [];
      /** @type {string | null} */
      let last = null; // not of the list, which is emptied: what changes beside the indicator would repeat its word
      new MutationObserver(() => {
        const now = document.querySelector(".connection")?.textContent ?? null;
        if (now !== null && now !== last) window.words.push(now);
        last = now;
      }).observe(document, { childList: true, subtree: true, characterData: true });
    });
    await signIn(page, world, cable.url);
    await world.startAgent(town, { agent_id: "playing", name: "Playing", ...PLAYED });
    await page.goto(addressOf(cable, town, "playing"));
    await page.getByText("Live", { exact: true }).waitFor();
    await until("the run to be under way", async () => (await calls()).length > 20, 30_000);
  });
  after(async () => {
    await browser?.close();
    await cable?.stop();
    await world?.stop();
  });

  it("counts the attempts up and the seconds down, and never says that it is live", async () => {
    cable.silence();
    cutAt = Date.now();
    // What was on its way has come by then.
    await sleep(1_000);
    const last = await newest();
    await sleep(SILENT_MS - 1_000);
    assert.equal(await newest(), last, "nothing comes through");
    await words();
    cable.cut();
    await sleep(BROKEN_MS);
    const told = await words();
    assert.equal(await newest(), last, "nothing comes through");
    cable.mend();
    const waits = told.map((one) => /^Reconnecting \(attempt (\d+), (?:in (\d+) s|now)\)$/.exec(one)).filter((found) => found !== null);
    assert.deepEqual(told.filter((one) => !/^(Reconnecting|Connecting)/.test(one)), [], told.join());
    const seconds = Map.groupBy(waits, ([, attempt]) => Number(attempt));
    const attempts = [...seconds.keys()];
    assert.ok(attempts.length >= 7, told.join());
    assert.deepEqual(attempts, attempts.map((_, index) => index + 1));
    for (const [attempt, said] of seconds) {
      const counted = said.map(([, count]) => Number(count ?? 0));
      assert.deepEqual(counted, counted.toSorted((a, b) => b - a), `attempt ${attempt}: ${told.join()}`);
    }
    // From the sixth on a pause is longer than a second.
    for (const attempt of attempts.slice(5, -1)) assert.ok(present(seconds.get(attempt)).length >= 2, `attempt ${attempt}: ${told.join()}`);
  });

  it("comes back by itself, and in the end shows the run as it was recorded: nothing missing, nothing twice", async () => {
    const missed = (await calls()).filter(({ at }) => Date.parse(at) > cutAt);
    assert.ok(missed.length > 50, `${missed.length} calls during the cut`);
    await page.getByText("Live", { exact: true }).waitFor();
    assert.equal(await page.getByRole("log").getByText(/^Finished after/).count(), 0, "the run goes on after it");
    await page.getByRole("log").getByText(/^Finished after/).waitFor({ timeout: 60_000 });
    const items = await wholeList(page);
    mustShowWork(items, truth);
    assert.deepEqual(items.filter(({ kind }) => kind === "gap"), []);
  });
}
