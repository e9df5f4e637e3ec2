// What a permission is about, and the buttons that give or refuse it. Nobody is let press "Allow" who has not all of it
// in front of them, or right beside the button the one control that opens the rest.

import { useId, useRef, useState } from "preact/hooks";
import { beginningOf } from "../client/questions.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentQuestion, Answer, QuestionSubject } from "../protocol/protocol.ts";
import { DiffView } from "./diff_view.tsx";
import { Markdown } from "./markdown.tsx";
import type { Answering } from "./question_form.tsx";
import { WholeMark } from "./whole_mark.tsx";
import type { WholeQuestion } from "./whole_question.ts";

interface PermissionFieldsProps {
  readonly question: AgentQuestion;
  readonly whole: WholeQuestion;
  readonly answering: Answering;
}

export function PermissionFields({ question, whole, answering }: PermissionFieldsProps) {
  const [text, setText] = useState("");
  const [isOpen, setOpen] = useState(false);
  const shown = useRef<HTMLDivElement>(null);
  const id = useId();
  const { options } = question;
  const always = question.always ?? null;
  const offersOnce = options.length === 0 || options.includes("once");
  const offersAlways = options.includes("always") || always !== null;
  const subject = question.subject ?? null;
  const beginning = subject === null || isOpen ? null : beginningOf(subject.text);
  const hidden = beginning?.hidden ?? null;
  const mayAllow = whole.question !== null && !answering.isOver;

  /** The control goes; who used it by key reads on where the text is. */
  function open(): void {
    setOpen(true);
    shown.current?.focus({ preventScroll: true });
  }

  function give(answer: Answer): void {
    const words = text.trim();
    answering.give({ answer, ...(words === "" ? {} : { text: words }) });
  }

  return (
    <>
      {subject !== null && (
        <div class={hidden === null ? "subject" : "subject beginning"} id={`${id}-subject`} ref={shown} tabIndex={-1}>
          <Subject subject={hidden === null ? subject : { ...subject, text: beginning?.beginning ?? "" }} />
        </div>
      )}
      <WholeMark whole={whole} />
      <input
        value={text}
        maxLength={4_000}
        autocomplete="off"
        aria-label="Words for the agent"
        placeholder="Words for the agent, if you reject it"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <div class="actions">
        {hidden !== null && whole.question !== null && (
          <button type="button" class="button small" aria-expanded={false} aria-controls={`${id}-subject`} onClick={open}>
            Show the other {hidden}
          </button>
        )}
        {offersOnce && (
          <button type="button" class="button small primary" disabled={!mayAllow} onClick={() => give("once")}>
            Allow once
          </button>
        )}
        {offersAlways && (
          <button type="button" class="button small" disabled={!mayAllow} aria-describedby={`${id}-always`} onClick={() => give("always")}>
            Always allow
          </button>
        )}
        <button type="button" class="button small" disabled={answering.isOver} onClick={() => give("reject")}>
          Reject
        </button>
        {offersAlways && (
          <p class="soft always" id={`${id}-always`}>
            {always === null ? (
              "“Always”: the program did not say what else that would allow."
            ) : (
              <>
                “Always” would allow from now on: <code>{visibleText(always)}</code>
              </>
            )}
          </p>
        )}
      </div>
    </>
  );
}

/** A command as on a terminal, a plan with its structure, a change line by line. */
function Subject({ subject: { kind, text } }: { subject: QuestionSubject }) {
  switch (kind) {
    case "plan":
      return <Plan text={text} />;
    case "difference":
      return <DiffView change={{ kind: "patch", path: "", patch: text }} folds={false} />;
    case "command":
      return (
        <pre class="command-line" dir="auto">
          {visibleText(text)}
        </pre>
      );
    default:
      return (
        <pre class="subject-text" dir="auto">
          {visibleText(text)}
        </pre>
      );
  }
}

/** With its structure, which leaves out what only a parser reads; and as it was written, where one wants to be sure. */
function Plan({ text }: { text: string }) {
  const [asWritten, setAsWritten] = useState(false);
  return (
    <>
      {asWritten ? (
        <pre class="subject-text" dir="auto">
          {visibleText(text)}
        </pre>
      ) : (
        <Markdown text={text} />
      )}
      <button type="button" class="text-button" onClick={() => setAsWritten(!asWritten)}>
        {asWritten ? "Show it laid out" : "Show it as it was written"}
      </button>
    </>
  );
}
