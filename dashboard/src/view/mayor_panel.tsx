// The mayor's chat: what the mayor did and was told, out of the log, and a box to say something. It stays when the mayor's run has ended, and what
// is said then begins the next one.

import { useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { atWork } from "../client/attention.ts";
import type { Sent } from "../client/sent_messages.ts";
import { notHeard } from "../client/sent_messages.ts";
import type { TownStore } from "../client/town_store.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState, StartAgent } from "../protocol/protocol.ts";
import { StatusPill, StopButton } from "./agent_status.tsx";
import { AgentStream } from "./agent_stream.tsx";
import { costText, runtimeName } from "./format.ts";
import { useChanges } from "./hooks.ts";
import { Link } from "./link.tsx";
import { MessageBox } from "./message_box.tsx";
import { QuestionForms } from "./question_form.tsx";
import { agentPath } from "./route.ts";

interface MayorPanelProps {
  readonly api: Api;
  readonly store: TownStore;
  readonly town_id: string;
  readonly mayor: AgentState;
}

/** Where the keyboard goes that wants to write to the mayor. */
export const MAYOR_BOX = "mayor-box";

export function MayorPanel({ api, store, town_id, mayor }: MayorPanelProps) {
  const log = store.log(mayor.agent_id);
  useChanges(log.changes);
  const [sent, setSent] = useState<readonly Sent[]>([]);
  const working = atWork(mayor);
  const canHear = working && mayor.takes_messages;
  const sending = notHeard(sent, log.rows.all, mayor.run_id);

  async function send(text: string): Promise<void> {
    if (!canHear) return store.offerAgent(await api.startAgent(town_id, nextRun(mayor, text)));
    const message: Sent = { text, run_id: mayor.run_id, after_id: mayor.last_event_id ?? 0 };
    setSent([...sending, message]);
    try {
      await api.sendMessage(town_id, mayor.agent_id, text);
    } catch (failure) {
      setSent((now) => now.filter((one) => one !== message));
      throw failure;
    }
  }

  return (
    <aside class="card mayor" aria-label={`Mayor ${mayor.name}`}>
      <header>
        <h2>
          <Link to={agentPath(town_id, mayor.agent_id)}>{visibleText(mayor.name)}</Link>
        </h2>
        <StatusPill agent={mayor} />
        <span class="soft kind">
          mayor · {runtimeName(mayor.runtime)}
          {mayor.run_number > 0 ? ` · run ${mayor.run_number}` : ""} · {costText(mayor.usage)}
        </span>
        <StopButton api={api} town_id={town_id} agent={mayor} />
      </header>
      <AgentStream api={api} store={store} town_id={town_id} agent_id={mayor.agent_id} />
      <div class="mayor-box">
        {working && <QuestionForms api={api} town_id={town_id} agent={mayor} />}
        {sending.map(({ text }, index) => (
          <p key={index} class="said-by-you" role="status">
            <span class="soft">You, sending…</span> {visibleText(text)}
          </p>
        ))}
        {working && !canHear ? (
          <p class="hint">
            {mayor.runtime === null
              ? "It works elsewhere, and nothing can be said to it from here."
              : `${runtimeName(mayor.runtime)} hears nothing now. When this run has ended, you can give it another.`}
          </p>
        ) : (
          <MessageBox
            id={MAYOR_BOX}
            label={canHear ? `Message to ${mayor.name}` : `Next order for ${mayor.name}`}
            placeholder={canHear ? "Say something to the mayor" : nextWords(mayor)}
            verb={canHear ? "Send" : "Start"}
            send={send}
          />
        )}
      </div>
    </aside>
  );
}

/** The same agent again, with another order: a prompt, a command line, or the name of a recording. */
function nextRun({ agent_id, rig_id, name, role, runtime }: AgentState, text: string): StartAgent {
  const order = { agent_id, rig_id, name, role, runtime: runtime ?? "process" } as const;
  if (runtime === "replay") return { ...order, transcript: text };
  return runtime === "process" ? { ...order, command: ["sh", "-c", text] } : { ...order, prompt: text };
}

function nextWords({ runtime }: AgentState): string {
  if (runtime === "replay") return "Which recording should it play next?";
  return runtime === "process" ? "Which command should it run next?" : "What should the mayor do next?";
}
