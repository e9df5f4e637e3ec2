import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventsPage, Gap } from "../protocol/protocol.ts";
import { event, events } from "../testing/fake_town.ts";
import { randomly } from "../testing/randomly.ts";
import { Api } from "./api.ts";
import { EventLog } from "./event_log.ts";
import { fillGap, wholeEvent } from "./history.ts";

const atOnce = (call: () => void): void => call();
const said = (id: number) => event(id, "agent_output", { text: `text ${id}`, stream: "assistant" });

function ids(log: EventLog): number[] {
  return log.rows.all.flatMap((row) => row.events.map(({ id }) => id));
}

/** An API over a log of so many events, of which the first are pruned. */
function apiOver(last: number, oldest = 1): { api: Api; asked: string[] } {
  const asked: string[] = [];
  const log = events(oldest, last);
  const api = new Api(async (path) => {
    asked.push(path);
    const query = new Map([...path.matchAll(/[?&](\w+)=(\d+)/g)].map(([, name, value]) => [name, Number(value)]));
    const limit = query.get("limit") ?? 200;
    const [after, before] = [query.get("after_id"), query.get("before_id")];
    const found =
      after !== undefined
        ? log.filter(({ id }) => id > after).slice(0, limit)
        : log.filter(({ id }) => id < (before ?? Infinity)).slice(-limit);
    const page: EventsPage = { epoch: "e", events: found, next_after_id: found.at(-1)?.id ?? after ?? 0, head: last, oldest_id: oldest, gaps: [] };
    const isPage = path.includes("/events?");
    const body = isPage ? { success: true, data: page } : { success: false, error: { code: "not_found", message: "no" } };
    return { status: isPage ? 200 : 404, headers: { get: () => null }, text: async () => JSON.stringify(body) };
  });
  return { api, asked };
}

test("what is fetched later stands where it belongs, once", () => {
  const log = new EventLog(atOnce);
  for (const id of [5, 6, 9]) log.append(said(id));
  log.insert([said(3), said(5), said(7)], null);
  assert.deepEqual(ids(log), [3, 5, 6, 7, 9]);
});

test("a result fetched later joins its call", () => {
  const log = new EventLog(atOnce);
  const result = event(6, "agent_tool_result", { tool_use_id: "a", success: true, content: "", content_length: 0, duration_ms: 1 });
  log.append(result);
  assert.deepEqual(log.rows.all.map(({ kind }) => kind), ["run", "result"]);
  log.insert([event(2, "agent_tool_call", { tool_use_id: "a", tool: "Read", category: "Read", input: {}, summary: "Reading" })], null);
  assert.deepEqual(log.rows.all.map(({ kind }) => kind), ["run", "call"]);
});

test("a gap is told once, and is gone when it is filled", async () => {
  const log = new EventLog(atOnce);
  const gap = { agent_id: "agent", from: 3, to: 700, count: 698, reason: "elided" } as const;
  log.append(said(2));
  log.appendGap(gap);
  log.appendGap({ ...gap });
  log.append(said(701));
  assert.deepEqual(log.rows.all.map(({ kind }) => kind), ["run", "say", "gap", "say"]);
  const { api, asked } = apiOver(800);
  await fillGap({ api, town_id: "t", agent_id: "agent", log }, gap);
  assert.deepEqual(ids(log), Array.from({ length: 700 }, (_, index) => index + 2));
  assert.equal(log.gaps.length, 0);
  assert.equal(asked.length, 2);
});

test("a gap that the log can not fill any more says so and asks no more", async () => {
  const log = new EventLog(atOnce);
  const gap = { agent_id: "agent", from: 3, to: 7, count: 5, reason: "elided" } as const;
  log.appendGap(gap);
  log.append(said(8));
  await fillGap({ api: apiOver(10, 8).api, town_id: "t", agent_id: "agent", log }, gap);
  const [row] = log.rows.all;
  assert.ok(row?.kind === "gap" && !row.fillable && /are gone/.test(row.text));
});

test("what is before the others is put in front of them, and what the town lost before that is said once", () => {
  const log = new EventLog(atOnce);
  log.beginsBehind(8);
  log.append(said(9));
  assert.deepEqual([log.lacksEarlier, log.begins_behind], [true, 8]);
  log.insertEarlier([said(5), said(8)], 4, [], () => {});
  assert.deepEqual([ids(log), log.begins_behind], [[5, 8, 9], 4]);
  const gap = { agent_id: "agent", from: 1, to: 4, count: 4, reason: "pruned" } as const;
  log.insertEarlier([], 0, [gap], () => {});
  log.insertEarlier([], 0, [{ ...gap, to: 3 }], () => {});
  assert.deepEqual([log.rows.all.filter(({ kind }) => kind === "gap").length, log.hasLost, log.lacksEarlier], [1, true, false]);
});

test("a log that lets go of a call lets go of its result, however late that came", () => {
  const log = new EventLog(atOnce, { events: 20, characters: Infinity });
  log.append(event(1, "agent_tool_call", { tool_use_id: "a", tool: "Read", category: "Read", input: {}, summary: "Reading" }));
  for (let id = 2; id < 12; id += 1) log.append(said(id));
  log.append(event(12, "agent_tool_result", { tool_use_id: "a", success: true, content: "", content_length: 0, duration_ms: 1 }));
  const { life } = log;
  for (let id = 13; !log.hasDropped; id += 1) log.append(said(id));
  for (let id = 40; id < 44; id += 1) log.append(said(id));
  assert.ok(log.begins_behind >= 12 && log.life > life, "it is fetched again from before its result");
});

test("what a reader fetched does not push out what was there", () => {
  const log = new EventLog(atOnce);
  for (let id = 10_001; id <= 15_000; id += 1) log.append(said(id));
  log.insert(Array.from({ length: 500 }, (_, index) => said(9_501 + index)), null);
  assert.equal(log.rows.dropped_events, 0);
  assert.equal(ids(log).length, 5_500);
});

test("an event that the log has no more is none", async () => {
  assert.equal(await wholeEvent(apiOver(3).api, "t", 9), null);
});

test("a log that nobody looks at keeps the same as one that is looked at after each event", () => {
  const below = randomly(11);
  const bounds = { events: 40, characters: 2_000 };
  const [seen, unseen] = [new EventLog(atOnce, bounds), new EventLog(atOnce, bounds)];
  for (let id = 1; id < 500; id += 1) {
    const one = event(id, "agent_output", { text: "word ".repeat(below(30)), stream: "assistant" });
    const gap: Gap = { agent_id: one.agent_id, from: id, to: id, count: 1, reason: "elided" };
    const isGap = below(50) === 0;
    for (const log of [seen, unseen]) {
      if (isGap) log.appendGap(gap);
      else log.append(one);
    }
    assert.ok(seen.rows.all.length > 0);
    if (below(60) > 0) continue;
    assert.deepEqual(unseen.events().slice(-seen.events().length), seen.events());
    assert.ok(unseen.events().length <= 2 * bounds.events);
    assert.deepEqual(unseen.rows.all, seen.rows.all);
    assert.equal(unseen.rows.dropped_events, seen.rows.dropped_events);
  }
});

test("many that are put in take some frames, in which the log goes on; what else changes it waits for nothing", () => {
  const frames: (() => void)[] = [];
  const log = new EventLog((call) => frames.push(call), { events: 50_000, characters: Infinity });
  log.beginsBehind(20_000);
  log.append(said(20_001));
  let count = 0;
  const past = Array.from({ length: 10_000 }, (_, index) => said(10_001 + index));
  log.insertEarlier(past, 10_000, [], () => (count += 1));
  frames.shift()?.();
  log.append(said(20_002));
  assert.deepEqual([ids(log), log.begins_behind, count], [[20_001, 20_002], 20_000, 0]);
  while (frames.length > 0) frames.shift()?.();
  assert.deepEqual([ids(log).length, new Set(ids(log)).size, ids(log)[0], ids(log).at(-1), log.begins_behind, count], [10_002, 10_002, 10_001, 20_002, 10_000, 1]);

  const earlier = Array.from({ length: 5_000 }, (_, index) => said(5_001 + index));
  log.insertEarlier(earlier, 5_000, [], () => (count += 1));
  log.insert([said(7)], null);
  assert.deepEqual([ids(log).length, log.begins_behind, count], [15_003, 5_000, 2]);
  log.insertEarlier([said(3)], 2, [], () => (count += 1));
  log.clear();
  while (frames.length > 0) frames.shift()?.();
  assert.deepEqual([ids(log), count], [[], 2], "what was taken out does not come back");
});
