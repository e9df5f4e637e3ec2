// What of an agent is open beside what its one sentence says: calls and whose they are, what runs in the background, its
// sub-agents; and what a person should notice: a call that says nothing for long, or fails again and again.

import { QUIET_CALL_MS } from "../client/attention.ts";
import { askerOf } from "../client/questions.ts";
import { countWords } from "../client/sentences.ts";
import { atWork } from "../client/town_store.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState, OutstandingCall, SubAgent } from "../protocol/protocol.ts";
import { costText, minutesText, sinceText, tokensText, tokensTitle } from "./format.ts";
import { Icon } from "./icons.tsx";
import { Todos } from "./todos.tsx";

interface AgentWorkProps {
  readonly agent: AgentState;
  readonly now_ms: number;
}

/** Warnings, one line each. */
export function AgentWarnings({ agent, now_ms }: AgentWorkProps) {
  const { failing_loop } = agent;
  if (!atWork(agent)) return null;
  return (
    <>
      {failing_loop !== null && (
        <p class="work-warning">
          <Icon name="error" />
          <span>
            Has failed {countWords(failing_loop.count, "time", "times")} in a row: {visibleText(failing_loop.summary)}
          </span>
        </p>
      )}
      {agent.outstanding_tool_calls.filter((call) => isQuiet(agent, call, now_ms)).map((call) => (
        <p key={call.tool_use_id} class="work-warning">
          <Icon name="notice" />
          <span>
            No result for {minutesText(call.since, now_ms)}: {visibleText(call.summary)}
          </span>
        </p>
      ))}
    </>
  );
}

/** A sub-agent's call says what it does by its sub-agent's own calls, and one that asks waits for a person. */
function isQuiet(agent: AgentState, call: OutstandingCall, now_ms: number): boolean {
  const leads = agent.sub_agents.some(({ tool_use_id }) => tool_use_id === call.tool_use_id);
  const asks = agent.questions.some(({ tool_use_id }) => tool_use_id === call.tool_use_id);
  return !leads && !asks && now_ms - Date.parse(call.since) >= QUIET_CALL_MS;
}

/** All that is open, on demand; nothing where the sentence has said it all. */
export function AgentWork({ agent, now_ms }: AgentWorkProps) {
  const { outstanding_tool_calls: calls, background_tasks: tasks, sub_agents } = agent;
  const open = atWork(agent);
  const counts = [
    ...(open && calls.length > 0 ? [countWords(calls.length, "open call", "open calls")] : []),
    ...(open && tasks.length > 0 ? [`${tasks.length} in the background`] : []),
    ...(sub_agents.length > 0 ? [countWords(sub_agents.length, "sub-agent", "sub-agents")] : []),
  ];
  const isMore = calls.length > 1 || calls.some((call) => call.parent_tool_use_id) || tasks.length > 0;
  if (sub_agents.length === 0 && !(open && isMore)) return null;
  return (
    <details class="work">
      <summary>{counts.join(" · ")}</summary>
      {open && calls.length > 0 && (
        <List name="Open calls">
          {calls.map((call) => (
            <li key={call.tool_use_id}>
              {visibleText(call.summary)}
              <span class="soft">
                {" "}
                {visibleText(whose(agent, call.parent_tool_use_id))} · for {sinceText(call.since, now_ms)}
              </span>
            </li>
          ))}
        </List>
      )}
      {open && tasks.length > 0 && (
        <List name="In the background">
          {tasks.map((task) => (
            <li key={task.task_id}>
              {visibleText(task.description)} <span class="soft">for {sinceText(task.since, now_ms)}</span>
            </li>
          ))}
        </List>
      )}
      {sub_agents.length > 0 && (
        <List name="Sub-agents">
          {sub_agents.map((one) => (
            <SubAgentLine key={one.tool_use_id} one={one} isOpen={open && one.ended_at === null} now_ms={now_ms} />
          ))}
        </List>
      )}
    </details>
  );
}

function List({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <>
      <p class="work-name">{name}</p>
      <ul aria-label={name}>{children}</ul>
    </>
  );
}

function whose(agent: AgentState, parent_tool_use_id: string | undefined): string {
  const asker = askerOf(agent, parent_tool_use_id);
  return asker === null ? "its own" : `of ${asker}`;
}

function SubAgentLine({ one, isOpen, now_ms }: { one: SubAgent; isOpen: boolean; now_ms: number }) {
  const { description, usage, todos, current_phase, since, ended_at } = one;
  const tokens = usage.input_tokens + usage.output_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
  const stands = isOpen
    ? `${current_phase ?? "at work"} · for ${sinceText(since, now_ms)}`
    : ended_at === null
      ? "ended with its run"
      : `ended after ${sinceText(since, Date.parse(ended_at))}`;
  return (
    <li>
      {visibleText(description === "" ? "A sub-agent" : description)}
      <span class="soft"> {visibleText(stands)}</span>
      {tokens > 0 && (
        <span class="soft" title={tokensTitle(usage)}>
          {" "}
          · {tokensText(usage)}
          {usage.cost_usd === null ? "" : ` · ${costText(usage)}`}
        </span>
      )}
      {todos.length > 0 && <Todos todos={todos} />}
    </li>
  );
}
