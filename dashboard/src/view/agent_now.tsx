// What the agent is at this second, below everything; a finished run says so in the list itself.

import { countWords } from "../client/sentences.ts";
import { atWork } from "../client/town_store.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState } from "../protocol/protocol.ts";
import { activitySentence } from "./agent_status.tsx";
import { sinceText } from "./format.ts";
import { useNow } from "./hooks.ts";

export function AgentNow({ agent }: { agent: AgentState }) {
  const working = atWork(agent);
  const now_ms = useNow(working);
  if (!working) return null;
  const others = agent.outstanding_tool_calls.length - 1;
  return (
    <div class="now">
      <span class="pulse" aria-hidden="true" />
      <span class="now-sentence" role="status">
        {visibleText(activitySentence(agent))}
        {others > 0 ? ` and ${countWords(others, "other call", "other calls")}` : ""}
      </span>
      {agent.activity !== null && <span class="soft">{sinceText(agent.activity.since, now_ms)}</span>}
    </div>
  );
}
