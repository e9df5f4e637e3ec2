// A recording made to do harm: markup, scripts, addresses that run or spy, terminal and writing-direction tricks, data
// deep, huge and named after what every object has. All of it is shown as text, wherever the page shows it, opened.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { findChromium } from "../../scripts/lib/chromium.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { addressOf, launch, openPage, signIn } from "./browser.mjs";

const chromium = findChromium();
const skip = chromium === undefined && "there is no Chromium: set CHROMIUM, or install one (apt-get install chromium)";

const HTML = `<img src="https://evil.example/html.png" onerror="window.hacked = 1"><script>window.hacked = 2</script><iframe src="https://evil.example/frame"></iframe>`;
const MARKDOWN = [
  HTML,
  "[run me](javascript:window.hacked=3) [and me](JaVaScRiPt:window.hacked=4) [and me](data:text/html,<script>window.hacked=5</script>)",
  "![a pixel](https://evil.example/markdown.png) [a site](https://evil.example/site \"title\") <https://evil.example/auto>",
  `| ${HTML} | b |\n|---|---|\n| ${HTML} | [x](vbscript:x) |`,
  ["```html", HTML, "```"].join("\n"),
  `<style>body { display: none }</style>\n<base href="https://evil.example/">\n<meta http-equiv="refresh" content="0;url=https://evil.example/">`,
  "[ref]: javascript:window.hacked=6\n[ref]",
].join("\n\n");
const ANSI = "\u001b]0;a title\u0007\u001b]8;;javascript:window.hacked=7\u0007a terminal's link\u001b]8;;\u0007\u001b[8mconcealed\u001b[0m\u001b[2J\u001b[31mred\u001b[0m";
const BIDI = "photo_\u202egpj.exe and \u2066isolated";
const NAMED = "photo_⟨U+202E⟩gpj.exe and ⟨U+2066⟩isolated";

/** As deep as the town lets in, with some room for what lies around it. */
const deep = () => {
  /** @type {unknown} */
  let value = HTML;
  for (let depth = 0; depth < 110; depth += 1) value = { [depth % 2 ? "__proto__x" : "constructor"]: value };
  return value;
};

describe("hostile text", { skip }, () => {
  let world;
  let town;
  let browser;
  let page;
  let noted;

  before(async () => {
    world = await startWorld();
    town = await world.town();
    await world.registerAgent(town, "hostile");
    const call = (tool_use_id, category, input, more = {}) => ({
      event_type: "agent_tool_call",
      data: { tool_use_id, tool: `${category}${HTML}`, category, input, summary: `${HTML} ${BIDI}`, path: HTML, ...more },
    });
    const result = (tool_use_id, content, success = true) => ({
      event_type: "agent_tool_result",
      data: { tool_use_id, success, content, content_length: content.length, duration_ms: 1 },
    });
    const prototype = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}, "toString": "no function"}');
    const events = [
      { event_type: "agent_session", data: { session_id: HTML, model: HTML, branch: `${HTML}${BIDI}` } },
      { event_type: "agent_output", data: { text: MARKDOWN, stream: "assistant" } },
      { event_type: "agent_output", data: { text: `${BIDI}\n\n**${BIDI}**`, stream: "assistant" } },
      { event_type: "agent_output", data: { text: `${"> ".repeat(3_000)}deep ${HTML}`, stream: "assistant" } },
      { event_type: "agent_output", data: { text: `${HTML}\nmore`, stream: "thinking" } },
      { event_type: "agent_output", data: { text: `${HTML}${ANSI}`, stream: "stdout" } },
      call("edit", "Edit", { file_path: HTML, old_string: HTML, new_string: `${HTML}\n${BIDI}` }),
      result("edit", HTML),
      call("write", "Write", { file_path: `${HTML}/x.html`, content: HTML }),
      result("write", HTML),
      call("bash", "Bash", { command: `${HTML}${ANSI}` }),
      result("bash", `${HTML}${ANSI}`, false),
      call("__proto__", "Other", prototype),
      result("__proto__", JSON.stringify(prototype)),
      call("deep", "Other", deep()),
      call("huge", "Other", { huge: HTML.repeat(1_500) }),
      { event_type: "file_changed", data: { path: `${HTML} ${BIDI}`, action: "created", lines_added: 1 } },
      { event_type: "agent_error", data: { code: HTML, message: `${HTML} ${BIDI}` } },
      { event_type: "parser_notice", data: { kind: "malformed", count: 1, sample: HTML } },
      { event_type: "__proto__", data: prototype },
      { event_type: "constructor", data: [HTML, deep()] },
      { event_type: "agent_question", data: { request_id: "q", kind: "input", detail: `${HTML} ${BIDI}`, options: [BIDI, HTML] } },
      { event_type: "agent_output", data: { text: "the last one", stream: "assistant" } },
    ];
    must(await world.post(town, "hostile", events), 201);
    browser = await launch(chromium);
    ({ page, noted } = await openPage(browser, world.url, { viewport: { width: 1440, height: 900 } }));
    page.setDefaultTimeout(15_000);
    await page.addInitScript(() => void (window.opened = 0));
    await signIn(page, world);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  /** Opens whatever opens, and once more what opened with it. */
  const openAll = async () => {
    for (let round = 0; round < 3; round += 1) {
      await page.evaluate(() => {
        for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".agent-body [aria-expanded=false]:not([aria-haspopup])"))) button.click();
      });
      await page.waitForTimeout(150);
    }
  };

  for (const tab of ["output", "tools", "files", "errors"]) {
    it(`is text under ${tab} and in the activity, all of it opened`, async () => {
      await page.goto(`${addressOf(world, town, "hostile")}?tab=${tab}&show=all`);
      await page.getByRole("log").getByText("the last one").waitFor();
      await openAll();
      for (const part of [0, 0.3, 0.6, 1]) {
        await page.evaluate((share) => {
          for (const scroller of document.querySelectorAll(".scroller")) scroller.scrollTop = scroller.scrollHeight * share;
        }, part);
        await openAll();
        const found = await page.evaluate(() => ({
          hacked: window.hacked,
          polluted: {}.polluted,
          elements: document.querySelectorAll("main :is(img, script, iframe, style, base, meta, object, embed, form:not(.question), video, audio)").length,
          addresses: [.../** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("main a"))].map((link) => link.href).filter((href) => !href.startsWith(location.origin)),
          loose: [.../** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('main a[target="_blank"]'))].filter((link) => link.rel !== "noopener noreferrer").length,
          handlers: [...document.querySelectorAll("main *")].filter((one) => [...one.attributes].some(({ name }) => name.startsWith("on"))).length,
        }));
        assert.deepEqual({ ...found, addresses: [] }, { hacked: undefined, polluted: undefined, elements: 0, addresses: [], loose: 0, handlers: 0 });
        for (const address of found.addresses) assert.match(address, /^https:\/\/evil\.example\/(site|auto)$/);
      }
    });
  }

  it("shows where a link leads, and an image as what it says and where it is", async () => {
    await page.goto(`${addressOf(world, town, "hostile")}?tab=output&kind=text`);
    await page.getByRole("tabpanel").getByText("the last one").waitFor();
    await page.getByRole("region", { name: "Output" }).evaluate((scroller) => (scroller.scrollTop = 0));
    const said = page.getByRole("tabpanel").locator(".markdown").filter({ hasText: "run me" });
    await said.waitFor();
    const text = await said.innerText();
    assert.ok(text.includes("a site (https://evil.example/site)"), text.slice(0, 2_000));
    assert.ok(text.includes("run me (javascript:window.hacked=3)"), text.slice(0, 2_000));
  });

  it("names the characters that turn text around, and hides nothing that a terminal would", async () => {
    await page.goto(`${addressOf(world, town, "hostile")}?tab=tools`);
    await page.getByRole("log").getByText("photo_⟨U+202E⟩gpj.exe").first().waitFor();
    await page.getByRole("log").getByText("concealed").first().waitFor();
    assert.ok(!(await page.locator("main").textContent()).includes("\u202e"));
    assert.ok(!(await page.locator("main").textContent()).includes("\u001b"));
  });

  it("names them where it asks a person, and in all that the town says of it", async () => {
    const look = JSON.stringify({ id: 1, at: new Date(Date.now() - 60_000).toISOString(), costs: [] });
    await page.addInitScript(([name, text]) => localStorage.setItem(name, text), [`townwatch.look.${town.town_id}`, look]);
    for (const address of [addressOf(world, town), addressOf(world, town, "hostile")]) {
      await page.goto(address);
      const question = page.getByRole("form");
      await question.locator(".question-detail").getByText(NAMED).waitFor();
      await question.locator(".option label").filter({ hasText: NAMED }).waitFor();
      assert.ok(!(await page.locator("body").textContent()).includes("\u202e"), address);
    }
    await page.goto(addressOf(world, town));
    const since = page.getByRole("region", { name: "Since you last looked" });
    for (const kind of [/failure/, /file/]) {
      await since.getByRole("button", { name: kind }).click();
      await since.getByRole("link").filter({ hasText: NAMED }).waitFor();
      assert.ok(!(await page.locator("body").textContent()).includes("\u202e"), `${kind}`);
    }
  });

  it("lets nothing leave", () => {
    assert.deepEqual(noted.foreign, []);
    assert.deepEqual(noted.requests.filter((url) => url.includes("evil")), []);
    assert.deepEqual(noted.errors.filter((error) => !/401/.test(error)), []);
  });
});
