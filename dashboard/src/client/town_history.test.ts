// The past of a town that is fetched on demand: nothing is missing, doubled or out of order, whatever happens meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventsPage, TownEvent } from "../protocol/protocol.ts";
import { agentState } from "../testing/agent_state.ts";
import { event, events, FakeTown, hello, settled } from "../testing/fake_town.ts";
import { ApiFailure } from "./api.ts";
import type { EventLog } from "./event_log.ts";
import { TownStream } from "./stream.ts";
import { TownHistory } from "./town_history.ts";
import { TownStore } from "./town_store.ts";

const atOnce = (call: () => void): void => call();
const ids = (log: EventLog): number[] => log.events().map(({ id }) => id);
const upTo = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, index) => first + index);
const of = (agent_id: string, ...all: TownEvent[]): TownEvent[] => all.map((one) => ({ ...one, agent_id }));

/** A page that was asked for and is not answered yet. */
interface Asked {
  readonly agent_id: string | null;
  readonly query: string;
  answer(): Promise<void>;
  fail(failure: unknown): Promise<void>;
}

async function watching(town = new FakeTown()) {
  const store = new TownStore(atOnce);
  const asked: Asked[] = [];
  const readPage = (agent_id: string | null, query: string): Promise<EventsPage> =>
    new Promise((resolve, reject) => {
      const done = async (end: () => void): Promise<void> => {
        end();
        await settled();
      };
      asked.push({ agent_id, query, answer: () => done(() => resolve(town.page(agent_id, query))), fail: (failure) => done(() => reject(failure)) });
    });
  const history = new TownHistory(store, readPage, town.clock);
  const stream = new TownStream(town.edges(), store);
  stream.start();
  await settled();
  /** Answers all that is asked for, until nothing is. */
  const answerAll = async (): Promise<string[]> => {
    const queries: string[] = [];
    for (;;) {
      await town.clock.pass(50);
      const next = asked.shift();
      if (next === undefined) return queries;
      queries.push(next.query);
      await next.answer();
    }
  };
  return { town, store, history, stream, asked, answerAll };
}

async function live(town: FakeTown) {
  const watched = await watching(town);
  town.join();
  return watched;
}

function townOf(count: number): FakeTown {
  const town = new FakeTown();
  town.log = events(1, count);
  return town;
}

test("nothing is fetched before the stream is live, and then only what is looked at", async () => {
  const town = townOf(50);
  const { history, store, asked, answerAll } = await watching(town);
  history.look("agent");
  await town.clock.pass(1_000);
  assert.deepEqual([asked.length, history.of("agent").standing], [0, "coming"]);
  town.join();
  assert.deepEqual(asked.map(({ query }) => query), ["before_id=51&limit=100"]);
  await answerAll();
  assert.deepEqual([ids(store.log("agent")), history.of("agent")], [upTo(1, 50), { standing: "whole", problem: null }]);
  assert.deepEqual(store.log("other").events(), []);
});

test("a short page first, then longer ones, up to the log's beginning", async () => {
  const town = new FakeTown();
  town.log = [...of("other", event(1)), ...events(2, 1_300)];
  const { history, store, answerAll } = await live(town);
  history.look("agent");
  assert.deepEqual(await answerAll(), ["before_id=1301&limit=100", "before_id=1201&limit=500", "before_id=701&limit=500", "before_id=201&limit=500", "after_id=0&limit=1"]);
  assert.deepEqual(ids(store.log("agent")), upTo(2, 1_300));
});

test("what happens while a page is under way comes once and in order", async () => {
  const { town, history, store, asked, answerAll } = await live(townOf(150));
  history.look("agent");
  town.happen(...events(151, 153));
  assert.deepEqual(ids(store.log("agent")), [151, 152, 153]);
  town.log.push(event(154));
  await asked.shift()?.answer();
  town.latest.send({ type: "events", events: [event(154)], backfill: false });
  await answerAll();
  assert.deepEqual(ids(store.log("agent")), upTo(1, 154));
});

test("an answer of another life of the log is dropped, and that life's own is fetched", async () => {
  const { town, history, store, stream, asked, answerAll } = await live(townOf(150));
  history.look("agent");
  const late = asked.shift();
  town.epoch = "second";
  town.log = events(1, 3).map((one) => ({ ...one, data: { text: "of the second", stream: "assistant" } }));
  // Another life's page, before the stream has heard of it.
  await late?.answer();
  assert.deepEqual(ids(store.log("agent")), []);
  town.latest.cut();
  await town.clock.pass(200);
  town.join();
  await settled();
  town.join();
  assert.equal(stream.position.epoch, "second");
  await answerAll();
  assert.deepEqual([ids(store.log("agent")), history.of("agent").standing], [[1, 2, 3], "whole"]);
});

test("a page of the old life that comes after the reset is dropped", async () => {
  const { town, history, store, asked, answerAll } = await live(townOf(150));
  history.look("agent");
  const late = asked.shift();
  const old = town.page("agent", late?.query ?? "");
  town.epoch = "second";
  town.log = events(1, 3);
  town.latest.cut();
  await town.clock.pass(200);
  town.join();
  await settled();
  town.join();
  town.page = () => old;
  await late?.answer();
  assert.deepEqual(ids(store.log("agent")), []);
  town.page = FakeTown.prototype.page;
  await town.clock.pass(200);
  await answerAll();
  assert.deepEqual(ids(store.log("agent")), [1, 2, 3]);
});

test("what was fetched of an agent that is deleted meanwhile does not come back", async () => {
  const town = townOf(150);
  town.log.push(...of("other", event(151)));
  const { history, store, asked, answerAll } = await live(town);
  for (const agent_id of ["agent", "other"]) town.latest.send({ type: "state", agent: agentState({ agent_id }) });
  history.look("agent");
  history.look(null);
  const pages = asked.splice(0);
  town.latest.send({ type: "agent_deleted", agent_id: "agent" });
  for (const page of pages) await page.answer();
  assert.deepEqual([ids(store.log("agent")), ids(store.everything)], [[], []]);
  town.log = town.log.filter(({ agent_id }) => agent_id !== "agent");
  await answerAll();
  assert.deepEqual([ids(store.log("agent")), ids(store.everything)], [[], [151]]);
  // A new agent has its id.
  town.happen(event(152));
  await answerAll();
  assert.deepEqual([ids(store.log("agent")), ids(store.everything), history.of("agent").standing], [[152], [151, 152], "whole"]);
});

test("an agent that the town does not know has no past", async () => {
  const { history, asked } = await live(townOf(0));
  history.look("nobody");
  await asked.shift()?.fail(new ApiFailure(404, "not_found", "no such agent"));
  assert.deepEqual([asked.length, history.of("nobody").standing], [0, "whole"]);
});

test("what is pruned before it was fetched is said, and what was fetched before that stays", async () => {
  const { town, history, store, asked, answerAll } = await live(townOf(900));
  history.look("agent");
  await asked.shift()?.answer();
  town.prune("agent", 500);
  await answerAll();
  const log = store.log("agent");
  assert.deepEqual([ids(log), log.hasLost], [upTo(501, 900), true]);
  const [gap] = log.rows.all;
  assert.ok(gap?.kind === "gap" && gap.text.startsWith("500 events from before this are gone"));

  const other = await live(townOf(900));
  other.history.look("agent");
  await other.asked.shift()?.answer();
  other.town.prune("agent", 850);
  await other.answerAll();
  assert.deepEqual(ids(other.store.log("agent")), upTo(801, 900));
  const [clipped] = other.store.log("agent").rows.all;
  assert.ok(clipped?.kind === "gap" && /^Events up to number 800/.test(clipped.text), "what is here is not said to be gone");
});

test("what fails says so, is tried again with the client's back-off, and at once when the stream is live again", async () => {
  const { town, history, store, asked, answerAll } = await live(townOf(20));
  history.look("agent");
  await asked.shift()?.fail(new ApiFailure(503, "town_unavailable", "Busy."));
  assert.deepEqual([asked.length, history.of("agent")], [0, { standing: "coming", problem: "Busy." }]);
  await town.clock.pass(100);
  await asked.shift()?.fail(new ApiFailure(429, "rate_limited", "Slower.", 7_000));
  await town.clock.pass(6_900);
  assert.equal(asked.length, 0);
  await town.clock.pass(200);
  await asked.shift()?.fail(new ApiFailure(0, "unreachable", "Gone."));
  town.latest.cut();
  await town.clock.pass(10_000);
  assert.equal(asked.length, 0, "without a connection nothing is asked");
  town.join();
  assert.equal(asked.length, 1);
  await answerAll();
  assert.deepEqual([ids(store.log("agent")), history.of("agent").problem], [upTo(1, 20), null]);
});

test("who asks for an event gets all back to it, and is told when that fails", async () => {
  const { town, history, store, asked, answerAll } = await live(townOf(3_000));
  const reached = history.reach("agent", 2_100);
  assert.deepEqual(await answerAll(), ["before_id=3001&limit=500", "before_id=2501&limit=500"]);
  await reached;
  assert.deepEqual(ids(store.log("agent")), upTo(2_001, 3_000));
  const failing = history.reach("agent", 5).then(() => "", (failure: Error) => failure.message);
  await asked.shift()?.fail(new ApiFailure(503, "town_unavailable", "Busy."));
  assert.equal(await failing, "Busy.");
  await town.clock.pass(60_000);
  assert.equal(asked.length, 0, "nobody waits for it any more");
  const beyond = history.reach("agent", 0);
  await answerAll();
  await beyond;
  assert.deepEqual(ids(store.log("agent")), upTo(1, 3_000));
});

test("stops at what a tab keeps, and goes on when it is asked", async () => {
  const { history, store, answerAll } = await live(townOf(6_000));
  history.look("agent");
  await answerAll();
  assert.deepEqual([ids(store.log("agent")), history.of("agent").standing], [upTo(1_001, 6_000), "partial"]);
  const older = history.older("agent");
  await answerAll();
  await older;
  assert.deepEqual([ids(store.log("agent")), history.of("agent").standing], [upTo(501, 6_000), "partial"]);
});

test("who looks away ends it, and finds what has come when they are back", async () => {
  const { history, store, asked, answerAll } = await live(townOf(2_000));
  const end = history.look("agent");
  for (let page = 0; page < 2; page += 1) {
    await asked.shift()?.answer();
    await settled();
  }
  end();
  await answerAll();
  const had = ids(store.log("agent")).length;
  assert.ok(had >= 100 && had < 2_000, `${had}`);
  history.look("agent");
  await answerAll();
  assert.deepEqual(ids(store.log("agent")), upTo(1, 2_000));
});

test("two pages are under way at most", async () => {
  const town = new FakeTown();
  town.log = upTo(1, 60).flatMap((id) => of(`agent ${id % 6}`, event(id)));
  const { history, asked, answerAll } = await live(town);
  for (let agent = 0; agent < 6; agent += 1) history.look(`agent ${agent}`);
  assert.equal(asked.length, 2);
  await answerAll();
  assert.equal(history.of("agent 5").standing, "whole");
});

test("the list of all agents begins with what the stream told, whatever their own logs have", async () => {
  const town = new FakeTown();
  town.log = upTo(1, 400).flatMap((id) => of(id % 2 === 0 ? "even" : "odd", event(id)));
  const { history, store, answerAll } = await live(town);
  history.look("even");
  await answerAll();
  town.happen(...of("odd", event(401)));
  assert.deepEqual(ids(store.everything), [401]);
  history.look(null);
  await answerAll();
  assert.deepEqual(ids(store.everything), upTo(1, 401));
});

test("counts what happened since the last look, by the kinds that count, and while nobody waits", async () => {
  const town = townOf(0);
  const file = (id: number): TownEvent => event(id, "file_changed", { path: `file ${id}`, action: "modified" });
  town.log = upTo(1, 400).map((id) => (id % 2 === 0 ? file(id) : event(id)));
  const { store, history, asked, answerAll } = await watching(town);
  store.awaySince(390);
  town.join();
  assert.equal(asked.length, 0, "only who looks at the town is told");
  history.lookAtTown();
  assert.ok(store.digest.lacksPast);
  town.happen(file(401));
  assert.equal(asked.length, 1);
  assert.equal((await answerAll()).length, 1, "one page");
  assert.deepEqual([store.digest.files.latest.map(({ event_id }) => event_id), store.digest.lacksPast], [[401, 400, 398, 396, 394, 392], false]);

  const unchanged = await watching(town);
  unchanged.store.awaySince(401);
  unchanged.history.lookAtTown();
  town.join();
  assert.deepEqual([unchanged.asked.length, unchanged.store.digest.lacksPast], [0, false]);
});

test("of much that happened since the last look the newest counts, and it is said that there was more", async () => {
  const file = (id: number): TownEvent => event(id, "file_changed", { path: `file ${id}`, action: "modified" });
  for (const [count, pages, isPartial] of [[499, 1, false], [1_700, 4, false], [4_000, 5, true]] as const) {
    const town = new FakeTown();
    town.log = upTo(1, count + 10).map(file);
    const { store, history, answerAll } = await watching(town);
    history.lookAtTown();
    store.awaySince(10);
    town.join();
    assert.equal((await answerAll()).length, pages, `${count}`);
    assert.deepEqual([store.digest.files.count, store.digest.files.latest[0]?.event_id, store.digest.isPartial], [isPartial ? 2_000 : count, count + 10, isPartial]);
  }
});

test("fetches the last error of agents whose run failed or goes on, and of no others", async () => {
  const town = new FakeTown();
  const call = (id: number) => event(id, "agent_tool_call", { tool_use_id: `c${id}`, tool: "Bash", category: "Bash", input: {}, summary: "Running make" });
  const failed = event(2, "agent_tool_result", { tool_use_id: "c1", success: false, content: "no rule", content_length: 7, duration_ms: 1 });
  const long_ago = event(4, "agent_error", { code: "x", message: "overcome" });
  const since = upTo(5, 30).map((id) => event(id, "agent_tool_call", { tool_use_id: `c${id}`, tool: "Bash", category: "Bash", input: {}, summary: "Running make" }));
  town.log = [...of("failed", call(1), failed), ...of("ended", event(3, "agent_error", { code: "x", message: "overcome" })), ...of("running", long_ago, ...since)];
  const { store, history, asked, answerAll } = await watching(town);
  history.lookAtTown();
  town.latest.send(hello("first", 30, false));
  const exit = { reason: "failed", exit_code: 1, signal: null, message: "exit code 1" } as never;
  town.latest.send({ type: "state", agent: agentState({ agent_id: "failed", run_id: "run", status: "failed", exit, last_event_id: 2 }) });
  const completed = { reason: "completed", exit_code: 0, signal: null } as never;
  town.latest.send({ type: "state", agent: agentState({ agent_id: "ended", run_id: "run", status: "idle", exit: completed }) });
  town.latest.send({ type: "state", agent: agentState({ agent_id: "running", run_id: "run", status: "running" }) });
  town.latest.send({ type: "caught_up", id: 30 });
  assert.deepEqual(asked.map(({ agent_id }) => agent_id), ["failed"]);
  assert.equal((await answerAll()).length, 2, "the latest of one that goes on, and all of one that failed");
  assert.deepEqual([store.lastError("failed")?.text, store.lastError("failed")?.event_id], ["Running make: no rule", 2]);
  assert.deepEqual([store.lastError("ended"), store.lastError("running")], [null, null]);
  // Its next run has none.
  town.happen(...of("failed", { ...event(31, "agent.status", { status: "starting" }), run_id: "next" }));
  assert.equal(store.lastError("failed"), null);
});

test("a digest counts all that happened, also where large events fill pages early", async () => {
  const town = new FakeTown();
  town.page_events_max = 3;
  town.log = upTo(1, 10).map((id) => event(id, "agent_error", { code: "bad", message: `no credit ${id}` }));
  const { store, history, answerAll } = await watching(town);
  history.lookAtTown();
  store.awaySince(2);
  town.join();
  await answerAll();
  assert.deepEqual([store.digest.failures.count, store.digest.isPartial, store.digest.lacksPast], [8, false, false]);
});

test("what was asked for is put in when it is here, however much else there is", async () => {
  const { town, history, store, asked } = await live(townOf(3_000));
  for (const one of events(3_001, 4_000)) town.happen(one);
  history.look("agent");
  await asked.shift()?.answer();
  const reached = history.reach("agent", 2_600);
  while (asked.length === 0) await town.clock.pass(10);
  await asked.shift()?.answer();
  await reached;
  assert.deepEqual(ids(store.log("agent")), upTo(2_401, 4_000));
});

test("large events wait within the bounds of the log", async () => {
  const town = new FakeTown();
  const large = (id: number): TownEvent => event(id, "agent_output", { text: "x".repeat(100_000), stream: "stdout" });
  town.page_events_max = 80; // 8 MB, as of the town's
  town.log = [...upTo(1, 1_200).map(large), ...events(1_201, 1_202)];
  const { history, store, answerAll } = await live(town);
  for (const one of events(1_203, 3_000)) town.happen(one);
  history.look("agent");
  const queries = await answerAll();
  assert.ok(queries.length <= 6, `${queries.length} pages`);
  assert.equal(history.of("agent").standing, "partial");
  assert.deepEqual(ids(store.log("agent")).slice(-1_798), upTo(1_203, 3_000));
});

test("an agent that is deleted while its past is awaited is awaited no more", async () => {
  const { town, history, store } = await live(townOf(3_000));
  const reached = history.reach("agent", 5);
  store.agentDeleted("agent");
  await reached;
  assert.deepEqual(store.log("agent").events(), []);
  assert.equal(town.head, 3_000);
});

test("a page that does not come is given up in time, and asked for again", async () => {
  const { town, history, store, asked, answerAll } = await live(townOf(50));
  history.look("agent");
  asked.shift();
  await town.clock.pass(30_000);
  assert.equal(history.of("agent").problem, "The town did not answer in time.");
  await town.clock.pass(1_000);
  await answerAll();
  assert.deepEqual([ids(store.log("agent")), history.of("agent").problem], [upTo(1, 50), null]);
});
