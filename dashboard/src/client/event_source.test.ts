import assert from "node:assert/strict";
import { test } from "node:test";
import type { TownEvent } from "../protocol/protocol.ts";
import { FakeTown, hello, Recorder, settled } from "../testing/fake_town.ts";
import { Api } from "./api.ts";
import { eventCharacters } from "./event_size.ts";
import { dataText, eventText, fieldText, keepSources, saysLess } from "./event_source.ts";
import { TownStream } from "./stream.ts";

const DATA = '{"order_id": 2512292042121000001,"10":1.10,"rates":[1e400,-0,1E5],"10":"\\u00e9"}';
const call = (data: string): string => `{"id":3,"agent_id":"agent","run_id":"run","event":"custom","data":${data},"at":"2026-01-01T00:00:00.000Z"}`;
const plain = '{"id":2,"agent_id":"agent","event":"agent_output","data":{"text":"1.10","stream":"stdout"},"at":"2026-01-01T00:00:00.000Z"}';

/** Remembers the events themselves. */
class Keeper extends Recorder {
  kept: TownEvent[] = [];
  override events(events: readonly TownEvent[]): void {
    this.kept.push(...events);
  }
}

function mustBeWhole(event: TownEvent | undefined): void {
  assert.ok(event);
  assert.equal(dataText(event), DATA);
  assert.equal(eventText(event), call(DATA));
  assert.equal(fieldText(event, "rates"), "[1e400,-0,1E5]");
  assert.equal(fieldText(event, "10"), '"\\u00e9"', "of two the last, as the rest of the page has it");
  assert.equal(fieldText(event, "none"), null);
  assert.equal(saysLess(event), true);
}

test("a WebSocket's frame keeps what parsing loses, and only that", async () => {
  const town = new FakeTown();
  const seen = new Keeper();
  new TownStream(town.edges(), seen).start();
  await settled();
  town.latest.send(hello("first", 0, false));
  town.latest.sendText(`{"type":"events","events":[${plain}, ${call(DATA)}],"backfill":false}`);
  mustBeWhole(seen.kept[1]);
  const [other] = seen.kept;
  assert.ok(other);
  assert.equal(eventText(other), plain);
  assert.equal(saysLess(other), false);
});

test("so do an event stream, a page and a single event", async () => {
  const town = new FakeTown();
  const seen = new Keeper();
  new TownStream(town.edges(), seen).start();
  await settled();
  for (let attempt = 0; attempt < 2; attempt += 1) {
    town.latest.cut();
    await town.clock.pass(300);
  }
  town.readings[0]?.answer(200);
  town.readings[0]?.send(hello("first", 0, false));
  town.readings[0]?.write(`event: custom\ndata: ${call(DATA)}\n\n`);
  mustBeWhole(seen.kept[0]);

  const answering = (data: string): Api => new Api(async () => ({ status: 200, headers: { get: () => null }, text: async () => `{"success":true,"data":${data}}` }));
  const page = `{"epoch":"e","events":[${plain},${call(DATA)}],"next_after_id":2,"head":2,"oldest_id":1,"gaps":[]}`;
  mustBeWhole((await answering(page).townEvents("town", "tail=2")).events[1]);
  mustBeWhole((await answering(page).agentEvents("town", "agent", "limit=1")).events[1]);
  mustBeWhole(await answering(call(DATA)).event("town", 3));
});

test("data that is no object is kept, too, and what is kept counts", () => {
  for (const data of ["2512292042121000001", "[1.10]", '"1.10"', "null"]) {
    const text = call(data);
    const event = JSON.parse(text) as TownEvent;
    const before = eventCharacters(event);
    keepSources(text, event, []);
    assert.equal(eventText(event), text);
    assert.equal(eventCharacters(event) - before, data.startsWith('"') || data === "null" ? 0 : data.length);
  }
});

test("what is nested deeper than a browser can write does no harm", () => {
  const text = call(`${"[".repeat(50_000)}1.10${"]".repeat(50_000)}`);
  const event = JSON.parse(text) as TownEvent;
  keepSources(text, event, []);
  assert.equal(eventText(event), text);
});
