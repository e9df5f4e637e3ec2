// Behind other people's servers: a proxy that takes small bodies only, one that hangs up on large ones, nginx as it is
// when nobody has set anything but `proxy_pass`, and a wire that speaks HTTP/1.0.

import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import { PassThrough, pipeline } from "node:stream";
import { after, before, describe, it } from "node:test";

import { idOf, noisePng, PICTURES } from "../pictures/pictures.mjs";
import { present } from "../present.mjs";
import { Command } from "./command_line.mjs";
import { EventSource } from "./event_source.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { apiAt, request } from "./http.mjs";
import { metricsOf } from "./metrics.mjs";
import { BodyLimit, Nginx, nginx } from "./proxies.mjs";
import { sleep, until } from "./until.mjs";

const MIB = 1 << 20;
const outputs = (events) => events.filter(({ event }) => event === "agent_output").map(({ data }) => data.text);
/** Lines of `bytes` each that are told apart by their beginning. */
const numbered = (count, bytes) => Array.from({ length: count }, (_, index) => `line ${index} `.padEnd(bytes, "x"));

describe("behind a proxy", () => {
  let world;
  let town;
  const eventsOf = (agent) => world.pages(`${town.path}/agents/${agent}/events`);
  const untilEnded = (agent) =>
    until(`the end of ${agent}`, async () => {
      const events = await eventsOf(agent);
      return events.at(-1)?.event === "agent.exited" && events;
    }, 30_000);
  const send = async (agent, url, input) => {
    await world.registerAgent(town, agent);
    const sent = new Command(world, ["send", "--rig", town.rig_id, "--agent", agent], { TOWNWATCH_URL: url });
    sent.stdin.end(input);
    return sent;
  };

  before(async () => {
    world = await startWorld({ control: false, vars: { EVENT_CAP: 20_000 } });
    town = await world.town();
  });
  after(() => world?.stop());

  it("that takes 1 MiB `send` makes its batches smaller, once, and sets aside what is too large alone", async (test) => {
    const proxy = await BodyLimit.before(() => world.url, { body_bytes_max: MIB });
    test.after(() => proxy.stop());
    const lines = numbered(600, 10 << 10);
    const sent = await send("small", proxy.url, `${lines.join("\n")}\n${"y".repeat(MIB - 100)}\nthe last line\n`);
    assert.equal(await sent.code(), 1, sent.stderr);
    const events = await untilEnded("small");
    assert.deepEqual(outputs(events), [...lines, "the last line"]);
    const gaps = events.filter(({ event }) => event === "source_gap").map(({ data }) => data);
    assert.deepEqual(gaps, [{ count: 1, source: "an event that could not be sent" }]);
    const between = events.filter(({ event }) => ["agent_output", "source_gap"].includes(event)).map(({ event }) => event);
    assert.deepEqual(between.slice(-2), ["source_gap", "agent_output"], "the gap stands where the event would");
    assert.match(sent.stderr, /the agent_output with the event_id \S+ of \d+ KiB cannot be sent: a proxy before .* \(413\)/);
    assert.match(sent.stderr, /client_max_body_size 4m.*it is set aside in .*set_aside\.jsonl/);
    assert.match(sent.stderr, /1 events could not be sent; they are in /);
    const file = present(/they are in (\S+)/.exec(sent.stderr))[1];
    const aside = readFileSync(file, "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line));
    assert.equal(aside.length, 1);
    assert.equal(aside[0].event_type, "agent_output");
    assert.ok(aside[0].data.text.startsWith("yyyy") && aside[0].data.text.length === MIB - 100);
    assert.ok(proxy.refused.length <= 8, `${proxy.refused} were refused: a batch that was too large is not tried again`);
    // What is set aside holds nothing up, now or later.
    const next = new Command(world, ["send", "--rig", town.rig_id, "--agent", "small"]);
    next.stdin.end("again\n");
    assert.deepEqual([await next.code(), next.stderr], [0, ""]);
  });

  it("that loses answers each event that is set aside leaves one gap and one line, also where `send` died before it knew", async (test) => {
    let losing = true;
    const loses = (body) => losing && /left-out/.test(body);
    const proxy = await BodyLimit.before(() => world.url, { body_bytes_max: MIB, loses });
    test.after(() => proxy.stop());
    const large = ["y", "z"].map((letter) => letter.repeat(MIB - 100));
    await world.registerAgent(town, "twice");
    const open = () => new Command(world, ["send", "--rig", town.rig_id, "--agent", "twice"], { TOWNWATCH_URL: proxy.url });
    const first = open();
    first.stdin.write(`one\n${large[0]}\n`);
    await first.until("the second try of the gap", () => proxy.lost.length >= 2);
    first.kill("SIGKILL");
    await first.until("its end", () => first.ended);
    losing = false;
    // And lines of the spool that a full disk, say, has spoiled.
    const state = join(world.directory, "state-home");
    const spool = readdirSync(state, { recursive: true, encoding: "utf8" }).find((name) => /twice.*\d+\.jsonl$/.test(name));
    const spoiled = ['{"event_id":', '{"data":'];
    appendFileSync(join(state, present(spool)), `${spoiled.join("\n")}\n`);
    const next = open();
    next.stdin.end(`two\n${large[1]}\nthree\n`);
    assert.equal(await next.code(), 1, next.stderr);
    const events = await until("all of it", async () => {
      const all = await eventsOf("twice");
      return all.filter(({ event }) => event === "agent.exited").length === 2 && all;
    });
    const told = events.filter(({ event }) => ["agent_output", "source_gap"].includes(event));
    assert.deepEqual(told.map(({ event, data }) => data.text ?? event), ["one", ...Array(3).fill("source_gap"), "two", "source_gap", "three"]);
    const file = present(/they are in (\S+)/.exec(next.stderr))[1];
    const aside = readFileSync(file, "utf8").split("\n").slice(0, -1);
    const texts = aside.map((line) => (spoiled.includes(line) ? line : JSON.parse(line).data.text));
    assert.deepEqual(texts, [large[0], ...spoiled, large[1]]);
  });

  it("that hangs up on large bodies `send` still gets through", async (test) => {
    const proxy = await BodyLimit.before(() => world.url, { body_bytes_max: 900_000, hangs_up: true });
    test.after(() => proxy.stop());
    const lines = numbered(300, 10 << 10);
    const sent = await send("hung-up", proxy.url, `${lines.join("\n")}\n`);
    assert.equal(await sent.code(), 0, sent.stderr);
    assert.deepEqual(outputs(await untilEnded("hung-up")), lines);
    assert.ok(proxy.refused.length > 0);
  });

  it("that takes 1 MiB a larger picture is told and left out, a smaller one comes, and no event is lost", async (test) => {
    const proxy = await BodyLimit.before(() => world.url, { body_bytes_max: MIB });
    test.after(() => proxy.stop());
    const [large, small] = [noisePng(640, 7), PICTURES["image/png"]];
    const blocks = [large, small].map((bytes) => ({
      type: "image",
      source: { type: "base64", media_type: "image/png", data: bytes.toString("base64") },
    }));
    const message = (role, content) => ({ type: role, session_id: "s", message: { id: "m", type: "message", role, content } });
    const printed = [
      { type: "system", subtype: "init", session_id: "s", cwd: "/w", model: "m", tools: [] },
      message("assistant", [{ type: "tool_use", id: "look", name: "Read", input: { file_path: "/w/shot.png" } }]),
      message("user", [{ type: "tool_result", tool_use_id: "look", content: blocks }]),
      { type: "result", subtype: "success", session_id: "s", result: "Seen.", uuid: "u" },
    ];
    const sent = await send("pictures", proxy.url, printed.map((line) => `${JSON.stringify(line)}\n`).join(""));
    assert.equal(await sent.code(), 0, sent.stderr);
    const result = (await untilEnded("pictures")).find(({ event }) => event === "agent_tool_result");
    assert.deepEqual(result.data.attachments.map(({ image_id }) => image_id), [large, small].map(idOf));
    assert.match(sent.stderr, /a picture of 120\d KiB is left out, which cannot be sent: a proxy before .* \(413\)/);
    const get = (bytes) => world.api("GET", `${town.path}/agents/pictures/images/${idOf(bytes)}`);
    assert.ok((await get(small)).bytes.equals(small));
    mustRefuse(await get(large), 404, "not_found");
    const left = readdirSync(join(world.directory, "state-home"), { recursive: true, encoding: "utf8" }).filter((name) => /pictures.*\.png/.test(name));
    assert.deepEqual(left, [], "nothing of it stays behind");
  });

  it("over HTTP/1.0 the last line alone tells a whole log from one that broke off", async () => {
    await world.registerAgent(town, "lines");
    const batch = Array.from({ length: 100 }, (_, number) => ({ event_type: "note", data: { number, text: "z".repeat(20 << 10) } }));
    for (let round = 0; round < 5; round += 1) must(await world.post(town, "lines", batch), 201);
    await until("all of them", async () => (await eventsOf("lines")).length === 500, 20_000);
    const ask = async (leave_after_bytes) => {
      const socket = net.connect(Number(new URL(world.url).port), "127.0.0.1");
      const head = [
        `GET ${town.path}/agents/lines/events HTTP/1.0`,
        `Host: ${new URL(world.url).host}`,
        `Authorization: Bearer ${world.secrets.TOWNWATCH_API_KEY}`,
        "Accept: application/x-ndjson",
      ];
      socket.write(`${head.join("\r\n")}\r\n\r\n`);
      let text = "";
      socket.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
        if (text.length > leave_after_bytes) socket.destroy();
      });
      await once(socket, "close");
      assert.match(text, /^HTTP\/1\.[01] 200 /);
      assert.doesNotMatch(text, /transfer-encoding/i);
      return text.slice(text.indexOf("\r\n\r\n") + 4).split("\n").slice(0, -1).map((line) => JSON.parse(line));
    };
    const whole = await ask(Infinity);
    assert.deepEqual([whole.length, whole.at(-1).type], [501, "complete"]);
    const part = await ask(3 * MIB);
    assert.ok(part.length > 100 && part.length < 501 && !part.some(({ type }) => type === "complete"));
  });

  /** An agent whose log is more than what sockets and proxies can hold between a server and a reader that waits. */
  const longLog = async (agent) => {
    await world.registerAgent(town, agent);
    const batch = Array.from({ length: 100 }, (_, number) => ({ event_type: "note", data: { number, text: "z".repeat(20 << 10) } }));
    for (let round = 0; round < 20; round += 1) must(await world.post(town, agent, batch), 201);
    await until("the town to have all of them", async () => (await metricsOf(world, `/api/rigs/${town.rig_id}`)).outbox_events === 0, 30_000);
    return `${town.path}/agents/${agent}/events`;
  };
  /** Reads lines, and lets the server die once 1 MiB has come; gives what came, and whether the connection ended as after a whole answer. */
  const readUntilDeath = (url, path, ask) =>
    new Promise((resolve, reject) => {
      let text = "";
      /** @type {Promise<unknown> | null} */
      let dies = null;
      const finish = (ended) => dies?.then(() => resolve({ text, ended }), reject);
      const stream = ask(new URL(path, url));
      stream.on("data", (chunk) => {
        text += chunk;
        if (text.length < MIB || dies !== null) return;
        stream.pause();
        dies = world.worker.kill().then(() => stream.resume());
      });
      stream.on("end", () => finish("whole")).on("error", () => finish("broken"));
    });
  const linesOf = (text) => text.slice(text.indexOf("{")).split("\n").slice(0, -1).filter((line) => line.startsWith("{"));

  it("over HTTP/1.0 a server that dies in the middle leaves out the last line", async () => {
    const path = await longLog("long");
    const { text, ended } = await readUntilDeath(world.url, path, ({ port, host, pathname }) => {
      const socket = net.connect(port, "127.0.0.1").setEncoding("utf8");
      const head = [`GET ${pathname} HTTP/1.0`, `Host: ${host}`, `Authorization: Bearer ${world.secrets.TOWNWATCH_API_KEY}`];
      socket.write(`${head.join("\r\n")}\r\nAccept: application/x-ndjson\r\n\r\n`);
      return socket;
    });
    await world.worker.start();
    assert.match(text, /^HTTP\/1\.[01] 200 /);
    assert.doesNotMatch(text, /transfer-encoding|content-length/i);
    const lines = linesOf(text);
    assert.ok(lines.length > 20 && lines.length < 2_000, `${lines.length} lines came`);
    assert.doesNotMatch(text, /"type":"complete"/);
    console.log(`killed in the middle, HTTP/1.0: ${lines.length} lines of 2,000 came, the connection ended as if ${ended}`);
  });

  describe("nginx as it comes", { skip: nginx() ? false : "nginx is not installed: apt-get install nginx" }, () => {
    let proxy;
    let api;
    const operator = () => ({ authorization: `Bearer ${world.secrets.TOWNWATCH_API_KEY}` });
    before(async () => {
      proxy = await Nginx.before(world.url);
      api = apiAt(() => proxy.url, world.secrets.TOWNWATCH_API_KEY);
    });
    after(() => proxy?.stop());

    it("serves the page, streams, lines and long polls", async () => {
      await world.registerAgent(town, "watched");
      must(await world.post(town, "watched", [{ event_type: "note", data: 1 }]), 201);
      const page = await request(`${proxy.url}/`);
      assert.equal(page.status, 200);
      const script = present(/src="(\/assets\/[^"]+\.js)"/.exec(page.text))[1];
      assert.match((await request(`${proxy.url}${script}`)).headers["content-type"], /javascript/);
      const stream = `${proxy.url}${town.path}/container/agents/watched/stream`;
      const source = await EventSource.open(`${stream}?after_id=0`, operator());
      await source.untilCaughtUp();
      const [first] = source.events;
      assert.deepEqual([first.event, first.data], ["note", 1]);
      const path = `${town.path}/agents/watched/events`;
      const polled = api("GET", `${path}?after_id=${first.id}&wait_ms=20000`);
      await sleep(300);
      const posted = performance.now();
      must(await world.post(town, "watched", [{ event_type: "note", data: 2 }]), 201);
      assert.deepEqual(must(await polled).events.map(({ data }) => data), [2]);
      await source.until("the live one", () => source.events.length === 2);
      assert.ok(performance.now() - posted < 5_000, "nothing holds it back until its end");
      source.cut();
      const lines = await api("GET", path, undefined, { headers: { accept: "application/x-ndjson" } });
      assert.deepEqual(lines.text.split("\n").slice(0, -1).map((line) => JSON.parse(line).data ?? JSON.parse(line).type), [1, 2, "complete"]);
    });

    it("hides where the page was opened: signing in says what to set, and that is true", async () => {
      const signIn = (url) => {
        const headers = { "content-type": "application/json", origin: new URL(url).origin };
        return request(`${url}/api/session`, { method: "POST", headers, body: JSON.stringify({ key: world.secrets.TOWNWATCH_API_KEY }) });
      };
      const refused = await signIn(proxy.url);
      mustRefuse(refused, 403, "origin_not_allowed", "proxy_set_header Host $http_host;");
      assert.ok(refused.json.error.message.includes(new URL(proxy.url).origin) && refused.json.error.message.includes("ALLOWED_ORIGINS"));
      const taken = await signIn(proxy.named_url);
      assert.equal(taken.status, 201, taken.text);
      assert.match(taken.headers["set-cookie"][0], /HttpOnly/);
    });

    it("tells a server that dies in the middle of lines by the last line alone", async () => {
      const path = await longLog("long-behind");
      const { text, ended } = await readUntilDeath(proxy.url, path, (url) => {
        const stream = new PassThrough().setEncoding("utf8");
        const headers = { ...operator(), accept: "application/x-ndjson" };
        const asked = http.get(url, { headers, agent: false }, (answer) => pipeline(answer, stream, () => {}));
        asked.on("error", (problem) => stream.destroy(problem));
        return stream;
      });
      await world.worker.start();
      const lines = linesOf(text);
      assert.ok(lines.length > 20 && lines.length < 2_000, `${lines.length} lines came`);
      assert.doesNotMatch(text, /"type":"complete"/);
      console.log(`killed in the middle, behind nginx: ${lines.length} lines of 2,000 came, the connection ended as if ${ended}`);
    });

    it("lets `send` bring 40 MB", async () => {
      const lines = numbered(2_000, 20_000);
      const began = performance.now();
      const sent = await send("much", proxy.url, `${lines.join("\n")}\n`);
      assert.deepEqual([await sent.code(), sent.stderr.replace(/^townwatch: sending the last .*\n/m, "")], [0, ""]);
      const events = await untilEnded("much");
      assert.deepEqual(outputs(events), lines);
      console.log(`40 MB behind nginx: ${Math.round(performance.now() - began)} ms`);
    });
  });
});
