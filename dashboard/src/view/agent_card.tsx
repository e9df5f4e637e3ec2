// One agent in the town: the whole card leads to its page; what can be pressed or typed into lies on top of that.

import { Component } from "preact";
import { useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { atWork, silentSince } from "../client/attention.ts";
import type { Mention } from "../client/digest.ts";
import { countWords } from "../client/sentences.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState } from "../protocol/protocol.ts";
import { activitySentence, ProgressBar, StatusPill, StopButton, standing } from "./agent_status.tsx";
import { AgentWarnings, AgentWork } from "./agent_work.tsx";
import { DeleteButton } from "./delete_agent.tsx";
import { Fact } from "./fact.tsx";
import { costText, countText, dayBudgetText, remainingText, runBudgetText, runtimeName, sinceText, timeTitle, tokensText, tokensTitle, waitedText, workedText } from "./format.ts";
import { Icon } from "./icons.tsx";
import { Link } from "./link.tsx";
import { MessageBox } from "./message_box.tsx";
import { PromptLine } from "./prompt_line.tsx";
import { QuestionForms } from "./question_form.tsx";
import { agentPath, eventPath } from "./route.ts";

interface AgentCardProps {
  readonly api: Api;
  readonly town_id: string;
  readonly agent: AgentState;
  readonly lastError: Mention | null;
  /** In whole seconds, so that a card that did not change is drawn once a second at most. */
  readonly now_ms: number;
}

/** With fifty agents at work, only the cards of those that did something are drawn again. */
export class AgentCard extends Component<AgentCardProps> {
  override shouldComponentUpdate(next: AgentCardProps): boolean {
    const { agent, lastError, now_ms } = this.props;
    return next.agent !== agent || next.lastError !== lastError || next.now_ms !== now_ms;
  }

  override render() {
    return <Card {...this.props} />;
  }
}

function Card({ api, town_id, agent, lastError, now_ms }: AgentCardProps) {
  const [isWriting, setWriting] = useState(false);
  const working = atWork(agent);
  const waited = waitedText(agent, now_ms);
  const remaining = working ? remainingText(agent) : "";
  const { tone } = standing(agent);
  const canWrite = working && agent.takes_messages;
  return (
    <article class={`card agent ${tone}`}>
      <header>
        <h2>
          <Link to={agentPath(town_id, agent.agent_id)} class="cover">
            {visibleText(agent.name)}
          </Link>
        </h2>
        <StatusPill agent={agent} />
      </header>
      <p class="soft kind">
        {visibleText([agent.role, runtimeName(agent.runtime), agent.model, agent.run_number > 1 ? `run ${agent.run_number}` : null].filter(Boolean).join(" · "))}
      </p>
      <PromptLine api={api} town_id={town_id} agent={agent} />
      {agent.questions.length === 0 || !working ? (
        <Activity agent={agent} now_ms={now_ms} />
      ) : (
        <QuestionForms api={api} town_id={town_id} agent={agent} />
      )}
      <AgentWarnings agent={agent} now_ms={now_ms} />
      <AgentWork agent={agent} now_ms={now_ms} />
      <Todo agent={agent} />
      <ProgressBar agent={agent} />
      {lastError !== null && <LastError town_id={town_id} error={lastError} agent={agent} />}
      <dl class="numbers">
        {agent.started_at !== null && (
          <Fact name="Worked" title={timeTitle(agent, now_ms)}>
            {workedText(agent, now_ms)}
            {waited === "" ? "" : `, ${waited}`}
          </Fact>
        )}
        {remaining !== "" && <Fact name="Progress">{remaining}</Fact>}
        <Fact name="Tools">{countWords(agent.tool_call_count, "call", "calls")}</Fact>
        {agent.files_changed > 0 && (
          <Fact name="Files" title={`${countWords(agent.files_changed, "file", "files")} changed, ${agent.lines_added} lines added, ${agent.lines_removed} removed`}>
            {countWords(agent.files_changed, "file", "files")} <span class="added">+{countText(agent.lines_added)}</span>{" "}
            <span class="removed">−{countText(agent.lines_removed)}</span>
          </Fact>
        )}
        <Fact name="Tokens" title={tokensTitle(agent.usage)}>
          {tokensText(agent.usage)}
        </Fact>
        <Fact name="Cost">{costText(agent.usage)}</Fact>
        {agent.run_budget !== undefined && <Fact name="Run's budget">{runBudgetText(agent.run_budget, agent.usage)}</Fact>}
        {agent.day_budget !== undefined && <Fact name="Day's budget">{dayBudgetText(agent.day_budget, now_ms)}</Fact>}
      </dl>
      {working || isWriting ? (
        <footer>
          {canWrite && (
            <button type="button" class="button small plain" aria-expanded={isWriting} onClick={() => setWriting(!isWriting)}>
              <Icon name="say" />
              Message
            </button>
          )}
          <StopButton api={api} town_id={town_id} agent={agent} />
          {isWriting && canWrite && (
            <MessageBox
              label={`Message to ${agent.name}`}
              placeholder="It hears you now or after its turn"
              verb="Send"
              send={async (text) => {
                await api.sendMessage(town_id, agent.agent_id, text);
                setWriting(false);
              }}
            />
          )}
        </footer>
      ) : (
        <footer>
          <DeleteButton api={api} town_id={town_id} agent={agent} />
        </footer>
      )}
    </article>
  );
}

/** What it is at, with the tool's path where the sentence does not name it, and for how long. */
function Activity({ agent, now_ms }: { agent: AgentState; now_ms: number }) {
  const since = agent.activity?.since ?? agent.ended_at;
  const [call] = agent.outstanding_tool_calls;
  const sentence = activitySentence(agent, now_ms);
  const path = call?.path !== undefined && !sentence.includes(call.path) ? call.path : null;
  const others = agent.outstanding_tool_calls.length - 1;
  // That sentence says itself since when.
  const isSilent = silentSince(agent) !== null;
  return (
    <p class="activity-now">
      <span class="sentence">{visibleText(sentence)}</span>
      <span class="soft">
        {atWork(agent) && call !== undefined ? `${visibleText(call.tool)} · ` : ""}
        {atWork(agent) && path !== null ? <code>{visibleText(path)}</code> : null}
        {others > 0 && atWork(agent) ? ` and ${countWords(others, "other call", "other calls")} · ` : ""}
        {since !== null && !isSilent && (atWork(agent) ? `for ${sinceText(since, now_ms)}` : `${sinceText(since, now_ms)} ago`)}
      </span>
    </p>
  );
}

function Todo({ agent }: { agent: AgentState }) {
  if (agent.todos.length === 0) return null;
  const done = agent.todos.filter(({ status }) => status === "completed").length;
  const now = agent.todos.find(({ status }) => status === "in_progress");
  return (
    <p class="todo-line">
      <Icon name="Todo" />
      <span>
        {done} of {agent.todos.length} done{now === undefined ? "" : ": "}
        {now !== undefined && <span class="soft">{visibleText(now.content)}</span>}
      </span>
    </p>
  );
}

/** The run's own end says its failure already. */
function LastError({ town_id, error, agent }: { town_id: string; error: Mention; agent: AgentState }) {
  if (agent.exit?.message === error.text) return null;
  return (
    <p class="last-error">
      <Icon name="error" />
      <Link to={eventPath(town_id, agent.agent_id, error.event_id)}>
        <span class="hidden">Last error: </span>
        {visibleText(error.text)}
      </Link>
    </p>
  );
}
