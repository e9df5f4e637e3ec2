// An agent asks, a person answers: the same on its card, on its page and in the mayor's chat. An agent and its sub-agents
// may ask several things at once; each has a form of its own.

import { useId, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { ApiFailure, failureWords } from "../client/api.ts";
import { askedWords, askerOf, firstAnswerSentence, isSaidByParts, partsOf } from "../client/questions.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState, AnswerAgent, OpenQuestion } from "../protocol/protocol.ts";
import { Icon } from "./icons.tsx";
import { Problem } from "./message.tsx";
import { PermissionFields } from "./permission_fields.tsx";
import { PartFields } from "./question_parts.tsx";
import { useWholeQuestion } from "./whole_question.ts";

interface QuestionFormsProps {
  readonly api: Api;
  readonly town_id: string;
  readonly agent: AgentState;
}

/** Each keyed by its question: the next one begins empty. */
export function QuestionForms({ api, town_id, agent }: QuestionFormsProps) {
  return (
    <>
      {agent.questions.map((question) => (
        <QuestionForm key={`${agent.run_id} ${question.request_id}`} {...{ api, town_id, agent, question }} />
      ))}
    </>
  );
}

function QuestionForm({ api, town_id, agent, question: known }: QuestionFormsProps & { question: OpenQuestion }) {
  const whole = useWholeQuestion(api, town_id, known);
  const question = whole.question ?? known;
  const answering = useAnswering(api, town_id, agent.agent_id, question);
  const asker = askerOf(agent, question.parent_tool_use_id);
  const id = useId();
  const isPermission = question.kind === "permission";
  const isPlain = isPermission || partsOf(question)[0]?.text === question.detail;
  return (
    <form
      class="question"
      aria-labelledby={`${id}-detail`}
      // Each form sends by a button of its own.
      onSubmit={(event) => event.preventDefault()}
    >
      <p class={isPlain ? "question-detail" : "question-detail soft"} id={`${id}-detail`}>
        <Icon name="question" />
        <span>
          {asker !== null && <span class="asker">{visibleText(asker)} asks: </span>}
          <span class={isSaidByParts(question) ? "hidden" : ""}>{visibleText(askedWords(question))}</span>
        </span>
      </p>
      {isPermission ? (
        <PermissionFields {...{ question, whole, answering }} />
      ) : (
        <PartFields key={whole.question === null ? "cut" : "whole"} {...{ question, whole, answering }} />
      )}
      {answering.isGiven && (
        <p class="soft" role="status">
          Answered, waiting for the agent to hear it…
        </p>
      )}
      <Problem text={answering.problem} />
    </form>
  );
}

export interface Answering {
  readonly give: (answer: Omit<AnswerAgent, "request_id">) => void;
  /** On its way, or given: there is no second answer. */
  readonly isOver: boolean;
  readonly isGiven: boolean;
  readonly problem: string | null;
}

function useAnswering(api: Api, town_id: string, agent_id: string, { request_id, kind }: OpenQuestion): Answering {
  const [stands, setStands] = useState<"open" | "given" | "taken">("open");
  const [problem, setProblem] = useState<string | null>(null);

  async function send(answer: Omit<AnswerAgent, "request_id">): Promise<void> {
    setStands("given");
    setProblem(null);
    try {
      await api.answer(town_id, agent_id, { request_id, ...answer });
    } catch (failure) {
      const first = failure instanceof ApiFailure && failure.status === 409 ? firstAnswerSentence(kind, failure.details) : null;
      setProblem(first ?? failureWords(failure));
      setStands(first === null ? "open" : "taken");
    }
  }

  return { give: (answer) => void send(answer), isOver: stands !== "open", isGiven: stands === "given", problem };
}
