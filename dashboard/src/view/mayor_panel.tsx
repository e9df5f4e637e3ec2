// The mayor's chat: what the mayor does, and a box to say something. It stays when the mayor's run has ended, and what
// is said then begins the next one.

import { useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { atWork, takesMessages } from "../client/attention.ts";
import type { TownStore } from "../client/town_store.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState, StartAgent } from "../protocol/protocol.ts";
import { StatusPill, StopButton } from "./agent_status.tsx";
import { AgentStream } from "./agent_stream.tsx";
import { clockTime, costText, runtimeName } from "./format.ts";
import { Link } from "./link.tsx";
import { MessageBox } from "./message_box.tsx";
import { QuestionForm } from "./question_form.tsx";
import { agentPath } from "./route.ts";

interface MayorPanelProps {
  readonly api: Api;
  readonly store: TownStore;
  readonly town_id: string;
  readonly mayor: AgentState;
}

interface Said {
  readonly at: string;
  readonly text: string;
}

/** Where the keyboard goes that wants to write to the mayor. */
export const MAYOR_BOX = "mayor-box";
/** What this tab said to the mayor; the log does not tell. */
const SAID_MAX = 3;

export function MayorPanel({ api, store, town_id, mayor }: MayorPanelProps) {
  const [said, setSaid] = useState<readonly Said[]>([]);
  const working = atWork(mayor);
  const canHear = working && takesMessages(mayor);

  async function send(text: string): Promise<void> {
    if (canHear) await api.sendMessage(town_id, mayor.agent_id, text);
    else store.offerAgent(await api.startAgent(town_id, nextRun(mayor, text)));
    setSaid([...said, { at: new Date().toISOString(), text }].slice(-SAID_MAX));
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
        {working && mayor.question !== null && (
          <QuestionForm api={api} town_id={town_id} agent_id={mayor.agent_id} question={mayor.question} />
        )}
        {said.map(({ at, text }) => (
          <p key={at} class="said-by-you">
            <span class="soft">You, {clockTime(at)}</span> {text}
          </p>
        ))}
        {working && !canHear ? (
          <p class="hint">{runtimeName(mayor.runtime)} hears nothing while it works. When this run has ended, you can give it another.</p>
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
