// An event stream that a ticket opened comes back to the same address with `Last-Event-ID`, as a browser's `EventSource` does
// by itself, and goes on; whoever has only the address, or only the id, does not.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { EventSource } from "./event_source.mjs";
import { must, mustRefuse, startWorld } from "./harness.mjs";
import { connect } from "./socket.mjs";

/** A stream by its ticket alone, from the start or, as a browser, from where `before` was. */
const openAt = (world, address, before) =>
  EventSource.open(world.url + address, before === undefined ? {} : { "last-event-id": before.last_event_id ?? before });
const mustBeRefused = (source, why) => {
  assert.deepEqual([source.status, source.text && JSON.parse(source.text).error.code], [401, "ticket_invalid"], why);
};

describe("an event stream that a ticket opened", () => {
  let world;
  let town;
  let number = 0;
  const open = (address, before) => openAt(world, address, before);
  const caughtUp = async (...args) => {
    const source = await open(...args);
    assert.equal(source.status, 200, source.text);
    await source.untilCaughtUp();
    return source;
  };
  const streamOf = (agent_id) => `${town.path}/container/agents/${agent_id}/stream`;
  const ticketed = async (stream, query = "") => `${stream}?ticket=${await world.ticket(stream)}${query}`;
  const note = async (agent_id = "one") => {
    must(await world.post(town, agent_id, [{ event_type: "note", data: (number += 1) }]), 201);
    return number;
  };
  const notes = (source) => source.events.map(({ data }) => data);

  before(async () => {
    world = await startWorld();
    town = await world.town();
    for (const agent_id of ["one", "two"]) await world.registerAgent(town, agent_id);
  });
  after(() => world?.stop());

  it("goes on behind its last event, again and again, and when it was killed: nothing missing, nothing twice", async () => {
    const address = await ticketed(streamOf("one"));
    let source = await caughtUp(address);
    const had = [];
    for (let round = 0; round < 6; round += 1) {
      // In every other round nothing comes before the cut.
      if (round % 2 === 0) {
        await note();
        await source.until("what is live", () => notes(source).at(-1) === number);
      }
      source.cut();
      had.push(...notes(source));
      if (round === 3) {
        await world.worker.kill();
        await world.worker.start();
      }
      await note("two");
      if (round !== 2) await note();
      source = await caughtUp(address, source);
      assert.deepEqual(source.of("hello").map(({ reset }) => reset), [false]);
    }
    source.cut();
    had.push(...notes(source));
    const stored = await world.pages(`${town.path}/agents/one/events`);
    assert.deepEqual(had, stored.map(({ data }) => data));
  });

  it("says an unguessable token in its first block, and beside each id", async () => {
    const source = await caughtUp(await ticketed(town.stream));
    assert.match(source.text, /^retry: \d+\nid: 0~[0-9a-f]{32}\nevent: hello\n/);
    const ids = source.messages.filter(({ id }) => id).map(({ id }) => id.split("~"));
    assert.equal(new Set(ids.map(([, token]) => token)).size, 1);
    assert.deepEqual(ids.slice(1).map(([id]) => Number(id)), source.events.map(({ id }) => id));
    source.cut();
    const operator = { authorization: `Bearer ${world.secrets.TOWNWATCH_API_KEY}` };
    const other = await EventSource.open(world.url + town.stream, operator);
    await other.untilCaughtUp();
    assert.doesNotMatch(other.text, /^id: .*~/m, "who has no ticket needs none");
    other.cut();
  });

  it("is nobody's who has only the address, only the id, or another stream's path", async () => {
    const address = await ticketed(streamOf("one"));
    const source = await caughtUp(address);
    source.cut();
    const [id, token] = source.last_event_id.split("~");
    const ticket = new URL(address, world.url).searchParams.get("ticket");
    mustBeRefused(await open(address), "the address alone");
    for (const wrong of [id, `${id}~`, `${id}~${token.slice(1)}`, `${id}~${token}0`, `${id}~${"0".repeat(32)}`, `${id}~${ticket}`]) {
      mustBeRefused(await open(address, wrong), wrong);
    }
    mustBeRefused(await open(`${streamOf("two")}?ticket=${ticket}`, source), "another agent's path");
    mustBeRefused(await open(`${town.stream}?ticket=${ticket}`, source), "the town's");
    const elsewhere = await world.town("Elsewhere");
    mustBeRefused(await open(`${elsewhere.stream}?ticket=${ticket}`, source), "another town's");
    mustBeRefused(await open(`${streamOf("one")}?ticket=${token}`, source), "the token for a ticket");
    const none = await open(streamOf("one"), source);
    assert.deepEqual([none.status, JSON.parse(none.text).error.code], [401, "unauthorized"]);
    mustRefuse(await connect(world.url + address, { "last-event-id": source.last_event_id }), 401, "ticket_invalid");
    (await caughtUp(address, source)).cut();
    for (const secret of [ticket, token]) assert.ok(!world.worker.log.includes(secret), "no secret is in the log");
  });

  it("is one at a time: who comes back ends the connection that was left behind", async () => {
    const address = await ticketed(town.stream);
    const older = await caughtUp(address);
    const newer = await caughtUp(address, older);
    await older.until("its end", () => older.ended, 3_000);
    assert.equal(older.broken, null);
    const before = older.text.length;
    await note();
    await newer.until("what is live", () => notes(newer).at(-1) === number);
    assert.equal(older.text.length, before);
    newer.cut();
  });

  it("is sent away past the end of the run that it asked for", async () => {
    const address = await ticketed(streamOf("runner"), "&until=exit");
    const source = await open(address);
    await world.startAgent(town, { agent_id: "runner", runtime: "replay", transcript: "basic", speed: 0 });
    await source.until("its end", () => source.ended);
    assert.equal(source.events.at(-1).event, "agent.exited");
    const past = await open(address, source);
    assert.deepEqual([past.status, past.text], [204, ""]);
  });

  it("ends with its town", async () => {
    const other = await world.town("Lakeside");
    const address = `${other.stream}?ticket=${await world.ticket(other.stream)}`;
    const source = await caughtUp(address);
    must(await world.api("DELETE", other.path), 204);
    await source.until("the end", () => source.ended, 3_000);
    assert.equal((await open(address, source)).status, 404);
  });
});

describe("the right to resume an event stream", () => {
  let world;
  let stream;
  before(async () => {
    world = await startWorld({ control: false });
    ({ stream } = await world.town());
  });
  after(() => world?.stop());

  it("ends with the key, or the session, that its ticket was made by", async () => {
    const opened = async (ticket) => {
      const address = `${stream}?ticket=${ticket}`;
      const source = await openAt(world, address);
      await source.untilCaughtUp();
      source.cut();
      return { address, source };
    };
    const back = ({ address, source }) => openAt(world, address, source);
    const { cookie } = await world.signIn();
    const made = await world.api("POST", `${stream}-ticket`, {}, { token: null, headers: { cookie, origin: world.url } });
    const [byKey, bySession] = [await opened(await world.ticket(stream)), await opened(must(made).ticket)];
    const looks = async (expected) => {
      for (const [what, one] of /** @type {any[][]} */ ([["by key", byKey], ["by session", bySession]])) {
        const source = await back(one);
        assert.equal(source.status, expected[what], what);
        source.cut();
      }
    };
    const changed = async (secret) => {
      world.secrets[secret] = [...world.secrets[secret]].reverse().join("");
      await world.worker.kill();
      await world.worker.start();
    };
    await looks({ "by key": 200, "by session": 200 });
    await changed("TOWNWATCH_JWT_SECRET");
    await looks({ "by key": 200, "by session": 401 });
    await changed("TOWNWATCH_API_KEY");
    await looks({ "by key": 401, "by session": 401 });
  });
});
