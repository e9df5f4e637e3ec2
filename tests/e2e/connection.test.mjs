// What a person sees while the network is cut, the Worker dies and the tab sleeps: the truth about the connection, and in
// the end every line once, in order.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { Cable } from "../worker/cable.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { sleep, until } from "../worker/until.mjs";
import { launch, openPage, signIn } from "./browser.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";
/** Prints a numbered line four times a second until it is stopped. */
const COUNTING = ["sh", "-c", "i=0; while [ $i -lt 600 ]; do echo line $i; i=$((i+1)); sleep 0.25; done"];

describe("a page whose connection breaks", { skip }, () => {
  let world;
  let town;
  let cable;
  let browser;
  let page;
  let cdp;
  const indicator = () => page.locator(".connection");
  const lines = async () => (await page.locator(".activity pre.lines").allTextContents()).join("").split("\n").filter((line) => line !== "");
  const untilLines = (more) => {
    let had;
    return until(`${more} more lines`, async () => {
      const now = (await lines()).length;
      had ??= now;
      return now >= had + more;
    }, 30_000);
  };
  const untilLive = () => page.getByText("Live", { exact: true }).waitFor();

  before(async () => {
    world = await startWorld();
    town = await world.town();
    cable = await Cable.lay(() => Number(new URL(world.url).port));
    browser = await launch(chromium);
    ({ page } = await openPage(browser, cable.url));
    page.setDefaultTimeout(30_000);
    cdp = await page.context().newCDPSession(page);
    await signIn(page, { ...world, url: cable.url, secrets: world.secrets });
    await world.startAgent(town, { agent_id: "counting", name: "Counting", runtime: "process", command: COUNTING });
    await page.goto(`${cable.url}/towns/${town.town_id}/agents/counting`);
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
    await sleep(4_000);
    const had = (await lines()).length;
    await page.getByText(/^Reconnecting \(attempt [4-9]/).waitFor();
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

  it("asks when the tab is shown again, and leaves a connection that is dead without a word", async () => {
    cable.silence();
    await sleep(500);
    const shown = async (state) => {
      await page.evaluate((state) => {
        Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, state);
    };
    await shown("hidden");
    await cdp.send("Page.setWebLifecycleState", { state: "frozen" });
    await sleep(1_500);
    await cdp.send("Page.setWebLifecycleState", { state: "active" });
    const asked = Date.now();
    await shown("visible");
    await page.getByText(/^(Reconnecting|Connecting)/).waitFor();
    assert.ok(Date.now() - asked < 8_000, "within its five seconds");
    // The next attempt hangs in the same silence, until somebody looks once more.
    await page.getByText(/^Connecting/).waitFor();
    await sleep(5_000);
    cable.mend();
    await shown("hidden");
    await shown("visible");
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
    const log = await world.pages(`${town.path}/events`);
    const logged = log.filter(({ event }) => event === "agent_output").map(({ data }) => data.text.trimEnd());
    assert.deepEqual(logged, logged.map((_, number) => `line ${number}`));
    assert.deepEqual(await lines(), logged);
  });
});
