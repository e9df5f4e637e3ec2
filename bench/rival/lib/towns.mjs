// Towns of either of the two, and what is posted to them: events of some 300 bytes that say when they were sent.

import { Connection } from "../../lib/connection.mjs";
import { now } from "../../lib/crowd.mjs";

const TEXT = "x".repeat(190);
let posted = 0;

/** A new town with `rigs` rigs and `agents` agents, which are dealt out to them, and a connection to its Worker. */
export async function newTown(world, { agents = 1, rigs = 1 } = {}) {
  const connection = await Connection.open(world);
  const { town_id } = await connection.must("POST", "/api/towns", { name: "Bench" }, 201);
  const path = `/api/towns/${town_id}`;
  const town = { world, connection, town_id, path, stream: `${path}/stream`, rig_ids: /** @type {string[]} */ ([]), agents: /** @type {{ agent_id: string, rig_id: string }[]} */ ([]), head: 0 };
  for (let rig = 0; rig < rigs; rig += 1) town.rig_ids.push((await connection.must("POST", `${path}/rigs`, { name: `rig ${rig}` }, 201)).rig_id);
  for (let index = 0; index < agents; index += 1) {
    const [rig_id, agent_id] = [town.rig_ids[index % rigs], `agent-${index}`];
    await connection.must("POST", `/api/rigs/${rig_id}/agents`, { agent_id, name: agent_id, role: "polecat" }, 201);
    town.agents.push({ agent_id, rig_id });
  }
  return town;
}

const event = () => ({
  event_type: "agent_output",
  event_id: `event-${++posted}`,
  data: { sent: now(), text: TEXT, stream: "assistant" },
});

/** Posts `count` events of an agent at once: one alone, or a list. */
export async function post(town, { agent_id, rig_id }, count) {
  town.head += count;
  const body = count === 1 ? { agent_id, ...event() } : { agent_id, events: Array.from({ length: count }, event) };
  await town.connection.must("POST", `/api/rigs/${rig_id}/agent-events`, body, 201);
}

/** Posts that many events of an agent, as many at once as may be. */
export async function fill(town, agent, count) {
  for (let rest = count; rest > 0; rest -= 500) await post(town, agent, Math.min(rest, 500));
}
