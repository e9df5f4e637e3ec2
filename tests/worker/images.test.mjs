// Pictures that tools gave: named in an event, fetched from the control server beside the log, served as what their bytes
// are, and told in words where they are none.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { attached, HOSTILE, idOf, noisePng, PICTURES, result } from "../pictures/pictures.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { countedOver } from "./metrics.mjs";
import { ScriptedControl } from "./scripted_control.mjs";
import { sleep, until } from "./until.mjs";

const FIXED_HEADERS = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; sandbox",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "private, max-age=31536000, immutable",
};

describe("pictures of agents in the container", () => {
  let world;
  let control;
  let town;
  const held = new Map();
  const pathOf = (image_id, agent_id = "painter") => `${town.path}/agents/${agent_id}/images/${image_id}`;
  const get = (bytes, agent_id) => world.api("GET", pathOf(idOf(bytes), agent_id));
  const untilThere = (bytes, ms) => until("the picture", async () => (await get(bytes)).status === 200, ms);
  const untilTold = (bytes, words, ms) =>
    until(words, async () => (await get(bytes)).error?.message.includes(words), ms, () => "");
  const show = (...pictures) => {
    for (const bytes of pictures) held.set(idOf(bytes), bytes);
    const told = pictures.map((bytes, at) => ["agent_tool_result", result(`t${at}`, [attached(bytes)])]);
    control.tell("painter", told);
  };
  const give = async (_, image_id) => (held.has(image_id) ? { status: 200, bytes: held.get(image_id) } : { status: 404 });

  before(async () => {
    control = await ScriptedControl.start();
    control.image = give;
    world = await startWorld({ control: false, vars: { CONTAINER_URL: control.url, DRAIN_INTERVAL_SECONDS: 1 } });
    town = await world.town();
    await world.startAgent(town, { agent_id: "painter", runtime: "process", command: ["true"] });
  });
  after(async () => {
    await world?.stop();
    await control?.stop();
  });

  it("come whole, each with the type of its bytes and nothing that a page could use", async () => {
    const large = [noisePng(600, 1), noisePng(1_160, 2)];
    assert.ok(large[0].length > 1 << 20 && large[1].length > 3.8 * (1 << 20) && large[1].length < 4 << 20);
    const all = [...Object.entries(PICTURES), ...large.map((bytes) => ["image/png", bytes])];
    show(...all.map(([, bytes]) => bytes));
    for (const [kind, bytes] of all) {
      await untilThere(bytes);
      const answer = await get(bytes);
      assert.ok(answer.bytes.equals(bytes), `${kind}, ${bytes.length} bytes: other ones came`);
      assert.equal(answer.headers["content-type"], kind);
      for (const [name, value] of Object.entries(FIXED_HEADERS)) assert.equal(answer.headers[name], value, name);
      assert.match(answer.headers["content-disposition"], /^inline; filename="[0-9a-f]{12}\.(png|jpg|webp|gif)"$/);
    }
    const asked = control.requests.filter((one) => one.includes("/images/"));
    assert.equal(asked.length, new Set(asked).size, "each was fetched once");
  });

  it("are the operator's to see, under their own names only", async () => {
    const bytes = PICTURES["image/png"];
    const path = pathOf(idOf(bytes));
    mustRefuse(await world.api("GET", path, undefined, { token: null }), 401, "unauthorized");
    await world.registerAgent(town, "other");
    const token = await world.agentToken(town, "other");
    mustRefuse(await world.api("GET", path, undefined, { token }), 403, "forbidden");
    mustRefuse(await get(bytes, "other"), 404, "not_found", "not here");
    const elsewhere = await world.town("Elsewhere");
    mustRefuse(await world.api("GET", path.replace(town.town_id, elsewhere.town_id)), 404, "not_found");
    mustRefuse(await world.api("GET", path.replace(town.town_id, "nowhere")), 404, "not_found", "town");
    mustRefuse(await world.api("GET", pathOf("..%2Fx")), 400, "invalid_request", "image_id");
    const posted = await world.api("POST", path, {});
    mustRefuse(posted, 405, "method_not_allowed");
    assert.equal(posted.headers.allow, "GET");
  });

  it("are told in words where they are no picture, and nothing of them is kept", async () => {
    for (const { name, bytes, words } of HOSTILE) {
      show(bytes);
      await untilTold(bytes, words);
      const answer = await get(bytes);
      mustRefuse(answer, 404, "not_found", "gone");
      assert.equal(answer.headers["content-type"], "application/json", name);
    }
    const other = noisePng(8, 3);
    show(other);
    held.set(idOf(other), PICTURES["image/gif"]);
    await untilTold(other, "another picture");
    const large = Buffer.concat([noisePng(600, 4), Buffer.alloc(4 << 20)]);
    show(large); // more than is read of an answer
    await untilTold(large, "on its way");
    held.delete(idOf(large));
    await untilTold(large, "did not have it any more");
  });

  it("that are on their way say when to ask again, hold up no event, and come after failures", async () => {
    const bytes = noisePng(10, 5);
    let failures = 0;
    control.image = async (agent_id, image_id) => {
      if (image_id !== idOf(bytes)) return give(agent_id, image_id);
      failures += 1;
      if (failures === 1) await sleep(3_000);
      return failures < 3 ? { status: 500 } : { status: 200, bytes };
    };
    show(bytes);
    await until("that it is asked for", () => failures > 0);
    const early = await get(bytes);
    mustRefuse(early, 404, "not_found", "on its way");
    assert.equal(early.headers["retry-after"], "1");
    control.say("painter", ["meanwhile"]);
    const newest = async () => must(await world.api("GET", `${town.path}/events?tail=1`)).events[0].data.text;
    await until("the event behind it", async () => (await newest()) === "meanwhile", 2_500);
    assert.equal(failures, 1, "the picture is still being waited for");
    await untilThere(bytes, 20_000);
    assert.equal(failures, 3);
    control.image = give;
  });

  it("cost rows only where there are any", async () => {
    const viewer = await world.watch(town.stream);
    await viewer.untilCaughtUp();
    const counted = (told, is) =>
      countedOver(world, town.path, async () => {
        control.tell("painter", [told]);
        await until("its effect", is);
        await sleep(300);
      });
    const seen = (id) => () => viewer.events.some(({ data }) => data.tool_use_id === id);
    const plain = await counted(["agent_tool_result", { ...result("plain", []), attachments: undefined }], seen("plain"));
    const link = await counted(["agent_tool_result", result("link", [{ kind: "link", uri: "https://e.org" }])], seen("link"));
    assert.equal(link.sql_rows_written_total, plain.sql_rows_written_total);
    const bytes = noisePng(600, 6); // two parts
    held.set(idOf(bytes), bytes);
    const picture = await counted(["agent_tool_result", result("picture", [attached(bytes)])], async () => (await get(bytes)).status === 200);
    const more = picture.sql_rows_written_total - plain.sql_rows_written_total;
    assert.ok(more >= 4 && more <= 10, `${more} rows for a picture of two parts`);
    await viewer.close?.();
  });

  it("come although workerd was killed between the event and the picture", async () => {
    const bytes = noisePng(11, 7);
    let asked = 0;
    control.image = async (agent_id, image_id) => {
      if (image_id !== idOf(bytes)) return give(agent_id, image_id);
      asked += 1;
      return asked === 1 ? new Promise(() => {}) : { status: 200, bytes };
    };
    show(bytes);
    await until("that it is asked for", () => asked === 1);
    await world.worker.kill();
    await world.worker.start();
    await untilThere(bytes, 60_000);
    assert.ok((await get(bytes)).bytes.equals(bytes));
    assert.equal(asked, 2);
    control.image = give;
  });

  it("go with their town", async () => {
    assert.equal((await world.api("DELETE", town.path)).status, 204);
    mustRefuse(await get(PICTURES["image/png"]), 404, "not_found", "town");
  });
});

describe("pictures while the town is evicted", () => {
  let world;
  let control;
  before(async () => {
    control = await ScriptedControl.start();
    world = await startWorld({ control: false, evictable: true, vars: { CONTAINER_URL: control.url, DRAIN_INTERVAL_SECONDS: 1 } });
  });
  after(async () => {
    await world?.stop();
    await control?.stop();
  });

  it("are wanted from the event on, whatever becomes of the instance that stored it", async () => {
    const town = await world.town();
    await world.startAgent(town, { agent_id: "painter", runtime: "process", command: ["true"] });
    const bytes = noisePng(12, 8);
    let isReady = false;
    control.image = async () => (isReady ? { status: 200, bytes } : { status: 503 });
    control.tell("painter", [["agent_tool_result", result("t", [attached(bytes)])]]);
    const path = `${town.path}/agents/painter/images/${idOf(bytes)}`;
    await until("the event", async () => (await world.api("GET", path)).headers["retry-after"] === "1");
    await until("the eviction", () => world.worker.evict("Town", town.town_id), 40_000);
    isReady = true;
    await until("the picture", async () => (await world.api("GET", path)).status === 200, 60_000);
    assert.ok(await until("another eviction", () => world.worker.evict("Town", town.town_id), 40_000));
    assert.ok((await world.api("GET", path)).bytes.equals(bytes), "it lies in the tables");
  });
});

describe("pictures that posting agents bring", () => {
  let world;
  let town;
  let token;
  const bytes = PICTURES["image/png"];
  const pathOf = (image_id, agent_id = "poster") => `/api/rigs/${town.rig_id}/agents/${agent_id}/images/${image_id}`;
  /**
   * @param {Buffer} body
   * @param {{ image_id?: string, kind?: string, agent_id?: string, as?: string | null, headers?: { [name: string]: string } }} [options]
   */
  const put = (body, { image_id = idOf(body), kind = "image/png", agent_id, as = token, headers = {} } = {}) =>
    world.api("PUT", pathOf(image_id, agent_id), body, { token: as, headers: { "content-type": kind, ...headers } });
  const get = (image_id, agent_id = "poster") => world.api("GET", `${town.path}/agents/${agent_id}/images/${image_id}`);

  before(async () => {
    world = await startWorld({ control: false });
    town = await world.town();
    await world.registerAgent(town, "poster");
    token = await world.agentToken(town, "poster");
  });
  after(() => world?.stop());

  it("are kept, once, and found by the event that names them", async () => {
    for (const [kind, picture] of Object.entries(PICTURES)) {
      const view = must(await put(picture, { kind }), 201);
      assert.deepEqual(view, { image_id: idOf(picture), media_type: kind, size_bytes: picture.length });
      assert.deepEqual(must(await put(picture, { kind }), 200), view);
      const found = await get(view.image_id);
      assert.deepEqual([found.status, found.headers["content-type"]], [200, kind]);
      assert.ok(found.bytes.equals(picture));
    }
    must(await world.post(town, "poster", [{ event_type: "agent_tool_result", data: result("t", [attached(bytes)]) }], { token }), 201);
    const large = noisePng(1_160, 9);
    must(await put(large, { as: world.secrets.TOWNWATCH_API_KEY }), 201);
    assert.ok((await get(idOf(large))).bytes.equals(large), "3.9 MiB, by the operator");
  });

  it("are refused by what is wrong with them", async () => {
    for (const { bytes: hostile, words } of HOSTILE) mustRefuse(await put(hostile), 400, "invalid_request", words);
    mustRefuse(await put(Buffer.alloc(0)), 400, "invalid_request", "body");
    mustRefuse(await put(bytes, { image_id: idOf(Buffer.from("x")) }), 400, "invalid_request", "image_id");
    mustRefuse(await put(bytes, { image_id: "NOT-HEX" }), 400, "invalid_request", "image_id");
    mustRefuse(await put(bytes, { kind: "image/gif" }), 400, "invalid_request", "Content-Type");
    for (const kind of ["image/svg+xml", "text/html", "application/json", "application/octet-stream", ""]) {
      mustRefuse(await put(bytes, { kind }), 415, "unsupported_media_type", "image/png");
    }
    mustRefuse(await put(bytes, { headers: { "content-encoding": "gzip" } }), 415, "unsupported_media_type", "Content-Encoding");
    const five = Buffer.concat([bytes, Buffer.alloc(5 << 20)]);
    mustRefuse(await put(five), 413, "too_large");
    assert.equal((await put(five, { headers: { "transfer-encoding": "chunked" } })).status, 413);
    for (const { bytes: hostile } of HOSTILE) mustRefuse(await get(idOf(hostile)), 404, "not_found", "not here");
  });

  it("are an agent's own", async () => {
    await world.registerAgent(town, "other");
    mustRefuse(await put(bytes, { agent_id: "other" }), 403, "forbidden");
    mustRefuse(await put(bytes, { as: null }), 401, "unauthorized");
    mustRefuse(await put(bytes, { agent_id: "nobody", as: world.secrets.TOWNWATCH_API_KEY }), 404, "not_found");
    const elsewhere = await world.town("Elsewhere");
    await world.registerAgent(elsewhere, "poster");
    const foreign = await world.agentToken(elsewhere, "poster");
    mustRefuse(await put(bytes, { as: foreign }), 403, "forbidden");
    mustRefuse(await get(idOf(bytes), "other"), 404, "not_found");
  });
});
