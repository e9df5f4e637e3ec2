// The strip on top of every page: where I am, and whether what I see is live.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { ConnectionState } from "../client/connection.ts";
import { connectionDetail, connectionWords } from "../client/connection.ts";
import type { TownStore } from "../client/town_store.ts";
import { useApi } from "./api_context.ts";
import { useChanges, useNow } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { Link } from "./link.tsx";
import { useNotices } from "./notices.ts";
import { SessionsSheet } from "./sessions_sheet.tsx";
import { ShortcutSheet } from "./shortcut_sheet.tsx";
import { useShortcuts } from "./shortcuts.ts";

export function Header({ trail, children }: { trail?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <header class="top">
      <Link to="/" class="brand">
        <Icon name="lantern" />
        <span class="brand-name">Townwatch</span>
      </Link>
      <nav class="trail" aria-label="Where you are">
        {trail}
      </nav>
      {children}
      <SessionsButton />
      <KeysButton />
    </header>
  );
}

function SessionsButton() {
  const api = useApi();
  const [open, setOpen] = useState(false);
  if (api === null) return null;
  return (
    <>
      <button type="button" class="icon-button" aria-haspopup="dialog" title="Signed in: sign out, or end other sessions" onClick={() => setOpen(true)}>
        <span class="hidden">Signed in</span>
        <Icon name="user" />
      </button>
      {open && <SessionsSheet api={api} close={() => setOpen(false)} />}
    </>
  );
}

function KeysButton() {
  const [open, setOpen] = useState(false);
  useShortcuts({ "?": () => setOpen(!open) });
  return (
    <>
      <button type="button" class="icon-button keys" aria-haspopup="dialog" title="Keyboard (?)" onClick={() => setOpen(true)}>
        <span class="hidden">Keyboard</span>
        <kbd aria-hidden="true">?</kbd>
      </button>
      {open && <ShortcutSheet close={() => setOpen(false)} />}
    </>
  );
}

const noticesWords = {
  on: "You are told when a run ends, fails or asks",
  off: "Tell me when a run ends, fails or asks",
  failed: "Notifications are off: this browser can not show them. Press to try again",
  forbidden: "This browser forbids notifications for Townwatch; allow them in its settings",
} as const;

/** Asks for system notifications, and ends them. */
export function NoticesButton() {
  const { state, toggle } = useNotices();
  if (state === "unknown") return null;
  return (
    <>
      {state === "failed" && (
        <span class="bell-word soft" role="status">
          Notifications are off: this browser can not show them
        </span>
      )}
      <button
        type="button"
        class={`icon-button bell ${state}`}
        aria-pressed={state === "on"}
        disabled={state === "forbidden"}
        title={noticesWords[state]}
        onClick={() => void toggle()}
      >
        <span class="hidden">Notifications</span>
        <Icon name={state === "on" ? "bell" : "bell_off"} />
      </button>
    </>
  );
}

const tones: Readonly<Record<ConnectionState["kind"], string>> = {
  connecting: "working",
  catching_up: "working",
  live: "good",
  stale: "warning",
  reconnecting: "warning",
  offline: "bad",
  ended: "quiet",
  denied: "bad",
};

const spoken: Partial<Record<ConnectionState["kind"], string>> = { reconnecting: "reconnecting", catching_up: "catching up", stale: "stale" };

/** The one connection indicator, in words; a click tries again where that makes sense. */
export function Connection({ store, retry }: { store: TownStore; retry: () => void }) {
  useChanges(store.connectionChanges);
  const state = store.connectionState;
  const now_ms = useNow(state.kind === "reconnecting" || state.kind === "stale");
  const words = connectionWords(state, now_ms);
  const why = [connectionDetail(state), store.lastProblem].filter((part) => part !== null).join(" ");
  const canRetry = state.kind === "reconnecting" || state.kind === "offline" || state.kind === "ended";
  const name = `connection ${tones[state.kind]}`;
  const content = (
    <>
      <span class={`dot ${state.kind}`} aria-hidden="true" />
      <span class="connection-words">{words}</span>
    </>
  );
  return (
    <>
      {canRetry ? (
        <button type="button" class={name} title={`${why} Click to try now.`.trim()} onClick={retry}>
          {content}
        </button>
      ) : (
        <span class={name} title={why}>
          {content}
        </span>
      )}
      {/* Said aloud when the kind changes, but not every number of a catch-up or a countdown. */}
      <span class="hidden" role="status">
        Connection: {spoken[state.kind] ?? words}
      </span>
    </>
  );
}
