// A town in which much has happened: 23 agents at work, three of which have posted as much as the town keeps of one.

import { expectedOf } from "../oracle/claude_code.mjs";
import { must } from "../worker/harness.mjs";

/** Events that the town keeps of an agent. */
const EVENT_CAP = 2_000;
const BATCH_EVENTS = 250;
const COUNTS = Array.from({ length: 23 }, (_, index) => (index < 3 ? EVENT_CAP + BATCH_EVENTS : 60));

const categories = { Read: "Reading", Write: "Writing", Edit: "Editing", Bash: "Running" };

/** The recording's steps as events, over and over, each time under other ids. */
export function* recordedEvents() {
  const { steps } = expectedOf("volume320");
  for (let round = 0; ; round += 1) {
    for (const step of steps) {
      if (step.kind === "text") yield { event_type: "agent_output", data: { text: step.text.slice(0, 3_000), stream: "assistant" } };
      if (step.kind === "call") {
        const summary = `${categories[step.tool] ?? "Using"} ${step.input.file_path ?? step.input.command ?? step.tool}`;
        const data = { tool_use_id: `${round}-${step.tool_use_id}`, tool: step.tool, category: step.tool, input: step.input, summary };
        yield { event_type: "agent_tool_call", data };
        // What a program prints lies between its calls, of every length.
        yield { event_type: "agent_output", data: { text: `${step.tool} `.repeat(1 + (data.tool_use_id.length * 7 + round) % 60), stream: "assistant" } };
      }
      if (step.kind === "result") {
        const content = step.text.slice(0, 2_000);
        const data = { tool_use_id: `${round}-${step.tool_use_id}`, success: step.success, content, content_length: step.content_length, duration_ms: 20 };
        yield { event_type: "agent_tool_result", data };
      }
    }
  }
}

/** The next so many of them. */
export const take = (events, count) => Array.from({ length: count }, () => events.next().value);

/** Fills a town; gives the names of its agents, the busiest first. */
export async function crowdedTown(world) {
  const town = await world.town("Crowded");
  const agents = COUNTS.map((_, index) => `agent-${index}`);
  for (const [index, agent] of agents.entries()) {
    await world.registerAgent(town, agent);
    const events = recordedEvents();
    for (let left = COUNTS[index]; left > 0; left -= BATCH_EVENTS) {
      must(await world.post(town, agent, take(events, Math.min(left, BATCH_EVENTS))), 201);
    }
  }
  return { town, agents };
}
