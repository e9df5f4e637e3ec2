// An agent that was deleted is not shown any more, whether this tab was told so or was away.

import assert from "node:assert/strict";
import { test } from "node:test";
import { agentState } from "../testing/agent_state.ts";
import { event, FakeTown, hello, settled } from "../testing/fake_town.ts";
import { TownStream } from "./stream.ts";
import { TownStore } from "./town_store.ts";

const immediately = (call: () => void): void => call();
const shown = (store: TownStore): string[] => store.agents().map(({ agent_id }) => agent_id).sort();
const logged = (store: TownStore, agent_id: string): number[] => store.log(agent_id).events().map(({ id }) => id);

async function watched(...agent_ids: string[]): Promise<{ town: FakeTown; store: TownStore; stream: TownStream }> {
  const town = new FakeTown();
  const store = new TownStore(immediately);
  const stream = new TownStream(town.edges(), store);
  stream.start();
  await settled();
  town.latest.open();
  town.latest.send(hello(town.epoch, 0, false));
  for (const agent_id of agent_ids) town.latest.send({ type: "state", agent: agentState({ agent_id, run_number: 2, first_event_id: 1 }) });
  town.latest.send({ type: "caught_up", id: 0 });
  return { town, store, stream };
}

test("one that the town says is deleted goes with all that it did", async () => {
  const { town, store, stream } = await watched("agent", "other");
  const everything = store.everything;
  town.happen(event(1), { ...event(2), agent_id: "other" });
  town.latest.send({ type: "agent_deleted", agent_id: "agent" });
  assert.deepEqual([shown(store), logged(store, "agent"), logged(store, "other")], [["other"], [], [2]]);
  assert.deepEqual(everything.events().map(({ id }) => id), [2]);
  stream.stop();
});

test("one whose state is not sent again after a cut is gone once all states are here", async () => {
  const { town, store, stream } = await watched("agent", "other", "started here");
  town.happen(event(1));
  town.latest.cut();
  await town.clock.pass(5_000);
  town.latest.open();
  town.latest.send(hello(town.epoch, 1, false));
  town.latest.send({ type: "state", agent: agentState({ agent_id: "other" }) });
  assert.deepEqual(shown(store), ["agent", "other", "started here"], "it may still come");
  // What the town answered this tab meanwhile is there, though the stream's states are older.
  store.offerAgent(agentState({ agent_id: "started here", run_number: 3, first_event_id: 2 }));
  town.latest.send({ type: "caught_up", id: 1 });
  assert.deepEqual([shown(store), logged(store, "agent")], [["other", "started here"], []]);
  // Nothing is taken away by a later pause of the stream.
  town.latest.send({ type: "caught_up", id: 1 });
  assert.deepEqual(shown(store), ["other", "started here"]);
  stream.stop();
});

test("a new agent under the id of one that was deleted while this tab was away has nothing of that one", async () => {
  const { town, store, stream } = await watched("agent");
  town.happen(event(1));
  town.latest.cut();
  await town.clock.pass(5_000);
  town.latest.open();
  town.latest.send(hello(town.epoch, 2, false));
  town.latest.send({ type: "state", agent: agentState({ agent_id: "agent", run_number: 1, first_event_id: 2 }) });
  town.latest.send({ type: "events", events: [event(2)], backfill: true });
  town.latest.send({ type: "caught_up", id: 2 });
  assert.deepEqual(logged(store, "agent"), [2]);
  // Its next run is its own, and a state of the same run changes nothing.
  town.latest.send({ type: "state", agent: agentState({ agent_id: "agent", run_number: 2, first_event_id: 3 }) });
  assert.deepEqual(logged(store, "agent"), [2]);
  stream.stop();
});
