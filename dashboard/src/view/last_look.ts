// Remembers in this browser when it last looked at a town.

import { useEffect, useState } from "preact/hooks";
import type { LastLook } from "../client/last_look.ts";
import { lookNow, readLook, writtenLook } from "../client/last_look.ts";
import type { TownStream } from "../client/stream.ts";
import type { TownStore } from "../client/town_store.ts";
import { useChanges } from "./hooks.ts";
import { keep, kept } from "./kept.ts";

/** Who is back sooner was not away. */
const AWAY_MS = 30_000;

/** The look before this one; null at the first. Counts in the store's digest what came since. */
export function useLastLook(town_id: string, store: TownStore, stream: TownStream): LastLook | null {
  const name = `townwatch.look.${town_id}`;
  const [look, setLook] = useState<LastLook | null>(null);
  useChanges(store.connectionChanges);

  useEffect(() => {
    const last = readLook(kept(name));
    setLook(last);
    if (last !== null) store.awaySince(last.id);
    let left: LastLook | null = null;
    let wasLive = store.connectionState.kind === "live";
    const end = store.listenToConnection(({ kind }) => {
      if (kind === "live") wasLive = true;
    });
    const leave = (): void => {
      const { id } = stream.position;
      // What happened since the last look was not shown yet: it is told at the next one.
      if (id === 0 || !wasLive || store.digest.lacksPast) return;
      left = lookNow(id, new Date().toISOString(), store.agents());
      keep(name, writtenLook(left));
    };
    const changed = (): void => {
      if (document.visibilityState === "hidden") {
        leave();
        if (left !== null && isNothing(store)) store.awaySince(left.id);
        return;
      }
      if (left !== null && store.digest.after_id === left.id) {
        if (Date.now() - Date.parse(left.at) < AWAY_MS) store.dismissDigest();
        else setLook(left);
      }
      if (store.connectionState.kind === "live") closeDigest(store, stream);
    };
    document.addEventListener("visibilitychange", changed);
    addEventListener("pagehide", leave);
    return () => {
      end();
      leave();
      document.removeEventListener("visibilitychange", changed);
      removeEventListener("pagehide", leave);
    };
  }, [store]);

  const isLive = store.connectionState.kind === "live";
  useEffect(() => {
    if (isLive && document.visibilityState === "visible") closeDigest(store, stream);
  }, [isLive, store]);
  return look;
}

/** Whether nothing happened that the reader has still to see. */
function isNothing(store: TownStore): boolean {
  const { digest } = store;
  return !digest.lacksPast && digest.isEmpty && digest.questions(store.agents()).length === 0;
}

function closeDigest(store: TownStore, stream: TownStream): void {
  store.digest.close(stream.position.id);
  store.agentsChanges.touch();
}
