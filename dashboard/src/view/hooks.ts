import { useEffect, useReducer, useState } from "preact/hooks";
import type { Changes } from "../client/changes.ts";
import { GrowingList } from "../client/growing_list.ts";

/** Renders again when something changed, and once at the start for what changed before it listened. */
export function useChanges(changes: Changes): void {
  const [, renderAgain] = useReducer((count: number, _: undefined) => count + 1, 0);
  useEffect(() => {
    const end = changes.listen(() => renderAgain(undefined));
    renderAgain(undefined);
    return end;
  }, [changes]);
}

/** The items of each rendering as one list, which knows what changed since the last. */
export function useGrowing<T>(items: readonly T[]): GrowingList<T> {
  const list = useState(() => new GrowingList<T>())[0];
  list.become(items);
  return list;
}

/** The time of this rendering; renders again once a second while `ticking`. */
export function useNow(ticking: boolean): number {
  const [, renderAgain] = useReducer((count: number, _: undefined) => count + 1, 0);
  useEffect(() => {
    if (!ticking) return;
    const timer = setInterval(() => renderAgain(undefined), 1000);
    return () => clearInterval(timer);
  }, [ticking]);
  // Not a state of the last tick: an event may be newer than that, and its age would be wrong by a second.
  return Date.now();
}

let pageTitle = "";
let titleCounts = "";

function showTitle(): void {
  const title = pageTitle === "" ? "Townwatch" : `${pageTitle} · Townwatch`;
  document.title = titleCounts === "" ? title : `(${titleCounts}) ${title}`;
}

/** The tab's title while the component is shown. */
export function useTitle(title: string): void {
  useEffect(() => {
    pageTitle = title;
    showTitle();
  }, [title]);
}

/** Whether the screen is so; renders again when that changes. */
export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const changed = (): void => setMatches(media.matches);
    media.addEventListener("change", changed);
    return () => media.removeEventListener("change", changed);
  }, [query]);
  return matches;
}

/** Stands before the title on every page of a town. */
export function useTitleCounts(counts: string): void {
  useEffect(() => {
    titleCounts = counts;
    showTitle();
    return () => {
      titleCounts = "";
      showTitle();
    };
  }, [counts]);
}
