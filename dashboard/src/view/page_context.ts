// What all parts of a page that shows rows share.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Api } from "../client/api.ts";
import type { EventLog } from "../client/event_log.ts";
import type { OpenParts } from "./open_parts.ts";

export interface RowsPage {
  readonly api: Api;
  readonly town_id: string;
  /** How rows name their agent; null where there is only one. */
  readonly nameOf: ((agent_id: string) => string) | null;
  /** Whose log it is; null where it is that of all agents. */
  readonly agent_id: string | null;
  readonly log: EventLog;
  readonly parts: OpenParts;
  /** Shows the event in its context. */
  readonly show: (event_id: number, agent_id: string) => void;
  /** The event that the address names. */
  readonly event_id: number | null;
}

const Context = createContext<RowsPage | null>(null);

export const PageContextProvider = Context.Provider;

export function usePage(): RowsPage {
  const page = useContext(Context);
  if (page === null) throw new Error("not on a page that shows rows");
  return page;
}
