// A tab as a person has it: another one in its window hides it, and it hears of that. Playwright keeps every page that
// it drives visible and focused (`Emulation.setFocusEmulationEnabled`), whatever stands in front of it; so this one is
// driven by the browser's own protocol, in a context that Playwright does not know.

import { until } from "../worker/until.mjs";

/** What the browser says of a tab that is between two documents, as a new one is at first. Nothing was run then. */
const NO_DOCUMENT = "Cannot find default execution context";

export class Tab {
  #root;
  #targetId;
  #otherId;
  #sessionId;
  #sent = 0;
  #answers = new Map();

  /** Opens a window with two tabs, this one and an empty one, and shows this one. */
  static async open(browser, url) {
    const tab = new Tab();
    tab.#root = await browser.newBrowserCDPSession();
    const { browserContextId } = await tab.#root.send("Target.createBrowserContext");
    const create = async (order) => (await tab.#root.send("Target.createTarget", { browserContextId, ...order })).targetId;
    tab.#targetId = await create({ url, newWindow: true });
    tab.#otherId = await create({ url: "about:blank" });
    // A session inside a session: Playwright's own can speak only for what it drives.
    ({ sessionId: tab.#sessionId } = await tab.#root.send("Target.attachToTarget", { targetId: tab.#targetId, flatten: false }));
    tab.#root.on("Target.receivedMessageFromTarget", ({ message }) => tab.#receive(JSON.parse(message)));
    await tab.show();
    return tab;
  }

  /** Puts the other tab in front. */
  async hide() {
    await this.#front(this.#otherId, "hidden");
  }

  async show() {
    await this.#front(this.#targetId, "visible");
  }

  /** As the browser does with a tab that was hidden for long: its timers, its network, all of it stands still. */
  async freeze() {
    await this.#send("Page.setWebLifecycleState", { state: "frozen" });
  }

  async thaw() {
    await this.#send("Page.setWebLifecycleState", { state: "active" });
  }

  /** What `script` gives in the page, called with `inputs`. */
  async evaluate(script, ...inputs) {
    const expression = `(${script})(${inputs.map((input) => JSON.stringify(input)).join()})`;
    let answer;
    const inPage = async () => {
      answer = await this.#send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }).catch((problem) => {
        if (problem.message !== NO_DOCUMENT) throw problem;
      });
      return answer !== undefined;
    };
    await until("the tab to have a document", inPage);
    const { result, exceptionDetails } = answer;
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Waits until the first element of `selector` has a text that fits, and gives it. */
  async untilSays(selector, pattern, ms = 30_000) {
    let text;
    await until(
      `${selector} to say ${pattern}`,
      async () => {
        text = await this.evaluate((sought) => document.querySelector(sought)?.textContent ?? "", selector);
        return pattern.test(text);
      },
      ms,
      () => `but it says ${JSON.stringify(text)}`,
    );
    return text;
  }

  async close() {
    for (const targetId of [this.#targetId, this.#otherId]) await this.#root.send("Target.closeTarget", { targetId });
    await this.#root.detach();
  }

  async #front(targetId, state) {
    await this.#root.send("Target.activateTarget", { targetId });
    await until(`the tab to be ${state}`, async () => (await this.evaluate(() => document.visibilityState)) === state);
  }

  #send(method, params) {
    const id = (this.#sent += 1);
    const answer = new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
    const message = JSON.stringify({ id, method, params });
    this.#root.send("Target.sendMessageToTarget", { sessionId: this.#sessionId, message }).catch(this.#answers.get(id).reject);
    return answer;
  }

  #receive({ id, result, error }) {
    const waiting = this.#answers.get(id);
    this.#answers.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
  }
}
