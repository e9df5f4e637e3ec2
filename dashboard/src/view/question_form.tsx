// An agent asks, a person answers: the same on its card, on its page and in the mayor's chat.

import { useId, useState } from "preact/hooks";
import { failureWords } from "../client/api.ts";
import type { Api } from "../client/api.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentQuestion, Answer } from "../protocol/protocol.ts";
import { Icon } from "./icons.tsx";
import { Problem } from "./message.tsx";

interface QuestionFormProps {
  readonly api: Api;
  readonly town_id: string;
  readonly agent_id: string;
  readonly question: AgentQuestion;
}

/** Keyed by the question: the next one begins empty. */
export function QuestionForm(props: QuestionFormProps) {
  return <OneQuestion key={props.question.request_id} {...props} />;
}

function OneQuestion({ api, town_id, agent_id, question }: QuestionFormProps) {
  const [text, setText] = useState("");
  const [given, setGiven] = useState<Answer | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const id = useId();
  const isPermission = question.kind === "permission";
  const offers = (answer: Answer): boolean => question.options.length === 0 || question.options.includes(answer);

  async function answer(answer: Answer, words = text.trim()): Promise<void> {
    setGiven(answer);
    setProblem(null);
    try {
      await api.answer(town_id, agent_id, { request_id: question.request_id, answer, ...(words === "" ? {} : { text: words }) });
    } catch (failure) {
      setProblem(failureWords(failure));
      setGiven(null);
    }
  }

  return (
    <form
      class="question"
      aria-labelledby={`${id}-detail`}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isPermission && text.trim() !== "") void answer("once");
      }}
    >
      <p class="question-detail" id={`${id}-detail`}>
        <Icon name="question" />
        <span>{visibleText(question.detail)}</span>
      </p>
      {!isPermission && question.options.length > 0 && (
        <div class="actions">
          {question.options.map((option) => (
            <button key={option} type="button" class="button small" disabled={given !== null} onClick={() => void answer("once", option)}>
              {visibleText(option)}
            </button>
          ))}
        </div>
      )}
      <input
        value={text}
        maxLength={4_000}
        autocomplete="off"
        aria-label={isPermission ? "Words for the agent" : "Your answer"}
        placeholder={isPermission ? "Words for the agent, if you reject it" : "Your answer"}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <div class="actions">
        {isPermission ? (
          <>
            {offers("once") && (
              <button type="button" class="button small primary" disabled={given !== null} onClick={() => void answer("once")}>
                Allow once
              </button>
            )}
            {offers("always") && (
              <button type="button" class="button small" disabled={given !== null} onClick={() => void answer("always")}>
                Always allow
              </button>
            )}
          </>
        ) : (
          <button type="submit" class="button small primary" disabled={given !== null || text.trim() === ""}>
            Answer
          </button>
        )}
        <button type="button" class="button small" disabled={given !== null} onClick={() => void answer("reject")}>
          Reject
        </button>
        {given !== null && (
          <span class="soft" role="status">
            Answered, waiting for the agent to hear it…
          </span>
        )}
      </div>
      <Problem text={problem} />
    </form>
  );
}
