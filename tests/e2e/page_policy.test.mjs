// The page under its own policy: nothing that it does anywhere is refused by it, what a fault of ours would do is, links to
// the reader's own computer are marked, and a tab that is older than what is served comes to the page of now.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { addressOf, launch, openPage, signIn } from "./browser.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";

const SAID = [
  "**Done.** `npm run dev` serves http://localhost:5173/ and [the API](http://127.0.0.1:8787/x); see <https://example.org/docs>.",
  "```js\nconst answer = 42;\n```",
  "| a | b |\n|---|---|\n| 1 | [home](http://[::1]:3000/) |",
].join("\n\n");
const PRINTED = "\u001b[32mready\u001b[0m \u001b]8;;http://localhost:9000/app\u0007open\u001b]8;;\u0007 \u001b]8;;https://example.org/\u0007docs\u001b]8;;\u0007";

/** Notes what the page's policy refuses, from the first moment of each document. */
const watchPolicy = (page) =>
  page.addInitScript(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) => {
      window.violations.push(`${violatedDirective} ${blockedURI} ${sample}`);
    });
  });

describe("the page's policy", { skip }, () => {
  let world;
  let town;
  let browser;
  let page;
  let noted;
  const violations = () => page.evaluate(() => window.violations);

  before(async () => {
    world = await startWorld();
    town = await world.town();
    await world.registerAgent(town, "writer");
    const call = { tool_use_id: "edit", tool: "Edit", category: "Edit", summary: "Editing a.ts", path: "a.ts" };
    const events = [
      { event_type: "agent_output", data: { text: SAID, stream: "assistant" } },
      { event_type: "agent_output", data: { text: PRINTED, stream: "stdout" } },
      { event_type: "agent_tool_call", data: { ...call, input: { file_path: "a.ts", old_string: "const a = 1;", new_string: "const a = 2;" } } },
      { event_type: "agent_tool_result", data: { tool_use_id: "edit", success: true, content: '{"a":[1,2,{"b":3}]}', content_length: 20, duration_ms: 1, attachments: [{ kind: "link", uri: "http://127.0.0.1:6006/" }, { kind: "link", uri: "https://example.org/x" }] } },
      { event_type: "agent_output", data: { text: "the last one", stream: "assistant" } },
    ];
    must(await world.post(town, "writer", events), 201);
    browser = await launch(chromium);
    ({ page, noted } = await openPage(browser, world.url));
    page.setDefaultTimeout(15_000);
    await watchPolicy(page);
    await signIn(page, world);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it("is kept everywhere: the town, its activity, each tab of an agent, opened, searched, with the start form", async () => {
    const places = [world.url, addressOf(world, town), `${addressOf(world, town)}/activity`];
    for (const tab of ["output", "tools", "files", "errors"]) places.push(`${addressOf(world, town, "writer")}?tab=${tab}&show=all`);
    for (const place of places) {
      await page.goto(place);
      await page.getByRole("main").waitFor();
      if (place.includes("/agents/")) await page.getByRole("log").getByText("the last one").waitFor();
      for (let round = 0; round < 3; round += 1) {
        await page.evaluate(() => {
          for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("main [aria-expanded=false]:not([aria-haspopup])"))) button.click();
        });
        await page.waitForTimeout(200);
      }
      assert.deepEqual(await violations(), [], place);
    }
    await page.goto(addressOf(world, town));
    await page.getByRole("button", { name: "Start an agent…" }).click();
    await page.getByRole("form", { name: "Start an agent" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.waitForTimeout(200);
    assert.deepEqual(await violations(), [], "the start form and the sheet of keys");
    assert.ok(await page.evaluate(() => "trustedTypes" in window), "this browser knows Trusted Types");
    assert.deepEqual(noted.errors, []);
  });

  it("lets the worker draw, which is the one script that the page names", async () => {
    await page.goto(`${addressOf(world, town, "writer")}?tab=output`);
    await page.getByRole("tabpanel").locator(".markdown table").waitFor();
    assert.deepEqual(await violations(), []);
  });

  it("refuses text that would become markup or a script, and a policy of another name", async () => {
    await page.goto(addressOf(world, town));
    await page.getByRole("main").waitFor();
    const attempts = await page.evaluate(() => {
      const refusedBy = (act) => {
        try {
          act();
          return null;
        } catch (thrown) {
          return /** @type {Error} */ (thrown).constructor.name;
        }
      };
      return {
        markup: refusedBy(() => (document.createElement("div").innerHTML = "<b>x</b>")),
        script: refusedBy(() => (document.createElement("script").src = "/assets/x.js")),
        worker: refusedBy(() => new Worker("/assets/x.js")),
        policy: refusedBy(() => window.trustedTypes.createPolicy("default", { createHTML: (text) => text })),
        again: refusedBy(() => window.trustedTypes.createPolicy("townwatch-worker", { createHTML: (text) => text })),
      };
    });
    assert.deepEqual(attempts, { markup: "TypeError", script: "TypeError", worker: "TypeError", policy: "TypeError", again: "TypeError" });
  });

  it("marks links that lead to the reader's own computer, and no others", async () => {
    // The mark stands behind the link, or behind its address where that is shown.
    const look = () =>
      page.evaluate(() => {
        const links = [.../** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('main a[target="_blank"]'))].filter(({ href }) => !href.startsWith(location.origin));
        return links.map((link) => {
          const next = link.nextElementSibling;
          const mark = next?.matches(".address") ? next.nextElementSibling : next;
          return [link.href, mark?.textContent === " (on your own computer)"];
        });
      });
    const seen = new Map();
    for (const query of ["?tab=output", "?tab=tools&show=all"]) {
      await page.goto(addressOf(world, town, "writer") + query);
      await page.getByRole("log").getByText("the last one").waitFor();
      for (let round = 0; round < 3; round += 1) {
        await page.evaluate(() => {
          for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".agent-body [aria-expanded=false]:not([aria-haspopup])"))) button.click();
        });
        await page.waitForTimeout(300);
      }
      for (const [href, isMarked] of await look()) seen.set(href, isMarked);
    }
    assert.deepEqual(
      Object.fromEntries([...seen].sort()),
      {
        "http://127.0.0.1:6006/": true,
        "http://127.0.0.1:8787/x": true,
        "http://[::1]:3000/": true,
        "http://localhost:5173/": true,
        "http://localhost:9000/app": true,
        "https://example.org/": false,
        "https://example.org/docs": false,
        "https://example.org/x": false,
      },
    );
  });
});

describe("a tab that is older than what is served", { skip }, () => {
  let world;
  let town;
  let browser;
  before(async () => {
    world = await startWorld({ control: false });
    town = await world.town();
    await world.registerAgent(town, "one");
    browser = await launch(chromium);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  /** A page whose later parts are gone; `isOutdated`: the page that is served names another build. */
  async function tab(isOutdated) {
    const { context, page } = await openPage(browser, world.url);
    page.setDefaultTimeout(15_000);
    await signIn(page, world);
    const documents = [];
    page.on("request", (request) => request.isNavigationRequest() && documents.push(request.url()));
    await page.route(/\/assets\/agent_page-.*\.js$/, (route) => route.fulfill({ status: 404, contentType: "application/json", body: "{}" }));
    if (isOutdated) {
      await page.route(`${world.url}/`, async (route) => {
        const answer = await route.fetch();
        await route.fulfill({ response: answer, body: (await answer.text()).replace(/index-[\w-]+\.js/, "index-another.js") });
      });
    }
    const open = () =>
      page.evaluate((path) => {
        history.pushState(null, "", path);
        dispatchEvent(new PopStateEvent("popstate"));
      }, new URL(addressOf(world, town, "one")).pathname);
    return { context, page, documents, open };
  }
  const FAILED = "A part of this page did not come over the network";

  it("is loaded anew, once, where a part does not come; and no further where that does not help", async () => {
    const { context, page, documents, open } = await tab(true);
    await page.goto(addressOf(world, town));
    await page.getByRole("main").waitFor();
    documents.length = 0;
    await open();
    // The reloaded page is the same here, and so its part fails again.
    await page.getByText(FAILED).waitFor();
    await page.waitForTimeout(1_500);
    assert.equal(documents.length, 1, "one reload");
    await context.close();
  });

  it("stays where the build is the same: the network was at fault", async () => {
    const { context, page, documents, open } = await tab(false);
    await page.goto(addressOf(world, town));
    await page.getByRole("main").waitFor();
    documents.length = 0;
    await open();
    await page.getByText(FAILED).waitFor();
    assert.equal(documents.length, 0);
    await context.close();
  });
});
