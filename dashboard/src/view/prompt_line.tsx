// What an agent was asked to do: the first line, and all of it when one wants to read it.

import { useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { failureWords } from "../client/api.ts";
import { knownEvent } from "../client/event_shape.ts";
import { wholeEvent } from "../client/history.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState } from "../protocol/protocol.ts";
import { Problem } from "./message.tsx";

interface PromptLineProps {
  readonly api: Api;
  readonly town_id: string;
  readonly agent: AgentState;
}

/** Keyed by the prompt: the next run's begins closed. */
export function PromptLine(props: PromptLineProps) {
  const { title, prompt_event_id } = props.agent;
  return title === null && prompt_event_id === null ? null : <Prompt key={prompt_event_id} {...props} />;
}

function Prompt({ api, town_id, agent: { name, title, prompt_event_id } }: PromptLineProps) {
  const [whole, setWhole] = useState<string | null>(null);
  const [isOpen, setOpen] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  async function open(event_id: number): Promise<void> {
    setOpen(true);
    setProblem(null);
    if (whole !== null) return;
    try {
      const event = await wholeEvent(api, town_id, event_id);
      const known = event === null ? null : knownEvent(event);
      if (known?.event === "user_message") setWhole(known.data.text);
      else setProblem("The log does not have it any more.");
    } catch (failure) {
      setProblem(failureWords(failure));
    }
  }

  const isShown = isOpen && whole !== null;
  // The first line ends so where it is not all.
  const isMore = title === null || title.endsWith("…");
  return (
    <div class="prompt">
      {!isShown && <p class="prompt-line">{visibleText(title ?? "")}</p>}
      {isShown && (
        <p class="prompt-whole" dir="auto">
          {visibleText(whole)}
        </p>
      )}
      {prompt_event_id !== null && (isMore || isOpen) && (
        <button
          type="button"
          class="text-button"
          aria-expanded={isShown}
          onClick={() => (isShown ? setOpen(false) : void open(prompt_event_id))}
        >
          {isShown ? "Less" : isOpen && problem === null ? "Fetching…" : "All of it"}
          <span class="hidden">, of what {visibleText(name)} was asked</span>
        </button>
      )}
      <Problem text={problem} />
    </div>
  );
}
