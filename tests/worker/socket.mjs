// A WebSocket for tests, by `ws`, which tells what the built-in one hides: the HTTP status of a refused upgrade, headers of
// choice (Origin, Authorization), the raw text of a message, a cut without a goodbye.

import { EventEmitter } from "node:events";
import WebSocket from "ws";

const HANDSHAKE_MS = 30_000;
/** How long a goodbye may take: until the server has answered ours, or closes the connection after both, which workerd may leave to us. */
const CLOSE_MS = 1_000;

/**
 * Asks for an upgrade. Resolves to `{status: 101, socket}`, or to `{status, headers, json}` of the refusal.
 * The socket reads nothing until `resume()`, so that no message comes before somebody listens.
 *
 * @returns {Promise<any>}
 */
export function connect(url, headers = {}) {
  return new Promise((resolve, reject) => {
    /** @type {import("ws").ClientOptions & { closeTimeout: number }} The types do not know the last one yet. */
    const options = { headers, perMessageDeflate: false, handshakeTimeout: HANDSHAKE_MS, closeTimeout: CLOSE_MS };
    const wire = new WebSocket(url, options);
    let upgraded;
    wire.on("upgrade", (answer) => (upgraded = answer));
    wire.on("unexpected-response", (_, answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        let json;
        try {
          json = JSON.parse(text);
        } catch {
          // The caller sees the text.
        }
        resolve({ status: answer.statusCode, headers: answer.headers, text, json, error: json?.error });
      });
    });
    wire.on("open", () => {
      wire.pause();
      resolve({ status: 101, headers: upgraded.headers, socket: new Socket(wire) });
    });
    // After the upgrade a "close" follows.
    wire.on("error", reject);
  });
}

/** Emits "text" (a message) and once "close" (code, reason); the code is 1006 where no close frame came. */
export class Socket extends EventEmitter {
  #wire;

  constructor(wire) {
    super();
    this.#wire = wire;
    wire.on("message", (data) => this.emit("text", data.toString()));
    wire.on("close", (code, reason) => this.emit("close", code, reason.toString()));
  }

  send(text) {
    this.#wire.send(text);
  }

  sendBinary(bytes) {
    this.#wire.send(Buffer.from(bytes));
  }

  /** Says goodbye; "close" follows when the other side answers. */
  close(code = 1000) {
    this.#wire.close(code);
  }

  /** Gone without a word, and whatever was under way is lost. */
  cut() {
    this.#wire.terminate();
  }

  /** Stops reading, as a viewer does whose line is slow. */
  pause() {
    this.#wire.pause();
  }

  resume() {
    this.#wire.resume();
  }
}
