// A WebSocket client of our own, small enough to read. Tests need what the built-in one hides: the HTTP status of a
// refused upgrade, headers of choice (Origin, Authorization), the raw text of a message, a cut without a goodbye.

import { createHash, randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import http from "node:http";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, 1.3
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/**
 * Asks for an upgrade. Resolves to `{status: 101, socket}`, or to `{status, headers, json}` of the refusal.
 * The socket reads nothing until `resume()`, so that no message comes before somebody listens.
 */
export function connect(url, headers = {}) {
  return new Promise((resolve, reject) => {
    const key = randomBytes(16).toString("base64");
    const asked = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": key };
    const wire = http.request(url, { headers: { ...asked, ...headers }, agent: false });
    wire.setTimeout(30_000, () => wire.destroy(new Error(`no answer to the upgrade of ${url}`)));
    wire.on("error", reject);
    wire.on("response", (answer) => {
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
    wire.on("upgrade", (answer, stream, head) => {
      const proof = createHash("sha1").update(key + GUID).digest("base64");
      if (answer.headers["sec-websocket-accept"] !== proof) return reject(new Error("a wrong sec-websocket-accept"));
      stream.setTimeout(0);
      stream.pause();
      resolve({ status: 101, headers: answer.headers, socket: new Socket(stream, head) });
    });
    wire.end();
  });
}

/** Emits "text" (a message) and once "close" (code, reason); the code is 1006 where no close frame came. */
class Socket extends EventEmitter {
  #stream;
  #bytes;
  #message = [];
  #closed = false;

  constructor(stream, head) {
    super();
    this.#stream = stream;
    this.#bytes = head;
    stream.on("data", (chunk) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
      this.#read();
    });
    stream.on("error", () => {});
    stream.on("close", () => this.#end(1006, "cut"));
  }

  send(text) {
    this.#write(TEXT, Buffer.from(text));
  }

  sendBinary(bytes) {
    this.#write(BINARY, Buffer.from(bytes));
  }

  /** Says goodbye; "close" follows when the other side answers. */
  close(code = 1000) {
    const body = Buffer.alloc(2);
    body.writeUInt16BE(code);
    this.#write(CLOSE, body);
  }

  /** Gone without a word, and whatever was under way is lost. */
  cut() {
    this.#end(1006, "cut by the test");
    this.#stream.destroy();
  }

  /** Stops reading, as a viewer does whose line is slow. */
  pause() {
    this.#stream.pause();
  }

  resume() {
    this.#read();
    this.#stream.resume();
  }

  #read() {
    for (;;) {
      const bytes = this.#bytes;
      if (this.#closed || bytes.length < 2) return;
      let length = bytes[1] & 0x7f;
      let start = 2;
      if (length === 126) [length, start] = [bytes.length < 4 ? Infinity : bytes.readUInt16BE(2), 4];
      else if (length === 127) [length, start] = [bytes.length < 10 ? Infinity : Number(bytes.readBigUInt64BE(2)), 10];
      if (bytes.length < start + length) return;
      this.#bytes = bytes.subarray(start + length);
      this.#frame(bytes[0], bytes.subarray(start, start + length));
    }
  }

  #frame(head, body) {
    const kind = head & 0x0f;
    if (kind === PING) return this.#write(PONG, body);
    if (kind === PONG) return;
    if (kind === CLOSE) {
      const code = body.length < 2 ? 1005 : body.readUInt16BE(0);
      this.#write(CLOSE, body.subarray(0, 2));
      this.#end(code, body.subarray(2).toString("utf8"));
      this.#stream.end();
      return;
    }
    this.#message.push(Buffer.from(body));
    if ((head & 0x80) === 0) return;
    const text = Buffer.concat(this.#message).toString("utf8");
    this.#message = [];
    this.emit("text", text);
  }

  #write(kind, body) {
    const length = body.length < 126 ? [0x80 | body.length] : [0x80 | 126, body.length >> 8, body.length & 0xff];
    const mask = randomBytes(4);
    const masked = body.map((byte, index) => byte ^ mask[index % 4]);
    if (body.length > 0xffff) {
      const long = Buffer.alloc(8);
      long.writeBigUInt64BE(BigInt(body.length));
      length.splice(0, 3, 0x80 | 127, ...long);
    }
    this.#stream.write(Buffer.concat([Buffer.from([0x80 | kind, ...length]), mask, masked]));
  }

  #end(code, reason) {
    if (this.#closed) return;
    this.#closed = true;
    this.emit("close", code, reason);
  }
}
