// A sheet that lists who may come in by what, and ends it: what the sheets of sessions and of tokens have in common.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { failureWords } from "../client/api.ts";
import { Problem } from "./message.tsx";

/** Runs steps that may fail, and has the words of the last one that did. */
export function useAttempt() {
  const [problem, setProblem] = useState<string | null>(null);
  const attempt = async (step: () => Promise<unknown>): Promise<void> => {
    setProblem(null);
    try {
      await step();
    } catch (failure) {
      setProblem(failureWords(failure));
    }
  };
  return { problem, attempt };
}

interface CredentialsSheetProps {
  readonly title: string;
  readonly problem: string | null;
  readonly close: () => void;
  /** The buttons beside "Close". */
  readonly actions: ComponentChildren;
  /** The list. */
  readonly children: ComponentChildren;
}

export function CredentialsSheet({ title, problem, close, actions, children }: CredentialsSheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      class="sheet credentials"
      ref={dialog}
      aria-labelledby="credentials-title"
      onClose={close}
      onClick={(event) => {
        // The dialog itself is only hit beside its content.
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <div class="sheet-content">
        <h2 id="credentials-title">{title}</h2>
        {children}
        <Problem text={problem} />
        <form method="dialog">
          {actions}
          <button type="submit" class="button small">Close</button>
        </form>
      </div>
    </dialog>
  );
}
