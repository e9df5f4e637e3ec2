import assert from "node:assert/strict";
import { test } from "node:test";
import type { Urgency } from "./errands.ts";
import { nextErrand } from "./errands.ts";

const waiting = (urgency: Urgency, due_ms = 0) => ({ wish: { agent_id: null, query: "", urgency }, due_ms });
const next = (all: Urgency[], under_way: Urgency[] = []): Urgency | undefined => nextErrand(all.map((urgency) => waiting(urgency)), under_way, 5)?.wish.urgency;

test("what somebody waits for goes first, then the newest of what is looked at, then the rest", () => {
  assert.equal(next(["idle", "soon", "first", "asked"]), "asked");
  assert.equal(next(["idle", "soon", "first"]), "first");
  assert.equal(next(["idle", "soon"]), "soon");
  assert.equal(next(["idle"]), "idle");
  assert.equal(next([]), undefined);
});

test("two are under way at most, and what nobody waits for only alone", () => {
  assert.equal(next(["asked"], ["idle"]), "asked");
  assert.equal(next(["first"], ["asked"]), "first");
  assert.equal(next(["asked"], ["asked", "first"]), undefined);
  assert.equal(next(["idle", "soon"], ["first"]), undefined);
});

test("what failed waits its time, and others go before it", () => {
  const [failed, other] = [waiting("asked", 6), waiting("idle", 5)];
  assert.equal(nextErrand([failed, other], [], 5), other);
  assert.equal(nextErrand([failed], [], 5), null);
  assert.equal(nextErrand([failed], [], 6), failed);
});
