// A real Chromium for tests, and what a page did that it should not have.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

import { chromium } from "playwright-core";

/** $CHROMIUM, or the first browser of its kind on PATH; undefined where there is none. */
export function findChromium() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [process.env.CHROMIUM, ...candidates].find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

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
