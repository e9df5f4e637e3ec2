// The town's past, for all parts of its pages.

import { createContext } from "preact";
import { useContext, useEffect } from "preact/hooks";
import type { TownHistory } from "../client/town_history.ts";

const Context = createContext<TownHistory | null>(null);

export const HistoryProvider = Context.Provider;

export function useHistory(): TownHistory {
  const history = useContext(Context);
  if (history === null) throw new Error("not on a page of a town");
  return history;
}

/** The town's page is looked at: what it says of the past is fetched. */
export function useLookAtTown(): void {
  const history = useHistory();
  useEffect(() => history.lookAtTown(), [history]);
}

/** The log of an agent, or of all, is looked at: its past is fetched. */
export function useLook(agent_id: string | null): void {
  const history = useHistory();
  useEffect(() => history.look(agent_id), [history, agent_id]);
}
