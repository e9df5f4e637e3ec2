// The strip on top of every page: where I am, and whether what I see is live.

import type { ComponentChildren } from "preact";
import { connectionDetail, connectionWords } from "../client/connection.ts";
import type { ConnectionState } from "../client/connection.ts";
import type { TownStore } from "../client/town_store.ts";
import { useChanges, useNow } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { Link } from "./link.tsx";

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
    </header>
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

/** The one connection indicator, in words; a click tries again where that makes sense. */
export function Connection({ store, retry }: { store: TownStore; retry: () => void }) {
  useChanges(store.connectionChanges);
  const state = store.connectionState;
  const now_ms = useNow(state.kind === "reconnecting" || state.kind === "stale");
  const words = connectionWords(state, now_ms);
  const why = [connectionDetail(state), store.lastProblem].filter((part) => part !== null).join(" ");
  const mark = <span class="dot" aria-hidden="true" />;
  const name = `connection ${tones[state.kind]}`;
  if (state.kind === "reconnecting" || state.kind === "offline" || state.kind === "ended") {
    return (
      <button type="button" class={name} title={`${why} Click to try now.`.trim()} onClick={retry}>
        {mark}
        {words}
      </button>
    );
  }
  // Said aloud when it changes, but not every number of a catch-up.
  return (
    <span class={name} title={why} role="status" aria-live={state.kind === "catching_up" ? "off" : "polite"}>
      {mark}
      {words}
    </span>
  );
}
