// A message to an agent: while it works, or for its next run.

import { useId, useState } from "preact/hooks";
import { failureWords } from "../client/api.ts";
import { Problem } from "./message.tsx";

interface MessageBoxProps {
  /** Its own name in the document, where something leads to it. */
  readonly id?: string;
  readonly label: string;
  readonly placeholder: string;
  readonly verb: string;
  readonly send: (text: string) => Promise<void>;
}

export function MessageBox({ id: given, label, placeholder, verb, send }: MessageBoxProps) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const made = useId();
  const id = given ?? made;

  async function submit(): Promise<void> {
    const said = text.trim();
    if (said === "" || busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await send(said);
      setText("");
    } catch (failure) {
      setProblem(failureWords(failure));
    }
    setBusy(false);
  }

  return (
    <form
      class="message-box"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <label class="hidden" for={id}>
        {label}
      </label>
      <textarea
        id={id}
        rows={2}
        value={text}
        placeholder={placeholder}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          void submit();
        }}
      />
      <button type="submit" class="button primary" disabled={busy || text.trim() === ""}>
        {busy ? "Sending…" : verb}
      </button>
      <Problem text={problem} />
    </form>
  );
}
