// A question in the log: all that it asked, what was answered to each part and by whom, or why nobody could.

import { answeredParts, answerWords, askedWords } from "../client/questions.ts";
import type { QuestionRow } from "../client/row.ts";
import { visibleText } from "../client/visible_text.ts";
import type { QuestionPart } from "../protocol/protocol.ts";
import { runtimeName } from "./format.ts";
import { CutMark, Fold, PlainText, RowFrame } from "./row_frame.tsx";

export function Question({ row }: { row: QuestionRow }) {
  const { question, answered, unanswered } = row;
  const parts = question.parts ?? [];
  const subject = question.subject ?? null;
  const isOpen = answered === null && unanswered === null;
  return (
    <RowFrame row={row} icon="question" tone={isOpen ? "warning" : "plain"}>
      <p class="sentence">{visibleText(askedWords(question))}</p>
      {subject !== null && subject.text !== question.detail && (
        <Fold name={row.key} sentence={<span class="soft">{subjectNames[subject.kind] ?? "All of it"}</span>}>
          {() => <PlainText text={subject.text} />}
        </Fold>
      )}
      {parts.length > 0 && (
        <Fold name={`${row.key}/parts`} sentence={<span class="soft">What there was to choose from</span>}>
          {() => parts.map((part, index) => <Part key={index} part={part} />)}
        </Fold>
      )}
      <CutMark row={row} bytes={row.cut} />
      <Answer row={row} />
    </RowFrame>
  );
}

const subjectNames: Readonly<Record<string, string>> = { command: "The whole command", plan: "The whole plan", difference: "The whole change" };

function Part({ part: { header, text, options } }: { part: QuestionPart }) {
  return (
    <div class="asked-part">
      <p>
        {header && <span class="part-header">{visibleText(header)}</span>}
        {visibleText(text)}
      </p>
      <ul>
        {options.map(({ label, description }, index) => (
          <li key={index}>
            {visibleText(label)}
            {description && <span class="soft"> {visibleText(description)}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}

const unansweredWords = {
  call: "Nobody answered: what it was about ended first",
  run: "Nobody answered: the run ended first",
} as const;

function Answer({ row: { question, answered, unanswered } }: { row: QuestionRow }) {
  if (answered === null) return <p class="soft">{unanswered === null ? "Waits for an answer" : unansweredWords[unanswered]}</p>;
  const parts = answeredParts(question, answered);
  const words = answerWords(question.kind, answered.answer);
  const by = answered.by === "operator" ? "operator" : runtimeName(answered.by);
  return (
    <div class="soft">
      <p>{visibleText(`${words.charAt(0).toUpperCase()}${words.slice(1)} by ${by}${answered.text ? `: “${answered.text}”` : ""}`)}</p>
      {parts.map(({ asked, answer }, index) => (
        <p key={index} class="answered-part">
          {asked !== "" && `${visibleText(asked)}: `}
          <span class="answer">{visibleText(answer)}</span>
        </p>
      ))}
    </div>
  );
}
