import assert from "node:assert/strict";
import { test } from "node:test";
import type { TownEvent } from "../protocol/protocol.ts";
import { event, events } from "../testing/fake_town.ts";
import { Api } from "./api.ts";
import { EventLog } from "./event_log.ts";
import { NO_FILTER } from "./filter.ts";
import { Search } from "./search.ts";
import { searchWhole } from "./whole_search.ts";

const atOnce = (call: () => void): void => call();
const never = (): boolean => false;
const result = (id: number, content: string): TownEvent =>
  event(id, "agent_tool_result", { tool_use_id: `t${id}`, success: true, content, content_length: content.length, duration_ms: 1 });

/** As the stream sends it: the beginning, and a note of what is left out. */
function cut(whole: TownEvent): TownEvent {
  const data = whole.data as { content: string };
  return { ...whole, data: { ...data, content: data.content.slice(0, 10) }, cut: [{ path: "/content", bytes: data.content.length - 10 }] };
}

/** A log of cut events, and an API that has them whole; every fifth has the needle at its end, the ids of `gone` no more. */
function cutLog(count: number, gone: readonly number[] = []) {
  const wholes = Array.from({ length: count }, (_, index) => result(index + 1, `beginning ${"x".repeat(50)}${index % 5 === 0 ? " Needle" : ""}`));
  const log = new EventLog(atOnce);
  for (const whole of wholes) log.append(cut(whole));
  let running = 0;
  let running_max = 0;
  const api = new Api(async (path) => {
    running += 1;
    running_max = Math.max(running_max, running);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    running -= 1;
    const id = Number(path.split("/").at(-1));
    const is = !gone.includes(id);
    const body = is ? { success: true, data: wholes[id - 1] } : { success: false, error: { code: "not_found", message: "no" } };
    return { status: is ? 200 : 404, headers: { get: () => null }, text: async () => JSON.stringify(body) };
  });
  return { log, api, most: () => running_max };
}

test("what is cut is neither found nor passed over: it is named", () => {
  const { log } = cutLog(10);
  const { found, cut: notWhole, done } = new Search("needle").find(log.rows.list, NO_FILTER, never);
  assert.deepEqual([found.length, notWhole.length, done], [0, 10, true]);
  assert.equal(new Search("beginning").find(log.rows.list, NO_FILTER, never).cut.length, 0, "who is found need not be looked at again");
});

test("fetches what is cut, a few at a time, and shows what has the text", async () => {
  const { log, api, most } = cutLog(40, [7]);
  const search = new Search("needle");
  const looked = new Map<number, boolean | null>();
  const cutEvents = search.find(log.rows.list, NO_FILTER, never).cut.flatMap((row) => row.events);
  const wasAll = await searchWhole(cutEvents, { api, town_id: "t", log, search, isOver: never, looked: (id, has) => void looked.set(id, has) });
  assert.deepEqual([wasAll, looked.size, most()], [true, 40, 4]);
  const { found, cut: rest } = search.find(log.rows.list, NO_FILTER, never);
  assert.deepEqual(found.map(({ id }) => id), [1, 6, 11, 16, 21, 26, 31, 36]);
  assert.deepEqual([rest.length, looked.get(2), looked.get(7), looked.get(6)], [32, false, null, true]);
});

test("stops when told, and what can not be fetched is said when the rest is shown", async () => {
  const { log, api } = cutLog(40);
  const search = new Search("needle");
  const cutEvents = search.find(log.rows.list, NO_FILTER, never).cut.flatMap((row) => row.events);
  let count = 0;
  const wasAll = await searchWhole(cutEvents, { api, town_id: "t", log, search, isOver: () => count >= 10, looked: () => void (count += 1) });
  assert.deepEqual([wasAll, count], [false, 10]);

  const other = cutLog(40);
  let asked = 0;
  const failing = new Api(async () => {
    asked += 1;
    if (asked > 3) throw new Error("cut");
    return { status: 200, headers: { get: () => null }, text: async () => JSON.stringify({ success: true, data: result(1, `${"y".repeat(60)} needle`) }) };
  });
  const thrown = await searchWhole(cutEvents, { api: failing, town_id: "t", log: other.log, search, isOver: never, looked: () => {} }).catch((failure: unknown) => failure);
  assert.ok(thrown instanceof Error && thrown.message.includes("can not be reached"));
  assert.ok(asked <= 3 + 4, "the others stop, too");
  assert.deepEqual(search.find(other.log.rows.list, NO_FILTER, never).found.map(({ id }) => id), [1]);
});

test("a search looks for the digits that came", () => {
  const text = '{"id":1,"agent_id":"agent","event":"custom","data":{"order":2512292042121000001,"price":1.10},"at":"2026-01-01T00:00:00.000Z"}';
  const answering = new Api(async () => ({ status: 200, headers: { get: () => null }, text: async () => `{"success":true,"data":${text}}` }));
  return answering.event("t", 1).then((one) => {
    const log = new EventLog(atOnce);
    log.append(one);
    const count = (query: string): number => new Search(query).find(log.rows.list, NO_FILTER, never).found.length;
    assert.deepEqual(["2512292042121000001", "1.10", "price", "2512292042121000000"].map(count), [1, 1, 1, 0]);
  });
});

test("a log that let go of events says so", () => {
  const log = new EventLog(atOnce, { events: 200, characters: 1_000_000 });
  for (const one of events(1, 100)) log.append({ ...one, run_id: `run ${one.id}` });
  assert.equal(log.lacksEarlier, false);
  for (const one of events(101, 1_300)) log.append({ ...one, run_id: `run ${one.id}` });
  assert.deepEqual([log.lacksEarlier, log.hasDropped, log.begins_behind + 1], [true, true, log.events()[0]?.id]);
});
