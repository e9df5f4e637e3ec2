// A connection that is kept and costs its machine little: one request at a time. For measuring with thousands of requests, where
// Node's client would take as much of the machine as what is measured.

import net from "node:net";

const HEAD_END = "\r\n\r\n";

/** workerd closes a connection that has been idle for some seconds. */
const IDLE_MS_MAX = 2_000;

export class Connection {
  #socket;
  #address;
  #key;
  #bytes = Buffer.alloc(0);
  /** @type {{ resolve: (answer: { status: number, text: string }) => void, reject: (problem: unknown) => void } | null} */
  #waiting = null;
  #used_at = 0;

  /** To a world's Worker, as its operator. */
  static async open({ url, secrets }) {
    const connection = new Connection();
    const { hostname: host, port } = new URL(url);
    connection.#address = { host, port: Number(port), noDelay: true };
    connection.#key = secrets.TOWNWATCH_API_KEY;
    await connection.#connect();
    return connection;
  }

  async #connect() {
    this.#socket?.destroy();
    const socket = net.connect(this.#address);
    this.#socket = socket;
    const end = (problem) => {
      if (socket === this.#socket) this.#waiting?.reject(problem);
    };
    socket.on("error", end);
    socket.on("close", () => end(new Error("the connection was closed")));
    socket.on("data", (chunk) => this.#read(chunk));
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    this.#used_at = performance.now();
  }

  /** Resolves to what a success carries; any other answer is an error. `body`: a text, or what becomes JSON. */
  async must(method, path, body = /** @type {unknown} */ (undefined), status = 200) {
    const answer = await this.request(method, path, body);
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 400)}`);
    return JSON.parse(answer.text).data;
  }

  /** @returns {Promise<{ status: number, text: string }>} */
  async request(method, path, body = /** @type {unknown} */ (undefined)) {
    if (performance.now() - this.#used_at > IDLE_MS_MAX) await this.#connect();
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const content = text === undefined ? "" : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n`;
    const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${this.#key}\r\n${content}\r\n`;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#socket.destroyed) reject(new Error("the connection was closed"));
      this.#socket.write(head + (text ?? ""));
    });
  }

  #read(chunk) {
    const bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    this.#bytes = bytes;
    const head_end = bytes.indexOf(HEAD_END);
    if (head_end < 0) return;
    const head = bytes.subarray(0, head_end).toString("latin1");
    const body = bodyOf(head, bytes.subarray(head_end + HEAD_END.length));
    if (body === null) return;
    this.#bytes = Buffer.alloc(0);
    this.#used_at = performance.now();
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve({ status: Number(head.split(" ", 2)[1]), text: body.toString() });
  }

  close() {
    this.#socket.destroy();
  }
}

/** The body behind a head; null where it is not whole yet. */
function bodyOf(head, rest) {
  const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
  if (!/^transfer-encoding: chunked/im.test(head)) return rest.length < length ? null : rest.subarray(0, length);
  const parts = [];
  for (let at = 0; ; ) {
    const line_end = rest.indexOf("\r\n", at);
    if (line_end < 0) return null;
    const size = Number.parseInt(rest.subarray(at, line_end).toString(), 16);
    const begin = line_end + 2;
    if (rest.length < begin + size + 2) return null;
    if (size === 0) return Buffer.concat(parts);
    parts.push(rest.subarray(begin, begin + size));
    at = begin + size + 2;
  }
}
