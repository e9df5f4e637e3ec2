#!/usr/bin/env node
// A program that behaves as `opencode serve` did in a recording: the same frames in the same order, and by REST what the
// session was at that moment. It says and takes only what the real one does; what it was asked, it writes to FAKE_LOG.
//
// FAKE_RECORDING: `opencode basic`. FAKE_CUTS: the stream is cut so many times, at places that FAKE_SEED picks, and
// what happens until the reader is back is on no stream. FAKE_PAUSE_MS: nothing happens for so long before the turn begins,
// after one more cut. FAKE_LATE_MESSAGES: after one cut the messages are read back while a text is being written, and
// arrive when the turn is over.

import { appendFileSync } from "node:fs";
import http from "node:http";

import { recordedFrames } from "../oracle/opencode.mjs";
import { present } from "../present.mjs";
import { seeded } from "../worker/until.mjs";

const [program, name] = present(process.env.FAKE_RECORDING, "FAKE_RECORDING").split(" ");
const PASSWORD = process.env[program === "kilo" ? "KILO_SERVER_PASSWORD" : "OPENCODE_SERVER_PASSWORD"];
const frames = recordedFrames(program, name);
const first = frames.findIndex(({ type }) => type === "session.created");
const main = frames[first].properties.info;
const random = seeded(Number(process.env.FAKE_SEED ?? 1));
const cuts = new Set(Array.from({ length: Number(process.env.FAKE_CUTS ?? 0) }, () => first + Math.floor(random() * (frames.length - first))));

const PAUSE_MS = Number(process.env.FAKE_PAUSE_MS ?? 0);
const beginning = frames.slice(first).find(({ type, properties }) => type === "session.status" && properties.status.type === "busy");

// What REST answers: the last form of everything.
const sessions = new Map([[main.id, main]]);
const messages = new Map(); // by id: {info, parts: Map}
const permissions = new Map();
let status = {};
let readers = new Set();
// Whoever started it may be killed by a test; then it goes, too.
const starter = process.ppid;
setInterval(() => process.ppid === starter || process.exit(), 500).unref();
let waiting = []; // frames that wait for an answer to the question before them

function moment() {
  let happen;
  const happened = new Promise((resolve) => (happen = resolve));
  return { happen, happened };
}

const late = process.env.FAKE_LATE_MESSAGES ? { back: moment(), writing: moment(), read: moment(), over: moment() } : undefined;
if (late) cuts.add(first + Math.floor((frames.length - first) / 2));

// Whether a text begins to be written.
function isBegun({ type, properties }) {
  const { type: kind, time } = properties?.part ?? {};
  return type === "message.part.updated" && kind === "text" && time?.start !== undefined && time.end === undefined;
}

function happen({ type, properties }) {
  const p = properties ?? {};
  if (type === "session.created") sessions.set(p.info.id, p.info);
  if (type === "message.updated") messages.set(p.info.id, { parts: new Map(), ...messages.get(p.info.id), info: p.info });
  if (type === "message.part.updated") messages.get(p.part.messageID).parts.set(p.part.id, p.part);
  if (type === "session.status") status = { ...status, [p.sessionID]: p.status };
  if (type === "session.idle") delete status[p.sessionID];
  if (type === "permission.asked") permissions.set(p.id, p);
  if (type === "permission.replied") permissions.delete(p.requestID);
}

/** Frames go out one after the other; at a cut the readers are gone, and the next frames happen unheard. */
async function play(list) {
  let isLate = false;
  for (let index = 0; index < list.length; index += 1) {
    const frame = list[index];
    if (frame === beginning && PAUSE_MS > 0) {
      for (const reader of readers) reader.destroy();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    happen(frame);
    for (const reader of readers) reader.write(`data: ${frame.text}\n\n`);
    if (cuts.delete(frames.indexOf(frame))) {
      for (const reader of readers) reader.destroy();
      readers = new Set();
      await late?.back.happened;
      isLate = true;
    }
    if (late && isLate && isBegun(frame)) {
      late.writing.happen();
      await late.read.happened;
    }
    if (readers.size === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    else if (index % 50 === 0) await new Promise(setImmediate);
    if (frame.type === "permission.asked") {
      waiting = list.slice(index + 1);
      return;
    }
  }
  late?.over.happen();
}

function answer(request, path, body) {
  const [, id] = /^\/session\/([^/]+)\//.exec(path) ?? [];
  const own = [...messages.values()].filter(({ info }) => info.sessionID === id);
  if (path === "/global/health") return { healthy: true, version: main.version };
  if (request.method === "POST" && path === "/session") return main;
  if (path.endsWith("/message")) return own.map(({ info, parts }) => ({ info, parts: [...parts.values()] }));
  if (path.endsWith("/children")) return [...sessions.values()].filter((session) => session.parentID === id);
  if (path === "/session/status") return status;
  if (path === "/permission") return [...permissions.values()];
  if (path === "/question") return [];
  if (path.endsWith("/prompt_async")) {
    // What came before the recorded prompt has been answered by REST.
    setTimeout(() => play(frames.slice(first + 1)), 5);
    return null;
  }
  if (path.endsWith("/abort")) return true;
  const [, asked] = /^\/permission\/([^/]+)\/reply$/.exec(path) ?? [];
  if (asked !== undefined && permissions.has(asked)) {
    const rest = waiting.map((frame) => {
      if (frame.type !== "permission.replied" || frame.properties.requestID !== asked) return frame;
      const properties = { ...frame.properties, reply: body.reply };
      return { ...frame, properties, text: JSON.stringify({ id: frame.id, type: frame.type, properties }) };
    });
    setTimeout(() => play(rest), 1);
    return true;
  }
  return undefined;
}

const server = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const path = present(request.url).split("?")[0];
  const text = Buffer.concat(chunks).toString();
  if (process.env.FAKE_LOG) appendFileSync(process.env.FAKE_LOG, `${JSON.stringify({ method: request.method, url: request.url, text })}\n`);
  if (request.headers.authorization !== `Basic ${Buffer.from(`${program}:${PASSWORD}`).toString("base64")}`) {
    response.writeHead(401).end();
  } else if (path === "/event") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: ${JSON.stringify({ id: "evt_0", type: "server.connected", properties: {} })}\n\n`);
    readers.add(response);
    if (cuts.size === 0) late?.back.happen();
    response.on("close", () => readers.delete(response));
  } else {
    if (late && path.endsWith("/message")) await late.writing.happened;
    const given = answer(request, path, text === "" ? {} : JSON.parse(text));
    if (late && path.endsWith("/message")) {
      late.read.happen();
      await late.over.happened;
    }
    if (given === undefined) response.writeHead(404, { "content-type": "application/json" }).end('{"_tag":"NotFound"}');
    else if (given === null) response.writeHead(204).end();
    else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(given));
  }
});
server.listen(0, "127.0.0.1", () => console.log(`${program} server listening on http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`));
