// A real Chromium for tests, and what a page did that it should not have.

import { chromium } from "playwright-core";

export function launch(executablePath) {
  // Tests run as root in containers, where Chromium's sandbox does not work; the only page that it sees is ours.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** A page that notes errors, and requests that leave our own origin. */
export async function openPage(browser, origin) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, locale: "en-GB" });
  const page = await context.newPage();
  const noted = { errors: [], foreign: [], requests: [] };
  page.on("pageerror", (error) => noted.errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && noted.errors.push(`${message.text()} (${message.location().url})`));
  page.on("request", (request) => {
    const url = request.url();
    noted.requests.push(url);
    if (!url.startsWith(origin) && !url.startsWith("data:") && !url.startsWith("blob:")) noted.foreign.push(url);
  });
  return { context, page, noted };
}
