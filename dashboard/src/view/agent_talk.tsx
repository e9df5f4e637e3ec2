// At the foot of an agent's page: its question, or a box for a message where it can hear one.

import { atWork, takesMessages } from "../client/attention.ts";
import type { AgentState } from "../protocol/protocol.ts";
import { MessageBox } from "./message_box.tsx";
import { usePage } from "./page_context.ts";
import { QuestionForm } from "./question_form.tsx";

export function AgentTalk({ agent }: { agent: AgentState }) {
  const { api, town_id } = usePage();
  if (!atWork(agent)) return null;
  if (agent.question !== null) {
    return (
      <div class="agent-talk">
        <QuestionForm api={api} town_id={town_id} agent_id={agent.agent_id} question={agent.question} />
      </div>
    );
  }
  if (!takesMessages(agent)) return null;
  return (
    <div class="agent-talk">
      <MessageBox
        label={`Message to ${agent.name}`}
        placeholder={`Message to ${agent.name}`}
        verb="Send"
        send={async (text) => void (await api.sendMessage(town_id, agent.agent_id, text))}
      />
    </div>
  );
}
