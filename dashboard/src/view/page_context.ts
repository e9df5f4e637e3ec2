// What all parts of an agent's page share.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Api } from "../client/api.ts";
import type { EventLog } from "../client/event_log.ts";
import { OpenParts } from "./open_parts.ts";

export interface AgentPageContext {
  readonly api: Api;
  readonly town_id: string;
  readonly agent_id: string;
  readonly log: EventLog;
  readonly parts: OpenParts;
  /** Shows the event in its context. */
  readonly show: (event_id: number) => void;
  /** The event that the address names. */
  readonly event_id: number | null;
}

const Context = createContext<AgentPageContext | null>(null);

export const PageContextProvider = Context.Provider;

export function usePage(): AgentPageContext {
  const page = useContext(Context);
  if (page === null) throw new Error("not on an agent's page");
  return page;
}
