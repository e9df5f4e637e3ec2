// At the foot of an agent's page: its questions, or a box for a message where it can hear one.

import { atWork } from "../client/attention.ts";
import type { AgentState } from "../protocol/protocol.ts";
import { MessageBox } from "./message_box.tsx";
import { usePage } from "./page_context.ts";
import { QuestionForms } from "./question_form.tsx";

export function AgentTalk({ agent }: { agent: AgentState }) {
  const { api, town_id } = usePage();
  if (!atWork(agent)) return null;
  if (agent.questions.length > 0) {
    return (
      <div class="agent-talk" role="region" aria-label="Questions" tabIndex={0}>
        <QuestionForms api={api} town_id={town_id} agent={agent} />
      </div>
    );
  }
  if (!agent.takes_messages) return null;
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
