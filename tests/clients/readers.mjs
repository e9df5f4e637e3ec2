// Readers of a town's stream that others wrote, each opened and resumed by its own means. Each is
// `(at) => {ids, stop()}`: `at` has the stream's `url`, the `key`, and `ticket()`, which makes one; `ids` grows.


import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fetchEventSource } from "@microsoft/fetch-event-source";
import { EventSource } from "eventsource";
import { WebSocket as PartySocket } from "partysocket";
import ReconnectingWebSocket from "reconnecting-websocket";
import WebSocket from "ws";
import { present } from "../present.mjs";
import { Process } from "../worker/processes.mjs";
import { until } from "../worker/until.mjs";

const bearer = ({ key }) => ({ authorization: `Bearer ${key}` });
const NONE = () => {};
/** The first thing that a WebSocket says. */
const PING = '{"type":"ping"}';

/** npm's `eventsource`: reconnects by itself, with `Last-Event-ID`. */
function eventsource(at) {
  const ids = [];
  const withKey = (url, options) => fetch(url, { ...options, headers: { ...options.headers, ...bearer(at) } });
  const source = new EventSource(`${at.url}?after_id=0`, { fetch: withKey });
  source.addEventListener("note", ({ data }) => ids.push(JSON.parse(data).id));
  return { ids, stop: () => source.close() };
}

/** The same by a ticket, and nothing else: reconnects to the address of the used ticket, with all that `Last-Event-ID` then says. */
function eventsourceByTicket(at) {
  const ids = [];
  let source;
  const opening = at.ticket().then((ticket) => {
    source = new EventSource(`${at.url}?${new URLSearchParams({ ticket, after_id: "0" })}`);
    source.addEventListener("note", ({ data }) => ids.push(JSON.parse(data).id));
  });
  return { ids, stop: () => opening.then(() => source.close()) };
}

/** Made for browsers, of which it uses two names. It tries again after an error, with `Last-Event-ID`. */
function fetchEventSourceReader(at) {
  /** @type {any} */
  const browser = globalThis;
  browser.window ??= globalThis;
  browser.document ??= { hidden: false, addEventListener: NONE, removeEventListener: NONE };
  const ids = [];
  const stopping = new AbortController();
  const reading = fetchEventSource(`${at.url}?after_id=0`, {
    headers: bearer(at),
    signal: stopping.signal,
    openWhenHidden: true,
    onmessage: ({ event, data }) => event === "note" && ids.push(JSON.parse(data).id),
    onerror: () => 100,
  });
  reading.catch(NONE);
  return { ids, stop: () => stopping.abort() };
}

const eventsOf = (text) => JSON.parse(text).events ?? [];

/**
 * `reconnecting-websocket` and `partysocket`: both ask for the address anew each time, here with a new ticket. An address
 * that fails ends them for good, so that it waits here until there is one.
 */
const reconnecting = (Socket, options) => (at) => {
  const ids = [];
  const address = async () => {
    const ticket = await until("a ticket", () => at.ticket().catch(NONE), 30_000);
    const query = new URLSearchParams({ ticket, after_id: ids.at(-1) ?? 0 });
    return `${at.url.replace("http", "ws")}?${query}`;
  };
  const socket = new Socket(address, [], { minReconnectionDelay: 100, maxReconnectionDelay: 500, ...options });
  socket.addEventListener("message", ({ data }) => ids.push(...eventsOf(data).map(({ id }) => id)));
  socket.addEventListener("open", () => socket.send(PING));
  socket.addEventListener("error", NONE);
  return { ids, stop: () => socket.close() };
};

/** `ws` has no means of its own: whoever uses it opens it again. */
function ws(at) {
  const ids = [];
  let socket;
  let stopped = false;
  const open = () => {
    if (stopped) return;
    socket = new WebSocket(`${at.url.replace("http", "ws")}?after_id=${ids.at(-1) ?? 0}`, { headers: bearer(at) });
    socket.on("message", (data) => ids.push(...eventsOf(data).map(({ id }) => id)));
    socket.on("open", () => socket.send(PING));
    socket.on("error", NONE);
    socket.on("close", () => setTimeout(open, 100));
  };
  open();
  return {
    ids,
    stop: () => {
      stopped = true;
      socket.terminate();
    },
  };
}

/** One of Python's, in a process of its own. */
const python = (name) => (at) => {
  const script = fileURLToPath(new URL("readers.py", import.meta.url));
  const child = new Process(present(process.env.CLIENTS_PYTHON, "CLIENTS_PYTHON"), [script, name, at.url, at.key], { cwd: "/" });
  return {
    get ids() {
      return [...child.log.matchAll(/^(\d+)$/gm)].map(([, id]) => Number(id));
    },
    get log() {
      return child.log;
    },
    stop: () => child.kill("SIGKILL"),
  };
};

/**
 * websocat, a program that reads a socket: each event is a line of its own, and that is all it knows. What ends it is opened
 * again behind the last line, as a loop of a shell would.
 */
function websocat(at) {
  /** @type {string[]} */
  const lines = [];
  let rest = "";
  let child;
  let stopped = false;
  const lastId = () => (lines.length > 0 ? JSON.parse(present(lines.at(-1))).id : 0);
  const open = () => {
    if (stopped) return;
    rest = "";
    const url = `${at.url.replace("http", "ws")}?${new URLSearchParams({ format: "flat", after_id: lastId() })}`;
    child = spawn(present(WEBSOCAT, "websocat"), ["--text", "--unidirectional-reverse", url, `--header=Authorization: Bearer ${at.key}`]);
    child.stdout.setEncoding("utf8").on("data", (text) => {
      const all = (rest + text).split("\n");
      rest = present(all.pop());
      lines.push(...all);
    });
    child.on("close", () => setTimeout(open, 100));
  };
  open();
  return {
    get ids() {
      return lines.map((line) => JSON.parse(line).id);
    },
    stop: () => {
      stopped = true;
      child.kill("SIGKILL");
    },
  };
}

/** websocat where it is: on the PATH, or beside the Python that has it as a package. */
const WEBSOCAT = [process.env.CLIENTS_PYTHON && join(process.env.CLIENTS_PYTHON, "../websocat"), "websocat"].find(
  (program) => program && spawnSync(program, ["--version"]).status === 0,
);
export const websocatMissing = WEBSOCAT ? false : "there is no websocat on the PATH: cargo install websocat";
export const PROGRAM_READERS = { websocat };

export const NODE_READERS = {
  eventsource,
  "eventsource, by a ticket": eventsourceByTicket,
  "@microsoft/fetch-event-source": fetchEventSourceReader,
  "reconnecting-websocket": reconnecting(ReconnectingWebSocket, { WebSocket }),
  partysocket: reconnecting(PartySocket, { WebSocket }),
  ws,
};

export const PYTHON_READERS = Object.fromEntries(
  ["httpx-sse", "sseclient-py", "websockets", "aiohttp"].map((name) => [name, python(name)]),
);
