// Who the agent is and how it stands.

import type { ComponentChildren } from "preact";
import type { Api } from "../client/api.ts";
import { atWork } from "../client/town_store.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState, RunView } from "../protocol/protocol.ts";
import { ProgressBar, StatusPill, StopButton } from "./agent_status.tsx";
import { AgentWork } from "./agent_work.tsx";
import { ArchiveButton } from "./archive_agent.tsx";
import { DayBudgetControl } from "./day_budget.tsx";
import { DeleteButton } from "./delete_agent.tsx";
import { Fact } from "./fact.tsx";
import { costText, countText, remainingText, runBudgetText, runtimeName, timeTitle, tokensText, tokensTitle, waitedText, workedText } from "./format.ts";
import { useNow } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { Link } from "./link.tsx";
import { PromptLine } from "./prompt_line.tsx";
import { townPath } from "./route.ts";
import { RunMenu } from "./run_menu.tsx";
import { Todos } from "./todos.tsx";
import { TokensButton } from "./tokens_sheet.tsx";

interface AgentHeadProps {
  readonly api: Api;
  readonly town_id: string;
  readonly agent: AgentState | undefined;
  readonly runs: readonly RunView[];
  readonly run_id: string | null;
  readonly chooseRun: (run_id: string | null) => void;
  /** The agent was changed here. */
  readonly changed: (agent: AgentState) => void;
  readonly children: ComponentChildren;
}

export function AgentHead({ api, town_id, agent, runs, run_id, chooseRun, changed, children }: AgentHeadProps) {
  const now_ms = useNow(agent !== undefined && atWork(agent));
  return (
    <div class="agent-head">
      <div class="agent-title">
        <Link to={townPath(town_id)} class="back">
          <Icon name="back" />
          <span class="hidden">Back to the town</span>
        </Link>
        <h1>{visibleText(agent?.name ?? "Agent")}</h1>
        {agent !== undefined && <StatusPill agent={agent} />}
        {agent?.archived_at !== undefined && <span class="soft">archived</span>}
        <span class="soft kind">{agent === undefined ? "" : `${agent.role} · ${runtimeName(agent.runtime)}`}</span>
        {runs.length > 1 && <RunMenu runs={runs} chosen={run_id} choose={chooseRun} />}
        {children}
        {agent !== undefined && (
          <div class="agent-actions">
            <TokensButton api={api} agent={agent} />
            <StopButton api={api} town_id={town_id} agent={agent} />
            <ArchiveButton api={api} town_id={town_id} agent={agent} done={changed} />
            <DeleteButton api={api} town_id={town_id} agent={agent} />
          </div>
        )}
      </div>
      {agent !== undefined && (
        <>
          <PromptLine api={api} town_id={town_id} agent={agent} />
          <Facts agent={agent} now_ms={now_ms} />
          <AgentWork agent={agent} now_ms={now_ms} />
          <ProgressBar agent={agent} />
          <DayBudgetControl whose="this agent" budget={agent.day_budget} save={(change) => api.changeAgent(town_id, agent.agent_id, change).then(changed)} />
        </>
      )}
    </div>
  );
}

function Facts({ agent, now_ms }: { agent: AgentState; now_ms: number }) {
  const remaining = atWork(agent) ? remainingText(agent) : "";
  const waited = waitedText(agent, now_ms);
  const { usage, progress } = agent;
  return (
    <dl class="facts" tabIndex={0}>
      {agent.run_number > 0 && <Fact name="Run">{agent.run_number}</Fact>}
      {agent.started_at !== null && (
        <Fact name="Worked" title={timeTitle(agent, now_ms)}>
          {workedText(agent, now_ms)}
          {waited === "" ? "" : <span class="soft">, {waited}</span>}
        </Fact>
      )}
      {progress !== null && (
        <Fact name="Progress" title={visibleText(progress.current_phase)}>
          {progress.percentage === null ? visibleText(progress.current_phase) : `${Math.round(progress.percentage)} %`}
          {remaining === "" ? "" : <span class="soft">, {remaining}</span>}
        </Fact>
      )}
      {agent.model !== null && <Fact name="Model">{visibleText(agent.model)}</Fact>}
      <Fact name="Tokens" title={tokensTitle(usage)}>
        {tokensText(usage)}
      </Fact>
      <Fact name="Cost">{costText(usage)}</Fact>
      {agent.run_budget !== undefined && <Fact name="Run's budget">{runBudgetText(agent.run_budget, usage)}</Fact>}
      <Fact name="Tool calls">{countText(agent.tool_call_count)}</Fact>
      {agent.files_changed > 0 && (
        <Fact name="Files">
          {countText(agent.files_changed)} <span class="added">+{countText(agent.lines_added)}</span>{" "}
          <span class="removed">−{countText(agent.lines_removed)}</span>
        </Fact>
      )}
      {agent.branch !== null && <Fact name="Branch">{visibleText(agent.branch)}</Fact>}
      {agent.session_id !== null && (
        <Fact name="Session" title={visibleText(agent.session_id)}>
          {visibleText(agent.session_id.length > 12 ? `${agent.session_id.slice(0, 8)}…` : agent.session_id)}
        </Fact>
      )}
      {agent.todos.length > 0 && (
        <Fact name="To do">
          <Todos todos={agent.todos} />
        </Fact>
      )}
    </dl>
  );
}
