// A viewer that costs its machine little, for measuring with thousands of them: a plain TCP socket, where `ws` would keep a
// stream and a receiver and make a message of each frame; and of a frame of events only its first id is read. What else is in
// it is looked up: the same frame goes to many viewers, and is parsed for the first of them.

import { randomBytes } from "node:crypto";
import net from "node:net";

const TEXT = 0x81;
const CLOSE = 0x88;
const EVENTS = Buffer.from('{"type":"events","events":[{"id":');
const CAUGHT_UP = Buffer.from('{"type":"caught_up"');
const GAP = Buffer.from('{"type":"gap"');

/** Frames of events that were parsed, by their first id, their length and whether they are history. */
const known = new Map();
const KNOWN_MAX = 5_000;

/** Another town has other events under the same ids. */
export function forgetFrames() {
  known.clear();
}

function parsed(body, first) {
  const key = `${first} ${body.length} ${body.at(-2)}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const { events } = JSON.parse(body.toString());
  const frame = { count: events.length, last: events.at(-1).id, sent: events.map(({ data }) => data.sent) };
  if (events.some(({ id }, index) => id !== first + index)) throw new Error(`a frame with a hole at ${first}`);
  if (known.size >= KNOWN_MAX) known.delete(known.keys().next().value);
  known.set(key, frame);
  return frame;
}

export class LightViewer {
  /** The last id it has; every id from the one where it began to this one came once, in order. */
  last = 0;
  events = 0;
  bytes = 0;
  /** What came that must not have: gaps, holes, a close. */
  problems = [];
  closed = null;
  isLive = false;
  #bytes = null;
  #socket;

  /**
   * - `onCaughtUp(viewer)`; `onEvents(viewer, sent)`: when each event of a frame was posted
   * - `acknowledges`: sends an ack after each frame
   *
   * @param {{ acknowledges?: boolean, onCaughtUp?: (viewer: LightViewer) => void, onEvents?: (viewer: LightViewer, sent: number[]) => void }} options
   */
  constructor({ acknowledges = false, onCaughtUp, onEvents }) {
    this.acknowledges = acknowledges;
    this.onCaughtUp = onCaughtUp;
    this.onEvents = onEvents;
  }

  /** Opens `url` after the event `after_id`; resolves when the upgrade is answered. */
  open(url, { headers = {}, after_id = 0 } = {}) {
    const { hostname, port, pathname, searchParams } = new URL(url);
    searchParams.set("after_id", String(after_id));
    if (this.acknowledges) searchParams.set("flow", "ack");
    this.last = after_id;
    const lines = Object.entries({
      Host: `${hostname}:${port}`,
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    return new Promise((resolve, reject) => {
      this.#socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
      this.#socket.on("error", (error) => {
        this.#end(error.message);
        reject(error);
      });
      this.#socket.on("close", () => this.#end("cut"));
      this.#socket.on("data", (chunk) => {
        const bytes = this.#bytes === null ? chunk : Buffer.concat([this.#bytes, chunk]);
        if (this.status !== undefined) return this.#read(bytes);
        const end = bytes.indexOf("\r\n\r\n");
        this.#bytes = bytes;
        if (end < 0) return;
        this.status = Number(bytes.subarray(9, 12).toString());
        if (this.status !== 101) return reject(new Error(`upgrade refused: ${bytes.toString().slice(0, 500)}`));
        resolve(this);
        this.#read(bytes.subarray(end + 4));
      });
      this.#socket.write(`GET ${pathname}?${searchParams} HTTP/1.1\r\n${lines.join("")}\r\n`);
    });
  }

  #read(bytes) {
    let position = 0;
    for (;;) {
      const left = bytes.length - position;
      if (left < 2) break;
      let length = bytes[position + 1];
      let start = position + 2;
      if (length === 126) {
        if (left < 4) break;
        length = bytes.readUInt16BE(start);
        start += 2;
      } else if (length === 127) {
        if (left < 10) break;
        length = bytes.readUInt32BE(start + 4);
        start += 8;
      }
      if (bytes.length < start + length) break;
      this.#frame(bytes[position], bytes.subarray(start, start + length));
      position = start + length;
    }
    this.#bytes = position === bytes.length ? null : bytes.subarray(position);
  }

  #frame(head, body) {
    this.bytes += body.length;
    if (head === CLOSE) return this.#end(body.length < 2 ? "closed" : `closed ${body.readUInt16BE(0)} ${body.subarray(2)}`);
    if (head !== TEXT) return this.problems.push(`a frame of kind ${head}`);
    if (body.subarray(0, EVENTS.length).equals(EVENTS)) {
      let first = 0;
      for (let at = EVENTS.length; body[at] >= 48 && body[at] <= 57; at += 1) first = first * 10 + body[at] - 48;
      const { count, last, sent } = parsed(body, first);
      if (first !== this.last + 1) this.problems.push(`event ${first} after event ${this.last}`);
      [this.last, this.events] = [last, this.events + count];
      this.onEvents?.(this, sent);
      if (this.acknowledges) this.#send(`{"type":"ack","id":${last}}`);
    } else if (body.subarray(0, CAUGHT_UP.length).equals(CAUGHT_UP)) {
      this.isLive = true;
      this.onCaughtUp?.(this);
    } else if (body.subarray(0, GAP.length).equals(GAP)) this.problems.push(body.toString());
  }

  /** Small messages; masked with zeros, which changes nothing and costs nothing. */
  #send(text) {
    this.#socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]));
  }

  #end(how) {
    this.closed ??= how;
  }

  /** Stops reading, and with that acknowledging. */
  pause() {
    this.#socket.pause();
  }

  cut() {
    this.#socket.destroy();
  }
}
