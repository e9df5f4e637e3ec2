// A question in parts: for each what it asks, what there is to choose from, and a field for words where they are taken.

import { useId, useState } from "preact/hooks";
import type { Draft } from "../client/questions.ts";
import { answerBody, isAnswered, NO_DRAFT, partsOf } from "../client/questions.ts";
import { countWords } from "../client/sentences.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentQuestion, QuestionOption, QuestionPart } from "../protocol/protocol.ts";
import type { Answering } from "./question_form.tsx";
import { WholeMark } from "./whole_mark.tsx";
import type { WholeQuestion } from "./whole_question.ts";

interface PartFieldsProps {
  readonly question: AgentQuestion;
  readonly whole: WholeQuestion;
  readonly answering: Answering;
}

export function PartFields({ question, whole, answering }: PartFieldsProps) {
  const parts = partsOf(question);
  const [drafts, setDrafts] = useState<readonly Draft[]>([]);
  const open = parts.filter((part, index) => !isAnswered(part, drafts[index] ?? NO_DRAFT)).length;
  const isWhole = whole.question !== null;

  function change(index: number, draft: Draft): void {
    setDrafts(parts.map((_, other) => (other === index ? draft : (drafts[other] ?? NO_DRAFT))));
  }

  return (
    <>
      <WholeMark whole={whole} />
      {isWhole &&
        parts.map((part, index) => (
          <Part
            key={index}
            part={part}
            isSaid={part.text === question.detail}
            draft={drafts[index] ?? NO_DRAFT}
            change={(draft) => change(index, draft)}
            isOver={answering.isOver}
          />
        ))}
      <div class="actions">
        <button
          type="submit"
          class="button small primary"
          disabled={answering.isOver || !isWhole || open > 0}
          onClick={() => {
            const { answer, ...rest } = answerBody(question, drafts);
            answering.give({ answer, ...rest });
          }}
        >
          {parts.length > 1 ? "Submit" : "Answer"}
        </button>
        <button type="button" class="button small" disabled={answering.isOver} onClick={() => answering.give({ answer: "reject" })}>
          Reject
        </button>
        {parts.length > 1 && open > 0 && isWhole && <span class="soft">{countWords(open, "part", "parts")} to answer</span>}
      </div>
    </>
  );
}

interface PartProps {
  readonly part: QuestionPart;
  /** The question's own words say already what it asks. */
  readonly isSaid: boolean;
  readonly draft: Draft;
  readonly change: (draft: Draft) => void;
  readonly isOver: boolean;
}

function Part({ part, isSaid, draft, change, isOver }: PartProps) {
  const id = useId();
  const { options, multiple, free_text } = part;
  const hasOther = free_text && !multiple && options.length > 0;
  const kind = multiple ? "checkbox" : "radio";

  function choose({ label }: QuestionOption, isChosen: boolean): void {
    const others = multiple ? draft.choices.filter((one) => one !== label) : [];
    // In the order in which they are offered.
    const chosen = isChosen ? options.map((one) => one.label).filter((one) => one === label || others.includes(one)) : others;
    change({ ...draft, choices: chosen, isOther: false });
  }

  return (
    <fieldset class="part-fields" disabled={isOver}>
      <legend class={isSaid ? "hidden" : ""}>
        {part.header && <span class="part-header">{visibleText(part.header)}</span>}
        {visibleText(part.text)}
        {multiple && <span class="soft"> Choose one or several.</span>}
      </legend>
      {options.map((option, index) => (
        <div key={index} class="option">
          <input
            type={kind}
            id={`${id}-${index}`}
            name={id}
            checked={draft.choices.includes(option.label) && !draft.isOther}
            aria-describedby={option.description ? `${id}-${index}-about` : undefined}
            onChange={(event) => choose(option, event.currentTarget.checked)}
          />
          <div>
            <label for={`${id}-${index}`}>{visibleText(option.label)}</label>
            {option.description && (
              <p class="soft" id={`${id}-${index}-about`}>
                {visibleText(option.description)}
              </p>
            )}
            {option.preview && (
              <details class="preview">
                <summary>
                  Preview<span class="hidden"> of {visibleText(option.label)}</span>
                </summary>
                <pre dir="auto" tabIndex={0}>
                  {visibleText(option.preview)}
                </pre>
              </details>
            )}
          </div>
        </div>
      ))}
      {hasOther && (
        <div class="option">
          <input type="radio" id={`${id}-other`} name={id} checked={draft.isOther} onChange={() => change({ ...draft, choices: [], isOther: true })} />
          <label for={`${id}-other`}>Something else</label>
        </div>
      )}
      {free_text && (
        <input
          value={draft.text}
          maxLength={4_000}
          autocomplete="off"
          aria-label={options.length === 0 ? "Your answer" : "In your own words"}
          placeholder={options.length === 0 ? "Your answer" : multiple ? "And in your own words" : "In your own words"}
          onInput={(event) => {
            const text = event.currentTarget.value;
            // Who writes wants to say that, and not what was chosen before.
            const isOther = hasOther && text.trim() !== "" ? true : draft.isOther;
            change({ ...draft, text, isOther, choices: isOther ? [] : draft.choices });
          }}
        />
      )}
    </fieldset>
  );
}
