// What a person sees who opens the link for the first time: one click, and a real agent's work runs by, complete, in
// plain words. The words to look for come from the recording, by the oracle.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { expectedOf } from "../oracle/claude_code.mjs";
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

  it("signs in by the link, and the key is gone from the address", async () => {
    const key = world.secrets.TOWNWATCH_API_KEY;
    await page.goto(`${world.url}/#key=${key}`);
    await page.getByRole("button", { name: /start the demo agent/i }).waitFor();
    assert.ok(!page.url().includes(key) && !page.url().includes("#key"), page.url());
    const kept = await page.evaluate(() => JSON.stringify([history.state, { ...localStorage }, { ...sessionStorage }, document.cookie]));
    assert.ok(!kept.includes(key), "no script could read the key");
    assert.ok(!noted.requests.some((url) => url.includes(key)), "no request carried it in its address");
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
    await second.goto(`${world.url}/#key=${world.secrets.TOWNWATCH_API_KEY}`);
    await second.getByRole("button", { name: /start the demo agent/i }).waitFor();
    await second.goto(page.url());
    await second.getByRole("log").getByText(/^Finished after/).waitFor();
    await untilHolds("the same rows", async () => assert.equal((await second.getByRole("log").textContent()).replaceAll("\r", ""), await rows()));
    assert.deepEqual(notedThere.foreign, []);
    await context.close();
  });

  it("lists the agent in its town, by how it ended", async () => {
    const [, town] = /\/towns\/([^/]+)/.exec(page.url());
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
    const [, town] = /\/towns\/([^/]+)/.exec(page.url());
    await page.goto(`${world.url}/towns/${town}`);
    await page.getByRole("listitem").filter({ hasText: "Mine" }).getByText("Failed").first().waitFor();
  });

  it("shows what an agent wrote as text only, whatever it wrote", async () => {
    const [, town_id] = /\/towns\/([^/]+)/.exec(page.url());
    const [{ rig_id }] = must(await world.api("GET", `/api/towns/${town_id}/rigs`));
    const agent = { agent_id: "hostile", name: HOSTILE, role: "witness" };
    must(await world.api("POST", `/api/rigs/${rig_id}/agents`, agent), 201);
    await page.goto(`${world.url}/towns/${town_id}/agents/hostile`);
    const call = { tool_use_id: "c1", tool: HOSTILE, category: "Other", input: { a: HOSTILE }, summary: HOSTILE, path: HOSTILE };
    const result = { tool_use_id: "c1", success: false, content: HOSTILE, content_length: HOSTILE.length, duration_ms: 1 };
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
