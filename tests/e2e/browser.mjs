// A real Chromium for tests, and what a page did that it should not have.

import { chromium } from "playwright-core";

export function launch(executablePath) {
  // Tests run as root in containers, where Chromium's sandbox does not work; the only page that it sees is ours.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** A page that notes errors, and requests that leave our own origin. */
export async function openPage(browser, origin, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  /** @type {{ [kind in "errors" | "foreign" | "requests"]: string[] }} */
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

/** Signs in as who was given the link; `base` is where it is opened. */
export async function signIn(page, world, base) {
  await page.goto(await world.link("/", base));
  await page.getByRole("banner").waitFor();
  await page.waitForFunction(() => !location.hash.startsWith("#code"));
  await page.getByText("Good to see you").waitFor({ state: "detached" });
  await page.getByRole("main").waitFor();
}

/** The path of a town, or of an agent in it. */
export const pathOf = ({ town_id }, agent_id) => `/towns/${town_id}${agent_id === undefined ? "" : `/agents/${agent_id}`}`;

/** The address of a town, or of an agent in it. */
export const addressOf = (world, town, agent_id) => `${world.url}${pathOf(town, agent_id)}`;

/** A page of a browser's own that is signed in. */
export async function openSignedIn(browser, world, options) {
  const { page } = await openPage(browser, world.url, options);
  page.setDefaultTimeout(20_000);
  await signIn(page, world);
  return page;
}

/** An agent's card on the town's page. */
export const cardOf = (page, name) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name, exact: true }) });
