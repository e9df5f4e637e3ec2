import type { Api } from "./api.ts";
import type { LineEdges } from "./line.ts";
import { cursorQuery } from "./line.ts";

/** What lines to a town are made of, where its REST API is at hand. */
export function townLines(api: Api, town_id: string, world: Pick<LineEdges, "openSocket" | "readText" | "clock" | "origin">): LineEdges {
  return {
    ...world,
    ticket: () => api.streamTicket(town_id),
    eventsAfter: (cursor, wait_ms) => api.townEvents(town_id, `${cursorQuery(cursor)}&limit=1000&wait_ms=${wait_ms}`),
    agents: () => api.agents(town_id),
  };
}
