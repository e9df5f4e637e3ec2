// What the agent is at this second, below everything; a finished run says so in the list itself.

import { silentSince } from "../client/attention.ts";
import { countWords } from "../client/sentences.ts";
import { atWork } from "../client/town_store.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState } from "../protocol/protocol.ts";
import { activitySentence } from "./agent_status.tsx";
import { AgentWarnings } from "./agent_work.tsx";
import { sinceText } from "./format.ts";
import { useNow } from "./hooks.ts";

export function AgentNow({ agent }: { agent: AgentState }) {
  const working = atWork(agent);
  const now_ms = useNow(working);
  if (!working) return null;
  const isAsking = agent.questions.length > 0;
  const others = agent.outstanding_tool_calls.length - 1;
  return (
    <>
      <AgentWarnings agent={agent} now_ms={now_ms} />
      {/* A question says itself what the agent is at. */}
      {!isAsking && (
        <div class="now">
          <span class="pulse" aria-hidden="true" />
          <span class="now-sentence" role="status">
            {visibleText(activitySentence(agent, now_ms))}
            {others > 0 ? ` and ${countWords(others, "other call", "other calls")}` : ""}
          </span>
          {agent.activity !== null && silentSince(agent) === null && <span class="soft">{sinceText(agent.activity.since, now_ms)}</span>}
        </div>
      )}
    </>
  );
}
