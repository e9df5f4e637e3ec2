import assert from "node:assert/strict";
import { test } from "node:test";
import type { TownEvent } from "../protocol/protocol.ts";
import { event } from "../testing/fake_town.ts";
import { randomly } from "../testing/randomly.ts";
import { NO_FILTER } from "./filter.ts";
import { Heights } from "./heights.ts";
import type { Item, View } from "./items.ts";
import { groupsOf, Items } from "./items.ts";
import { Rows } from "./rows.ts";

const VIEW: View = { filter: NO_FILTER, open: new Set(), closed: new Set(), held: null };

/** A call and its result, as two events. */
function done(id: number, tool: string, parent?: string): TownEvent[] {
  return [started(id, tool, parent), ended(id, tool)];
}

function started(id: number, tool: string, parent?: string): TownEvent {
  const data = { tool_use_id: `c${id}`, tool, category: tool, input: {}, summary: `${tool} ${id}`, path: `src/${id}.ts` };
  return event(id, "agent_tool_call", parent === undefined ? data : { ...data, parent_tool_use_id: parent });
}

function ended(id: number, tool: string, success = true): TownEvent {
  const data = { tool_use_id: `c${id}`, success, content: tool, content_length: 4, duration_ms: 1 };
  return event(id + 0.5, "agent_tool_result", data);
}

function rowsOf(...events: TownEvent[]): Rows {
  const rows = new Rows();
  for (const one of events) rows.append(one);
  return rows;
}

function words(items: readonly Item[]): string[] {
  return items
    .filter((item) => item.kind === "group" || item.row.kind !== "run")
    .map((item) => (item.kind === "group" ? `${item.rows[0]?.tool} ×${item.rows.length}` : `${item.inGroup ? "in " : ""}${item.key}`));
}

function itemsOf(rows: Rows, view: View = VIEW): string[] {
  const items = new Items();
  items.update(rows.list, view);
  return words(items.all);
}

/** A group stays whole until its last row goes, so the oldest one may have rows that are no more. */
function withoutFirstRun(items: readonly Item[]): readonly Item[] {
  return items.slice(items.findIndex((item) => item.kind === "row" && item.row.kind !== "call"));
}

const said = (id: number): TownEvent => event(id, "agent_output", { text: "hm", stream: "assistant" });

test("three calls of one tool in a row are one item, fewer are not", () => {
  const rows = rowsOf(...done(1, "Read"), ...done(2, "Read"), said(3), ...done(4, "Read"), ...done(5, "Read"), ...done(6, "Read"), ...done(7, "Bash"));
  assert.deepEqual(itemsOf(rows), ["1", "2", "3", "Read ×3", "7"]);
  const open = { ...VIEW, open: new Set(["group-4"]) };
  assert.deepEqual(itemsOf(rows, open), ["1", "2", "3", "Read ×3", "in 4", "in 5", "in 6", "7"]);
});

test("what failed, runs still, changed a file or lies between is never folded away; the machinery does not count", () => {
  const changed = event(2.7, "file_changed", { path: "a", action: "modified", tool_use_id: "c2" });
  assert.deepEqual(itemsOf(rowsOf(...done(1, "Edit"), ...done(2, "Edit"), changed, ...done(3, "Edit"))), ["1", "2", "3"]);
  assert.deepEqual(itemsOf(rowsOf(...done(1, "Read"), started(2, "Read"), ended(2, "Read", false), ...done(3, "Read"))), ["1", "2", "3"]);
  const status = event(2.7, "agent.status", { status: "running" });
  assert.deepEqual(itemsOf(rowsOf(...done(1, "Read"), ...done(2, "Read"), status, ...done(3, "Read"))), ["Read ×3"]);
});

test("while someone reads nothing folds under their eyes, and what was folded stays so", () => {
  const rows = rowsOf(...done(1, "Read"), ...done(2, "Read"), ...done(3, "Read"), said(4), ...done(5, "Read"), started(6, "Read"));
  const items = new Items();
  items.update(rows.list, VIEW);
  assert.deepEqual(words(items.all), ["Read ×3", "4", "5", "6"]);
  const held = { ...VIEW, held: groupsOf(items.all) };
  for (const one of [ended(6, "Read"), ...done(7, "Read")]) rows.append(one);
  items.update(rows.list, held);
  assert.deepEqual(words(items.all), ["Read ×3", "4", "5", "6", "7"]);
  items.update(rows.list, VIEW);
  assert.deepEqual(words(items.all), ["Read ×3", "4", "Read ×3"]);
});

test("a closed sub-agent hides all that is inside, however deep", () => {
  const rows = rowsOf(started(1, "Task"), started(2, "Task", "c1"), started(3, "Bash", "c2"), started(4, "Bash"));
  assert.deepEqual(itemsOf(rows), ["1", "2", "3", "4"]);
  assert.deepEqual(itemsOf(rows, { ...VIEW, closed: new Set(["1"]) }), ["1", "4"]);
  assert.deepEqual(itemsOf(rows, { ...VIEW, closed: new Set(["2"]) }), ["1", "2", "4"]);
});

test("bit by bit gives the same as all at once, also when the oldest go", () => {
  const random = randomly(7);
  const tools = ["Read", "Read", "Read", "Bash", "Task"];
  const rows = new Rows({ events: 400, characters: Infinity });
  const items = new Items();
  const open: number[] = [];
  for (let id = 1; id < 2_000; id += 1) {
    const tool = tools[random(5)] ?? "Read";
    const before = open.length > 0 && random(3) === 0 ? open[random(open.length)] : undefined;
    const choice = random(10);
    if (choice === 0) rows.append(said(id));
    else if (choice === 1 && before !== undefined) rows.append(ended(before, "Read", random(4) > 0));
    else {
      rows.append(started(id, tool, before === undefined ? undefined : `c${before}`));
      if (random(6) === 0) open.push(id);
      else rows.append(ended(id, tool));
    }
    if (random(4) > 0) continue;
    items.update(rows.list, VIEW);
    const anew = new Items();
    anew.update(rows.list, VIEW);
    assert.deepEqual(words(withoutFirstRun(items.all)), words(withoutFirstRun(anew.all)), `after event ${id}`);
  }
  assert.ok(rows.dropped_events > 0);
});

test("filters: kind, tool, status, path, run; a gap is always said", () => {
  const rows = rowsOf(said(1), ...done(2, "Read"), started(3, "Bash"), { ...said(4), run_id: "second" });
  rows.appendGap({ agent_id: "agent", from: 9, to: 9, count: 1, reason: "elided" });
  const only = (filter: Partial<View["filter"]>): string[] => itemsOf(rows, { ...VIEW, filter: { ...NO_FILTER, ...filter } });
  assert.deepEqual(only({ kinds: ["text"] }), ["1", "4", "gap-9-9"]);
  assert.deepEqual(only({ tools: ["Bash"] }), ["3", "gap-9-9"]);
  assert.deepEqual(only({ status: "running" }), ["3", "gap-9-9"]);
  assert.deepEqual(only({ status: "succeeded" }), ["2", "gap-9-9"]);
  assert.deepEqual(only({ path: "SRC/2" }), ["2", "gap-9-9"]);
  assert.deepEqual(only({ run_id: "second" }), ["4", "gap-9-9"]);
});

test("however rows come, fold, are looked at and are left out, what is kept and its heights are as made anew", () => {
  const random = randomly(23);
  const views: View[] = [
    VIEW,
    { ...VIEW, open: new Set(Array.from({ length: 3_000 }, (_, id) => `group-${id}`)) },
    { ...VIEW, filter: { ...NO_FILTER, kinds: ["tool"] } },
    { ...VIEW, filter: { ...NO_FILTER, status: "running" } },
    { ...VIEW, closed: new Set(Array.from({ length: 1_000 }, (_, id) => String(id * 3))) },
  ];
  const items = new Items();
  const heights = new Heights();
  const guess = (index: number): number => 10 + (items.all[index]?.key.length ?? 0);
  let rows = new Rows({ events: 600, characters: Infinity });
  let view = VIEW;
  const open: number[] = [];
  for (let id = 1; id < 3_000; id += 1) {
    const agent_id = `agent-${random(3)}`;
    const before = open.length > 0 ? open[random(open.length)] : undefined;
    const choice = random(10);
    if (choice === 0) rows.append({ ...said(id), agent_id });
    else if (choice < 3 && before !== undefined) rows.append(ended(before, "Read", random(4) > 0));
    else {
      rows.append(started(id, random(4) > 0 ? "Read" : "Task", choice === 3 && before !== undefined ? `c${before}` : undefined));
      if (random(5) === 0) open.push(id);
      else rows.append(ended(id, "Read"));
    }
    if (random(100) === 0) view = views[random(views.length)] ?? VIEW;
    if (random(200) === 0) view = { ...VIEW, held: groupsOf(items.all) };
    if (random(700) === 0) rows = new Rows({ events: 600, characters: Infinity });
    if (random(3) > 0) continue;
    items.update(rows.list, view);
    heights.update(items.list, guess);
    const anew = new Items();
    anew.update(rows.list, view);
    // What was inside a closed sub-agent stays hidden when the call that began it goes.
    if (rows.dropped_events > 0 && view.closed.size > 0) continue;
    assert.deepEqual(withoutFirstRun(items.all), withoutFirstRun(anew.all), `after event ${id}`);
    assert.equal(heights.count, items.all.length);
    assert.equal(heights.total, items.all.reduce((sum, _, index) => sum + guess(index), 0));
  }
});

test("what arrives at the end of a hundred thousand rows costs little of a frame", () => {
  const rows = new Rows({ events: Infinity, characters: Infinity });
  for (let id = 1; id <= 100_000; id += 1) rows.append(id % 3 === 0 ? said(id) : started(id, "Read"));
  const items = new Items();
  const heights = new Heights();
  const look = (): void => {
    items.update(rows.list, VIEW);
    heights.update(items.list, () => 32);
  };
  look();
  const began = performance.now();
  for (let round = 0; round < 100; round += 1) {
    for (let id = 0; id < 20; id += 1) rows.append(said(200_000 + round * 20 + id));
    look();
  }
  const frame_ms = (performance.now() - began) / 100;
  assert.ok(frame_ms < 3, `${frame_ms} ms`);
});
