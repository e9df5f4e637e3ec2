// Starting agents, with the town and the rig that they need made on the way.

import type { AgentState, StartAgent } from "../protocol/protocol.ts";
import type { Api } from "./api.ts";

const TOWN_NAME = "My town";
const RIG_NAME = "demo";
/** The recording is 0.7 s long, since a script played the model; this makes it as long as one can follow. */
const DEMO_SPEED = 0.06;

export interface Started {
  readonly town_id: string;
  readonly agent: AgentState;
}

/** Starts the bundled recording. Without `town_id` a first town is made for it. */
export function startDemo(api: Api, town_id: string | null): Promise<Started> {
  return startAgent(api, town_id, { name: "Demo", role: "polecat", runtime: "replay", transcript: "demo", speed: DEMO_SPEED });
}

/** Starts an agent in the town's first rig; makes town and rig where there is none yet. */
export async function startAgent(api: Api, town_id: string | null, agent: Omit<StartAgent, "rig_id">): Promise<Started> {
  const town = town_id ?? (await api.createTown(TOWN_NAME)).town_id;
  const { rigs } = await api.town(town);
  const rig_id = rigs[0]?.rig_id ?? (await api.createRig(town, { name: RIG_NAME })).rig_id;
  return { town_id: town, agent: await api.startAgent(town, { rig_id, ...agent }) };
}
