// One agent: who it is and how it stands on top, everything it did below.

import type { ComponentChildren } from "preact";
import type { Api } from "../client/api.ts";
import { countWords } from "../client/sentences.ts";
import { atWork } from "../client/town_store.ts";
import type { TownStore } from "../client/town_store.ts";
import type { AgentState, Todo } from "../protocol/protocol.ts";
import { Activity } from "./activity.tsx";
import { activitySentence, ProgressBar, StatusPill, StopButton } from "./agent_status.tsx";
import { costText, countText, elapsedText, momentWords, runtimeName, sinceText, tokensText, tokensTitle } from "./format.ts";
import { useChanges, useNow, useTitle } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { Link } from "./link.tsx";
import { townPath } from "./route.ts";

interface AgentPageProps {
  readonly api: Api;
  readonly store: TownStore;
  readonly town_id: string;
  readonly agent_id: string;
}

export function AgentPage({ api, store, town_id, agent_id }: AgentPageProps) {
  useChanges(store.agentsChanges);
  const agent = store.agent(agent_id);
  useTitle(agent?.name ?? "Agent");
  return (
    <main class="agent-page">
      <div class="agent-head">
        <div class="agent-title">
          <Link to={townPath(town_id)} class="back">
            <Icon name="back" />
            <span class="hidden">Back to the town</span>
          </Link>
          <h1>{agent?.name ?? "Agent"}</h1>
          {agent !== undefined && <StatusPill agent={agent} />}
          <span class="soft kind">{agent === undefined ? "" : `${agent.role} · ${runtimeName(agent.runtime)}`}</span>
          {agent !== undefined && <StopButton api={api} town_id={town_id} agent={agent} />}
        </div>
        {agent !== undefined && (
          <>
            {agent.title !== null && <p class="agent-prompt">{agent.title}</p>}
            <Facts agent={agent} />
            <ProgressBar agent={agent} />
          </>
        )}
      </div>
      <Activity store={store} agent_id={agent_id} />
      {agent !== undefined && <Now agent={agent} />}
    </main>
  );
}

function Facts({ agent }: { agent: AgentState }) {
  const now_ms = useNow(atWork(agent));
  const { usage } = agent;
  return (
    <dl class="facts">
      {agent.run_number > 0 && <Fact name="Run">{agent.run_number}</Fact>}
      {agent.started_at !== null && (
        <Fact name="Elapsed" title={`Started ${momentWords(agent.started_at)}`}>
          {elapsedText(agent, now_ms)}
        </Fact>
      )}
      {agent.model !== null && <Fact name="Model">{agent.model}</Fact>}
      <Fact name="Tokens" title={tokensTitle(usage)}>
        {tokensText(usage)}
      </Fact>
      <Fact name="Cost">{costText(usage)}</Fact>
      <Fact name="Tool calls">{countText(agent.tool_call_count)}</Fact>
      {agent.files_changed > 0 && (
        <Fact name="Files">
          {countText(agent.files_changed)} <span class="added">+{countText(agent.lines_added)}</span>{" "}
          <span class="removed">−{countText(agent.lines_removed)}</span>
        </Fact>
      )}
      {agent.branch !== null && <Fact name="Branch">{agent.branch}</Fact>}
      {agent.session_id !== null && (
        <Fact name="Session" title={agent.session_id}>
          {agent.session_id.length > 12 ? `${agent.session_id.slice(0, 8)}…` : agent.session_id}
        </Fact>
      )}
      {agent.todos.length > 0 && <Todos todos={agent.todos} />}
    </dl>
  );
}

function Fact({ name, title, children }: { name: string; title?: string; children: ComponentChildren }) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Todos({ todos }: { todos: readonly Todo[] }) {
  const done = todos.filter((todo) => todo.status === "completed").length;
  return (
    <div>
      <dt>To do</dt>
      <dd>
        <details class="todos">
          <summary>
            {done} of {todos.length}
          </summary>
          <ul>
            {todos.map((todo, index) => (
              <li key={index} class={todo.status}>
                <span class="hidden">{todo.status === "completed" ? "Done: " : todo.status === "in_progress" ? "Now: " : ""}</span>
                {todo.content}
              </li>
            ))}
          </ul>
        </details>
      </dd>
    </div>
  );
}

/** What the agent is at this second, below the list; a finished run says so in the list itself. */
function Now({ agent }: { agent: AgentState }) {
  const working = atWork(agent);
  const now_ms = useNow(working);
  if (!working) return null;
  const others = agent.outstanding_tool_calls.length - 1;
  return (
    <div class="now">
      <span class="pulse" aria-hidden="true" />
      <span class="now-sentence" role="status">
        {activitySentence(agent)}
        {others > 0 ? ` and ${countWords(others, "other call", "other calls")}` : ""}
      </span>
      {agent.activity !== null && <span class="soft">{sinceText(agent.activity.since, now_ms)}</span>}
    </div>
  );
}
