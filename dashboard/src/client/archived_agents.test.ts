// An agent that is archived leaves the town's list and is still known by its id, whether this tab was told so or was away.

import assert from "node:assert/strict";
import { test } from "node:test";
import { agentState } from "../testing/agent_state.ts";
import { TownStore } from "./town_store.ts";

const archived_at = "2026-11-22T12:00:00.000Z";
const shown = (store: TownStore): string[] => store.agents().map(({ agent_id }) => agent_id);

function live(): TownStore {
  const store = new TownStore((call) => call());
  store.connection({ kind: "live", transport: "web_socket" });
  for (const agent_id of ["away", "kept"]) store.state(agentState({ agent_id }));
  return store;
}

test("one that is archived leaves the list, and is back when the town says so", () => {
  const store = live();
  store.state(agentState({ agent_id: "away", archived_at }));
  assert.deepEqual([shown(store), store.agent("away")?.archived_at, store.archiveMoves], [["kept"], archived_at, 1]);
  store.state(agentState({ agent_id: "away" }));
  assert.deepEqual([shown(store).sort(), store.archiveMoves], [["away", "kept"], 2]);
});

test("the states of a town's stream take none away that are archived", () => {
  const store = live();
  store.state(agentState({ agent_id: "away", archived_at }));
  store.statesFollow();
  store.state(agentState({ agent_id: "kept" }));
  store.statesAreHere(9);
  assert.equal(store.agent("away")?.archived_at, archived_at);
});

test("one that is looked up in the archive is no news, and one that is deleted there is counted", () => {
  const store = live();
  const told: string[] = [];
  store.listenToNews(({ kind }) => told.push(kind));
  store.offerAgent(agentState({ agent_id: "old", archived_at, status: "failed", exit: { reason: "failed" } }));
  assert.deepEqual([told, shown(store).sort()], [[], ["away", "kept"]]);
  const moves = store.archiveMoves;
  store.agentDeleted("old");
  store.agentDeleted("never seen");
  store.agentDeleted("kept");
  assert.equal(store.archiveMoves, moves + 2);
});

test("the log of one that was archived while this tab was away is not taken for an empty one", () => {
  const store = live();
  store.state(agentState({ agent_id: "away" }));
  const [{ everything }, log] = [store, store.log("away")];
  store.statesFollow();
  store.state(agentState({ agent_id: "kept" }));
  store.statesAreHere(9);
  assert.deepEqual([store.agent("away"), log.begins_behind, everything.begins_behind], [undefined, 9, 9]);
});
