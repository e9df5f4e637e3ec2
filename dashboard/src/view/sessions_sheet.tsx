// The browsers that are signed in: each can be signed out from here, this one, another one or all.

import { useEffect, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import type { BrowserSession } from "../protocol/protocol.ts";
import { CredentialsSheet, useAttempt } from "./credentials_sheet.tsx";
import { momentWords } from "./format.ts";

/** What is known: whose session this is, and all of them. */
interface Known {
  readonly own: string | null;
  readonly all: readonly BrowserSession[];
}

export function SessionsSheet({ api, close }: { api: Api; close: () => void }) {
  const [known, setKnown] = useState<Known | null>(null);
  const { problem, attempt } = useAttempt();

  async function load(): Promise<void> {
    const [who, all] = await Promise.all([api.session(), api.sessions()]);
    setKnown({ own: who.session_id ?? null, all });
  }

  useEffect(() => void attempt(load), []);

  // The page starts anew, without anything of what was shown to somebody who was signed in.
  const leave = (sign_out: () => Promise<unknown>) => attempt(async () => {
    await sign_out();
    location.reload();
  });
  const end = ({ session_id }: BrowserSession) => attempt(async () => {
    await api.endSession(session_id);
    await load();
  });

  const actions = (
    <>
      <button type="button" class="button small" onClick={() => void leave(() => api.signOut())}>
        Sign out
      </button>
      <button type="button" class="button small" onClick={() => void leave(() => api.endSessions())}>
        Sign out everywhere
      </button>
    </>
  );
  return (
    <CredentialsSheet title="Signed in" problem={problem} close={close} actions={actions}>
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
    </CredentialsSheet>
  );
}
