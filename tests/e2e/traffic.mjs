// What a page loads, as the browser's own protocol counts it, and when it first shows something.

/** A phone that is slow, and far from its network's mast. */
const SLOW_PHONE = { cpu: 4, offline: false, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8, latency: 150 };

/** Bytes that came so far: of streams and the API, and of the page's own files. */
export class Traffic {
  stream = 0;
  api = 0;
  assets = 0;
  /** Bytes by path, of the API. */
  paths = new Map();

  static async of(page) {
    const traffic = new Traffic();
    const client = await page.context().newCDPSession(page);
    await client.send("Network.enable");
    const urls = new Map();
    client.on("Network.requestWillBeSent", ({ requestId, request }) => void urls.set(requestId, new URL(request.url).pathname));
    client.on("Network.responseReceived", ({ requestId, response }) => traffic.#add(urls.get(requestId), response.encodedDataLength));
    client.on("Network.dataReceived", ({ requestId, encodedDataLength }) => traffic.#add(urls.get(requestId), encodedDataLength));
    client.on("Network.webSocketFrameReceived", ({ response }) => {
      traffic.stream += Buffer.byteLength(response.payloadData);
    });
    return Object.assign(traffic, { client });
  }

  #add(path, bytes) {
    if (path === undefined) return;
    if (!path.startsWith("/api/")) {
      this.assets += bytes;
      return;
    }
    this.api += bytes;
    this.paths.set(path, (this.paths.get(path) ?? 0) + bytes);
  }

  async slowDown() {
    const { cpu, ...network } = SLOW_PHONE;
    const { client } = /** @type {any} */ (this);
    await client.send("Emulation.setCPUThrottlingRate", { rate: cpu });
    await client.send("Network.emulateNetworkConditions", network);
  }
}

/** Stands in a line before the moment at which it was posted, in milliseconds since 1970. */
export const POSTED = "posted at";

/**
 * From now on each document notes, in milliseconds from when it was asked for, when it is live and when it first shows a line
 * that was posted after that.
 */
export async function noteFirsts(page) {
  await page.addInitScript((posted) => {
    const firsts = /** @type {any} */ (window).firsts = { live: /** @type {number | null} */ (null), line: /** @type {number | null} */ (null) };
    const isNew = (text) => Number(text.split(`${posted} `).at(-1)?.slice(0, 13)) >= performance.timeOrigin;
    new MutationObserver((changes) => {
      if (firsts.live === null && document.querySelector(".connection-words")?.textContent === "Live") firsts.live = performance.now();
      for (const { addedNodes } of firsts.line === null ? changes : []) {
        for (const node of addedNodes) if (node.textContent?.includes(posted) && isNew(node.textContent)) firsts.line ??= performance.now();
      }
    }).observe(document, { subtree: true, childList: true, characterData: true });
  }, POSTED);
}
