import assert from "node:assert/strict";
import { test } from "node:test";
import { agentState } from "../testing/agent_state.ts";
import { Changes } from "./changes.ts";
import { Listeners } from "./listeners.ts";
import { TownStore } from "./town_store.ts";

/** Runs each turn at once and notes what it throws, as a browser's frame does. */
function turns() {
  const reported: unknown[] = [];
  const schedule = (call: () => void): void => {
    try {
      call();
    } catch (thrown) {
      reported.push(thrown);
    }
  };
  return { reported, schedule };
}

test("a listener that fails harms no other, and what it threw is reported once", () => {
  const { reported, schedule } = turns();
  const listeners = new Listeners<number>(schedule);
  const heard: number[] = [];
  const failure = new Error("no");
  listeners.add(() => {
    throw failure;
  });
  const end = listeners.add((number) => void heard.push(number));
  for (const number of [1, 2]) listeners.tell(number);
  end();
  listeners.tell(3);
  assert.deepEqual([heard, reported], [[1, 2], [failure]]);
});

test("a view that fails does not keep the others from hearing of a change", () => {
  const { reported, schedule } = turns();
  const changes = new Changes(schedule);
  let heard = 0;
  changes.listen(() => {
    throw new Error("no");
  });
  changes.listen(() => {
    heard += 1;
  });
  for (let time = 0; time < 3; time += 1) changes.touch();
  assert.deepEqual([heard, reported.length], [3, 1]);
});

test("a state is stored before anyone is told of it, and whoever is told may fail", () => {
  const { reported, schedule } = turns();
  const store = new TownStore(schedule);
  const known: unknown[] = [];
  store.listenToNews(({ agent }) => {
    known.push(store.agent(agent.agent_id)?.status);
    throw new Error("Illegal constructor");
  });
  store.connection({ kind: "live", transport: "web_socket" });
  store.state(agentState({ status: "running", run_id: "run" }));
  store.state(agentState({ status: "failed", run_id: "run", exit: { reason: "failed", exit_code: 1, signal: null, message: null, at: "" } as never }));
  assert.equal(store.agent("agent")?.status, "failed");
  assert.deepEqual(known, ["failed"]);
  assert.equal(reported.length, 1);
});
