// The wire between a client and the Worker, as a TCP proxy: it can be cut, go silent, or refuse what it does not know.

import { once } from "node:events";
import net from "node:net";

export class Cable {
  /** @type {RegExp | null} Connections whose requests have this in them are broken off, as by a proxy that knows only plain HTTP. */
  refuses = null;
  #target;
  #server;
  #pairs = new Set();
  #state = "whole";

  /** To the port that `target()` names at that moment. */
  static async lay(target) {
    const cable = new Cable();
    cable.#target = target;
    cable.#server = net.createServer((near) => cable.#join(near));
    cable.#server.listen(0, "127.0.0.1");
    await once(cable.#server, "listening");
    return cable;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** Everything that is open breaks, and nothing new opens. */
  cut() {
    this.#state = "cut";
    for (const { near, far } of this.#pairs) [near, far].forEach((end) => end.destroy());
  }

  /** As a cut, but each end is told by a reset and not by the end of what it reads. */
  reset() {
    this.#state = "cut";
    for (const { near, far } of this.#pairs) [near, far].forEach((end) => end.resetAndDestroy());
  }

  /** Everything stays open and nothing comes through: as when a laptop has left the room. */
  silence() {
    this.#state = "silent";
    for (const { near, far } of this.#pairs) [near, far].forEach((end) => end.pause());
  }

  mend() {
    this.#state = "whole";
    // What was silent is dead by now; both sides hear of it.
    for (const { near, far } of this.#pairs) if (near.isPaused()) [near, far].forEach((end) => end.destroy());
  }

  async stop() {
    this.cut();
    this.#server.close();
  }

  #join(near) {
    near.on("error", () => {});
    if (this.#state === "cut") return near.destroy();
    const far = net.connect(this.#target(), "127.0.0.1");
    const pair = { near, far };
    this.#pairs.add(pair);
    far.on("error", () => near.destroy());
    near.on("close", () => {
      this.#pairs.delete(pair);
      far.destroy();
    });
    far.on("close", () => near.destroy());
    far.on("data", (chunk) => near.write(chunk));
    near.on("data", (chunk) => {
      if (this.refuses?.test(chunk.toString("latin1"))) near.destroy();
      else far.write(chunk);
    });
    if (this.#state === "silent") [near, far].forEach((end) => end.pause());
  }
}
