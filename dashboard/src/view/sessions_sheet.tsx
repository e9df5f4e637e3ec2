// The browsers that are signed in: each can be signed out from here, this one, another one or all.

import { useEffect, useRef, useState } from "preact/hooks";
import { failureWords } from "../client/api.ts";
import type { Api } from "../client/api.ts";
import type { BrowserSession } from "../protocol/protocol.ts";
import { momentWords } from "./format.ts";
import { Problem } from "./message.tsx";

/** What is known: whose session this is, and all of them. */
interface Known {
  readonly own: string | null;
  readonly all: readonly BrowserSession[];
}

export function SessionsSheet({ api, close }: { api: Api; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [known, setKnown] = useState<Known | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  async function load(): Promise<void> {
    const [who, all] = await Promise.all([api.session(), api.sessions()]);
    setKnown({ own: who.session_id ?? null, all });
  }

  async function attempt(step: () => Promise<unknown>): Promise<void> {
    setProblem(null);
    try {
      await step();
    } catch (failure) {
      setProblem(failureWords(failure));
    }
  }

  useEffect(() => {
    dialog.current?.showModal();
    void attempt(load);
  }, []);

  // The page starts anew, without anything of what was shown to somebody who was signed in.
  const leave = (sign_out: () => Promise<unknown>) => attempt(async () => {
    await sign_out();
    location.reload();
  });
  const end = ({ session_id }: BrowserSession) => attempt(async () => {
    await api.endSession(session_id);
    await load();
  });

  return (
    <dialog
      class="sheet sessions"
      ref={dialog}
      aria-labelledby="sessions-title"
      onClose={close}
      onClick={(event) => {
        // The dialog itself is only hit beside its content.
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <div class="sheet-content">
        <h2 id="sessions-title">Signed in</h2>
        <ul>
          {known?.all.map((session) => (
            <li key={session.session_id}>
              <div>
                <strong>{session.browser}</strong>
                {session.session_id === known.own && <span class="soft"> this browser</span>}
                <div class="soft">
                  since {momentWords(session.created_at)}, last seen {momentWords(session.last_seen_at)}
                </div>
              </div>
              {session.session_id !== known.own && (
                <button type="button" class="button small" title={`End ${session.browser}`} onClick={() => void end(session)}>
                  End
                </button>
              )}
            </li>
          ))}
        </ul>
        <Problem text={problem} />
        <form method="dialog">
          <button type="button" class="button small" onClick={() => void leave(() => api.signOut())}>
            Sign out
          </button>
          <button type="button" class="button small" onClick={() => void leave(() => api.endSessions())}>
            Sign out everywhere
          </button>
          <button class="button small">Close</button>
        </form>
      </div>
    </dialog>
  );
}
