// What a person sees who opens the link for the first time: one click, and a real agent's work runs by, complete, in
// plain words. The words to look for come from the recording, by the oracle.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { expectedOf } from "../oracle/claude_code.mjs";
import { present } from "../present.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { untilHolds } from "../worker/until.mjs";
import { launch, openPage } from "./browser.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";
const HOSTILE = `<img src="/stolen?by=img" onerror="window.hacked = true"><script>window.hacked = true</script>`;

describe("the first page", { skip }, () => {
  let world;
  let browser;
  let page;
  let noted;
  let link;
  const truth = expectedOf("basic");
  const log = () => page.getByRole("log");
  /** All rows as they stand, with what the browser may leave out of sight. */
  const rows = async () => (await log().textContent()).replaceAll("\r", "");

  before(async () => {
    world = await startWorld();
    browser = await launch(chromium);
    ({ page, noted } = await openPage(browser, world.url));
    page.setDefaultTimeout(20_000);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("tells who comes without the link how to get one, and shows nothing else", async () => {
    const { page: stranger, context } = await openPage(browser, world.url);
    await stranger.goto(world.url);
    await stranger.getByText("npm run link").waitFor();
    assert.equal(await stranger.getByRole("button", { name: /demo/i }).count(), 0);
    await context.close();
  });

  it("signs in by the link, and the code is gone from the address", async () => {
    const key = world.secrets.TOWNWATCH_API_KEY;
    link = await world.link();
    assert.ok(!link.includes(key));
    await page.goto(link);
    await page.getByRole("button", { name: /start the demo agent/i }).waitFor();
    assert.ok(!page.url().includes("#"), page.url());
    const kept = await page.evaluate(() => JSON.stringify([history.state, { ...localStorage }, { ...sessionStorage }, document.cookie]));
    assert.ok(!kept.includes(key), "no script could read the key");
    assert.ok(!noted.requests.some((url) => url.includes(key)), "no request carried it in its address");
  });

  it("does not ask again who is signed in and opens the same link, which signs nobody else in", async () => {
    await page.goto("about:blank");
    await page.goto(link);
    await page.getByRole("button", { name: /start the demo agent/i }).waitFor();
    const { page: thief, context } = await openPage(browser, world.url);
    await thief.goto(link);
    await thief.getByText(/was used already/).waitFor();
    assert.ok(!thief.url().includes("#"));
    await context.close();
  });

  it("starts the demo agent with one click and shows its work to the end", async () => {
    await page.getByRole("button", { name: /start the demo agent/i }).click();
    await log().getByText(/^Finished after/).waitFor({ timeout: 60_000 });
  });

  it("shows all that the agent said, word for word and in order", async () => {
    const shown = await rows();
    let position = 0;
    for (const text of [...truth.thoughts, ...truth.texts].map((one) => one.replaceAll("\r", ""))) {
      const found = shown.indexOf(text, position);
      assert.ok(found >= 0, `${JSON.stringify(text)} after position ${position} of:\n${shown}`);
      position = found + text.length;
    }
  });

  it("shows every call as a plain sentence that names its file", async () => {
    const shown = await rows();
    const files = truth.calls.filter(({ input }) => input.file_path !== undefined);
    assert.ok(files.length >= 3);
    const verbs = { Read: "Reading", Write: "Writing", Edit: "Editing" };
    for (const { tool, input } of files) {
      const sentence = `${verbs[tool]} ${input.file_path.replace("/workspace/repo/", "")}`;
      assert.ok(shown.includes(sentence), `${sentence} in:\n${shown}`);
    }
    await page.getByRole("main").getByText("Finished", { exact: true }).first().waitFor();
    await page.getByRole("tab", { name: /^Tools/ }).filter({ hasText: String(truth.calls.length) }).waitFor();
  });

  it("shows the same rows after a reload", async () => {
    const before = await rows();
    await page.reload();
    await log().getByText(/^Finished after/).waitFor();
    await untilHolds("the same rows", async () => assert.equal(await rows(), before));
    await page.getByText("Live", { exact: true }).waitFor();
  });

  it("shows the same to a second person who comes after the end", async () => {
    const { page: second, context, noted: notedThere } = await openPage(browser, world.url);
    await second.goto(await world.link(new URL(page.url()).pathname));
    await second.getByRole("log").getByText(/^Finished after/).waitFor();
    await untilHolds("the same rows", async () => assert.equal((await second.getByRole("log").textContent()).replaceAll("\r", ""), await rows()));
    assert.deepEqual(notedThere.foreign, []);
    await context.close();
  });

  it("lists who is signed in, ends another session, and signs out where one is", async () => {
    const { page: other, context } = await openPage(browser, world.url);
    await other.goto(await world.link(new URL(page.url()).pathname));
    await other.getByText("Live", { exact: true }).waitFor();
    const own = must(await world.api("GET", "/api/sessions"));
    await page.getByRole("button", { name: "Signed in" }).click();
    const sheet = page.getByRole("dialog", { name: "Signed in" });
    await untilHolds("all sessions", async () => assert.equal(await sheet.getByRole("listitem").count(), own.length));
    assert.equal(await sheet.getByText("this browser").count(), 1);
    assert.ok((await sheet.getByRole("listitem").filter({ hasText: "on Linux" }).count()) === own.length, await sheet.textContent());
    for (let left = own.length - 1; left > 0; left -= 1) {
      await sheet.getByRole("button", { name: "End", exact: true }).first().click();
      await untilHolds("one less", async () => assert.equal(await sheet.getByRole("listitem").count(), left));
    }
    // Its stream is closed, and then it finds that it is signed out.
    await other.getByText("You are signed out").waitFor();
    await other.getByRole("button", { name: "Sign in" }).click();
    await other.getByText("npm run link").waitFor();
    await context.close();
    await sheet.getByRole("button", { name: "Close" }).click();
    const { page: leaving, context: third } = await openPage(browser, world.url);
    await leaving.goto(await world.link(new URL(page.url()).pathname));
    await leaving.getByText("Live", { exact: true }).waitFor();
    const address = leaving.url();
    await leaving.getByRole("button", { name: "Signed in" }).click();
    await leaving.getByRole("button", { name: "Sign out", exact: true }).click();
    await leaving.getByText("npm run link").waitFor();
    assert.deepEqual(await third.cookies(), []);
    assert.equal(leaving.url(), address, "who signs in again is where he was");
    await leaving.getByLabel("Or enter the key").fill(world.secrets.TOWNWATCH_API_KEY);
    await leaving.getByRole("button", { name: "Sign in" }).click();
    await leaving.getByText("Live", { exact: true }).waitFor();
    assert.equal(leaving.url(), address);
    await third.close();
    await page.getByText("Live", { exact: true }).waitFor();
  });

  it("lists the agent in its town, by how it ended", async () => {
    const [, town] = present(/\/towns\/([^/]+)/.exec(page.url()), page.url());
    await page.goto(`${world.url}/towns/${town}`);
    const card = page.getByRole("listitem").filter({ hasText: "Demo" });
    await card.getByText("Finished").first().waitFor();
    await card.getByText(`${truth.calls.length} calls`).waitFor();
  });

  it("starts a command of one's own, and shows its lines and how it ended", async () => {
    await page.getByRole("button", { name: "Start an agent…" }).click();
    await page.getByRole("radio", { name: /command/i }).check();
    const script = "console.log('a line of its own'); console.error('and a complaint'); process.exitCode = 3";
    await page.getByLabel("Command", { exact: false }).last().fill(`${process.execPath} -e "${script}"`);
    await page.getByLabel("Name").fill("Mine");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await log().getByText(/^Failed/).waitFor({ timeout: 30_000 });
    await untilHolds("both lines", async () => {
      const shown = await rows();
      assert.ok(shown.includes("a line of its own") && shown.includes("and a complaint"), shown);
    });
    const [, town] = present(/\/towns\/([^/]+)/.exec(page.url()), page.url());
    await page.goto(`${world.url}/towns/${town}`);
    await page.getByRole("listitem").filter({ hasText: "Mine" }).getByText("Failed").first().waitFor();
  });

  it("shows what an agent wrote as text only, whatever it wrote", async () => {
    const [, town_id] = present(/\/towns\/([^/]+)/.exec(page.url()), page.url());
    const [{ rig_id }] = must(await world.api("GET", `/api/towns/${town_id}/rigs`));
    const agent = { agent_id: "hostile", name: HOSTILE, role: "witness" };
    must(await world.api("POST", `/api/rigs/${rig_id}/agents`, agent), 201);
    await page.goto(`${world.url}/towns/${town_id}/agents/hostile`);
    const call = { tool_use_id: "c1", tool: HOSTILE, category: "Other", input: { a: HOSTILE }, summary: HOSTILE, path: HOSTILE };
    const result = { tool_use_id: "c1", success: false, content: HOSTILE, content_length: HOSTILE.length, duration_ms: 1 };
    /** @type {{ event_type: string, data: unknown }[]} */
    const events = [
      { event_type: "agent_session", data: { session_id: HOSTILE, model: HOSTILE, branch: HOSTILE } },
      { event_type: "agent_output", data: { text: HOSTILE, stream: "assistant" } },
      { event_type: "agent_output", data: { text: HOSTILE, stream: "stdout" } },
      { event_type: "agent_tool_call", data: call },
      { event_type: "agent_tool_result", data: result },
      { event_type: "agent_error", data: { code: HOSTILE, message: HOSTILE } },
      { event_type: "file_changed", data: { path: HOSTILE, action: "created" } },
      { event_type: "agent_question", data: { request_id: "q", kind: "permission", detail: HOSTILE, options: [HOSTILE] } },
      { event_type: "constructor", data: { __proto__: HOSTILE, toString: HOSTILE } },
      { event_type: "agent_output", data: [HOSTILE] },
      { event_type: "agent.status", data: HOSTILE },
      { event_type: "agent_output", data: { text: "the last one", stream: "assistant" } },
    ];
    must(await world.post({ rig_id }, "hostile", events), 201);
    await log().getByText("the last one").waitFor();
    assert.ok((await rows()).includes(HOSTILE), "the text stands there as it was written");
    // All that opens is opened.
    await log().evaluate((element) => {
      for (const button of element.querySelectorAll("[aria-expanded=false]:not([aria-haspopup])")) button.click();
    });
    await page.goto(`${world.url}/towns/${town_id}`);
    await page.getByText("<img src").first().waitFor();
    for (const address of [page.url(), `${world.url}/towns/${town_id}/agents/hostile`]) {
      await page.goto(address);
      await page.getByText("<img src").first().waitFor();
      assert.equal(await page.evaluate(() => window.hacked), undefined, "no script of an agent ran");
      assert.equal(await page.locator("img[src*=stolen], script:not([src])").count(), 0);
    }
    assert.deepEqual(noted.requests.filter((url) => url.includes("stolen")), []);
  });

  it("is served with a policy that lets nothing run or load but its own", async () => {
    const policy = (await fetch(page.url())).headers.get("content-security-policy");
    assert.match(policy ?? "none", /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';/);
  });

  it("asked nobody but its own server, and met no error", () => {
    assert.deepEqual(noted.foreign, []);
    // Before signing in the page asks whether it is signed in, and hears that it is not.
    assert.deepEqual(noted.errors.filter((error) => !/401/.test(error)), []);
  });
});
