// Deleting an agent for good: a quiet button, and a question that says what goes.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { failureWords } from "../client/api.ts";
import { atWork } from "../client/town_store.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState } from "../protocol/protocol.ts";
import { Icon } from "./icons.tsx";
import { Problem } from "./message.tsx";

interface DeleteAgentProps {
  readonly api: Api;
  readonly town_id: string;
  readonly agent: AgentState;
}

export function DeleteButton(props: DeleteAgentProps) {
  const [isAsking, setAsking] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    setAsking(false);
    button.current?.focus();
  };
  return (
    <span class="delete">
      <button type="button" class="button small plain" ref={button} aria-haspopup="dialog" aria-label={`Delete ${visibleText(props.agent.name)}`} onClick={() => setAsking(true)}>
        <Icon name="remove" />
        Delete
      </button>
      {isAsking && <DeleteQuestion {...props} close={close} />}
    </span>
  );
}

/** What goes is told; the card goes with the town's own word, so nothing has to be done here after it. */
function DeleteQuestion({ api, town_id, agent, close }: DeleteAgentProps & { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => dialog.current?.showModal(), []);

  async function erase(): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      await api.deleteAgent(town_id, agent.agent_id);
    } catch (failure) {
      setProblem(failureWords(failure));
      setBusy(false);
    }
  }

  return (
    <dialog class="sheet question-sheet" ref={dialog} aria-labelledby="delete-title" aria-describedby="delete-words" onClose={close}>
      <form method="dialog" class="sheet-content">
        <h2 id="delete-title">Delete {visibleText(agent.name)}?</h2>
        <p id="delete-words">
          {atWork(agent) && "It is at work, and is stopped first. "}
          Its events, runs and pictures are erased from this town and cannot be brought back. What it changed in files and
          repositories stays.
        </p>
        <Problem text={problem} />
        <div class="actions">
          <button type="submit" class="button" disabled={busy}>
            Keep it
          </button>
          <button type="button" class="button danger" disabled={busy} onClick={() => void erase()}>
            <Icon name="remove" />
            Delete for good
          </button>
        </div>
      </form>
    </dialog>
  );
}
