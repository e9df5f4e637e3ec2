// Addresses: `/`, `/towns/:town`, `/towns/:town/activity`, `/towns/:town/agents/:agent`, and `#code=…` of the link that signs in.

import { useEffect, useReducer, useState } from "preact/hooks";

export type Route =
  | { readonly page: "home" }
  | TownRoute
  | { readonly page: "unknown" };

/** Pages of a town: all its agents at a glance, all that they do in one list, and one agent. */
export type TownRoute =
  | { readonly page: "town"; readonly town_id: string }
  | { readonly page: "activity"; readonly town_id: string }
  | { readonly page: "agent"; readonly town_id: string; readonly agent_id: string };

export function parseRoute(path: string): Route {
  if (path === "/") return { page: "home" };
  // Exactly the characters that ids have: nothing here needs decoding.
  const match = /^\/towns\/([A-Za-z0-9_-]{1,64})(?:\/agents\/([A-Za-z0-9_-]{1,64})|\/(activity))?\/?$/.exec(path);
  const [, town_id, agent_id, activity] = match ?? [];
  if (town_id === undefined) return { page: "unknown" };
  if (activity !== undefined) return { page: "activity", town_id };
  return agent_id === undefined ? { page: "town", town_id } : { page: "agent", town_id, agent_id };
}

export function townPath(town_id: string): string {
  return `/towns/${town_id}`;
}

export function activityPath(town_id: string): string {
  return `${townPath(town_id)}/activity`;
}

export function agentPath(town_id: string, agent_id: string): string {
  return `${townPath(town_id)}/agents/${agent_id}`;
}

/** An event in its context. */
export function eventPath(town_id: string, agent_id: string, event_id: number): string {
  return `${agentPath(town_id, agent_id)}?event=${event_id}`;
}

const MOVED = "townwatch:moved";

/** Renders again when the address changed, by whatever means. */
export function useLocation(): Location {
  const [, renderAgain] = useReducer((count: number, _: Event) => count + 1, 0);
  useEffect(() => {
    addEventListener("popstate", renderAgain);
    addEventListener(MOVED, renderAgain);
    return () => {
      removeEventListener("popstate", renderAgain);
      removeEventListener(MOVED, renderAgain);
    };
  }, []);
  return location;
}

export function go(path: string, how: "push" | "replace" = "push"): void {
  try {
    if (how === "push") history.pushState(null, "", path);
    else history.replaceState(null, "", path);
  } catch {
    // Safari refuses more than a hundred in half a minute; without it nothing would be shown at all.
    if (how === "push") location.assign(path);
    return;
  }
  dispatchEvent(new Event(MOVED));
}

export function useRoute(): Route {
  const [path, setPath] = useState(location.pathname);
  useEffect(() => {
    const moved = (): void => setPath(location.pathname);
    addEventListener("popstate", moved);
    addEventListener(MOVED, moved);
    return () => {
      removeEventListener("popstate", moved);
      removeEventListener(MOVED, moved);
    };
  }, []);
  return parseRoute(path);
}

/** The code of a link that signs in, taken out of the address; null where there is none. */
export function takeCode(): string | null {
  const code = /^#code=(.+)$/.exec(location.hash)?.[1];
  if (code === undefined) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return code;
}
