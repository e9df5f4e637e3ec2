import type { Api } from "../client/api.ts";
import { countWords } from "../client/sentences.ts";
import { atWork } from "../client/town_store.ts";
import type { AgentState } from "../protocol/protocol.ts";
import { activitySentence, ProgressBar, standing, StatusPill, StopButton } from "./agent_status.tsx";
import { costText, elapsedText, momentWords, runtimeName, sinceText, tokensText, tokensTitle } from "./format.ts";
import { Link } from "./link.tsx";
import { agentPath } from "./route.ts";

interface AgentCardProps {
  readonly api: Api;
  readonly town_id: string;
  readonly agent: AgentState;
  readonly now_ms: number;
}

/** One agent in the town: the whole card leads to its page, only the stop button lies on top of that. */
export function AgentCard({ api, town_id, agent, now_ms }: AgentCardProps) {
  const working = atWork(agent);
  const since = agent.activity?.since ?? null;
  const { tone } = standing(agent);
  return (
    <article class={`card agent ${tone}`}>
      <header>
        <h2>
          <Link to={agentPath(town_id, agent.agent_id)} class="cover">
            {agent.name}
          </Link>
        </h2>
        <StatusPill agent={agent} />
      </header>
      <p class="soft kind">
        {agent.role} · {runtimeName(agent.runtime)}
        {agent.run_number > 1 ? ` · run ${agent.run_number}` : ""}
        {agent.started_at !== null && (
          <span title={`Started ${momentWords(agent.started_at)}`}> · {elapsedText(agent, now_ms)}</span>
        )}
      </p>
      <p class="activity-now">
        <span class="sentence">{activitySentence(agent)}</span>
        {working && since !== null && (
          <span class="soft"> {sinceText(since, now_ms)}</span>
        )}
      </p>
      <ProgressBar agent={agent} />
      <footer>
        <span>{countWords(agent.tool_call_count, "call", "calls")}</span>
        <span title={tokensTitle(agent.usage)}>{tokensText(agent.usage)}</span>
        <span>{costText(agent.usage)}</span>
        <StopButton api={api} town_id={town_id} agent={agent} />
      </footer>
    </article>
  );
}
