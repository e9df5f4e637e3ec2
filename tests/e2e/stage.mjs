// A town with an agent in every state that a person can meet, all of them played from recordings of real agents.

import { recorded, standIns } from "../live/stand_ins.mjs";
import { must, startWorld } from "../worker/harness.mjs";
import { until } from "../worker/until.mjs";
import { ASKING, postWork, WORKING } from "./posted_work.mjs";

const COUNTING = ["sh", "-c", "i=0; while [ $i -lt 1200 ]; do echo line $i; i=$((i+1)); sleep 0.5; done"];

/** Starts a world whose container has stand-ins for OpenCode and Kilo. */
export async function startStage(options = {}) {
  process.env.PATH = `${standIns()}:${process.env.PATH}`;
  return startWorld(options);
}

/** Fills a town and waits until each agent stands where it is meant to stand; `posted` is one of agents that post. */
export async function fillTown(world, name = "Riverside") {
  const town = await world.town(name);
  const start = (agent_id, agent_name, order) => world.startAgent(town, { agent_id, name: agent_name, ...order });
  const replay = (transcript, speed = 0) => ({ runtime: "replay", transcript, speed });
  const state = async (agent_id) => must(await world.api("GET", `${town.path}/agents/${agent_id}`));
  const untilIs = (agent_id, is) => until(`${agent_id} to be there`, async () => is(await state(agent_id)), 60_000);
  const ended = (agent_id) => untilIs(agent_id, ({ exit }) => exit !== null);

  // A run is lost with the container that it was in.
  await start("lost", "Migrate the tables", { runtime: "process", command: COUNTING });
  await untilIs("lost", ({ status }) => status === "running");
  await world.control.kill();
  await world.control.start();
  await ended("lost");

  await start("mayor", "Mayor Quimby", { role: "mayor", ...recorded("opencode", "basic") });
  await start("asks", "Tidy the build", recorded("opencode", "permission-ask"));
  await start("failed", "Upgrade the client", replay("err400"));
  await start("subagent", "Review the parser", replay("subagent"));
  await start("codex", "Write the tests", replay("codex/parallel"));
  await start("gemini", "Explain the cache", replay("gemini/basic"));
  await start("volume", "Rename across the tree", replay("volume320"));
  for (const one of ["failed", "subagent", "codex", "gemini", "volume"]) await ended(one);
  await start("running", "Fix the failing test", replay("basic", 0.02));
  await start("counting", "Watch the log", { runtime: "process", role: "witness", command: COUNTING });
  await untilIs("asks", ({ questions }) => questions.length > 0);
  await untilIs("mayor", ({ status }) => status === "waiting");
  await untilIs("running", ({ tool_call_count }) => tool_call_count > 0);
  const posted = await world.town("Hillside");
  await postWork(world, posted, { ...ASKING, ...WORKING });
  return { ...town, posted };
}
