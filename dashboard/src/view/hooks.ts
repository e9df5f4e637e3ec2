import { useEffect, useReducer, useState } from "preact/hooks";
import type { Changes } from "../client/changes.ts";

/** Renders again when something changed, and once at the start for what changed before it listened. */
export function useChanges(changes: Changes): void {
  const [, renderAgain] = useReducer((count: number, _: undefined) => count + 1, 0);
  useEffect(() => {
    const end = changes.listen(() => renderAgain(undefined));
    renderAgain(undefined);
    return end;
  }, [changes]);
}

/** The time, once a second while `ticking`. */
export function useNow(ticking: boolean): number {
  const [now_ms, setNow] = useState(Date.now);
  useEffect(() => {
    if (!ticking) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now_ms;
}

/** The tab's title while the component is shown. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === "" ? "Townwatch" : `${title} · Townwatch`;
  }, [title]);
}
