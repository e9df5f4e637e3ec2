// One agent: who it is and how it stands on top, everything it did below, and beside that what it said, which tools it
// used, what it changed and what went wrong. What is shown is in the address.

import { useEffect, useMemo, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { ApiFailure } from "../client/api.ts";
import type { TownStore } from "../client/town_store.ts";
import { AgentView } from "./agent_view.tsx";
import { useChanges, useTitle } from "./hooks.ts";
import { Link } from "./link.tsx";
import { Message } from "./message.tsx";
import { OpenParts } from "./open_parts.ts";
import type { RowsPage } from "./page_context.ts";
import { PageContextProvider } from "./page_context.ts";
import { townPath } from "./route.ts";
import { useViewQuery } from "./use_view_query.ts";

interface AgentPageProps {
  readonly api: Api;
  readonly store: TownStore;
  readonly town_id: string;
  readonly agent_id: string;
  /** How many agents of the town are archived, once that is known. */
  readonly archived_count: number;
}

export function AgentPage({ api, store, town_id, agent_id, archived_count }: AgentPageProps) {
  useChanges(store.agentsChanges);
  const agent = store.agent(agent_id);
  useTitle(agent?.name ?? "Agent");
  const [query, setQuery] = useViewQuery();
  const parts = useState(() => new OpenParts())[0];

  const page = useMemo<RowsPage>(
    () => ({
      ...{ api, town_id, agent_id, parts, nameOf: null, log: store.log(agent_id), event_id: query.event_id },
      show: (event_id) => setQuery({ event_id }),
    }),
    [api, town_id, agent_id, parts, store, query.event_id],
  );
  // Another agent's page is another page, and its address says nothing of this one's.
  useEffect(() => () => CSS.highlights?.delete("found"), []);
  const [wasHere, setWasHere] = useState(agent !== undefined);
  if (agent !== undefined && !wasHere) setWasHere(true);
  // One that was never here has yet to start, unless it is archived.
  const isGone = useLookFor(api, store, town_id, agent_id, wasHere || archived_count > 0);
  if (agent === undefined && wasHere && isGone) return <Deleted town_id={town_id} />;
  return (
    <PageContextProvider value={page}>
      <AgentView store={store} agent_id={agent_id} agent={agent} query={query} setQuery={setQuery} />
    </PageContextProvider>
  );
}

/** Asks for an agent that the town's stream does not tell of: it is archived, or there is none. Whether there is none. */
function useLookFor(api: Api, store: TownStore, town_id: string, agent_id: string, mayBeThere: boolean): boolean {
  const [isGone, setGone] = useState(false);
  const isSought = mayBeThere && store.agent(agent_id) === undefined && store.connectionState.kind === "live";
  useEffect(() => {
    if (!isSought) return setGone(false);
    let isOver = false;
    api.agent(town_id, agent_id).then(
      (found) => !isOver && store.offerAgent(found),
      (failure: unknown) => !isOver && setGone(failure instanceof ApiFailure && failure.status === 404),
    );
    return () => {
      isOver = true;
    };
  }, [isSought]);
  return isGone;
}

/** In this tab and in each other one that shows the agent. */
function Deleted({ town_id }: { town_id: string }) {
  return (
    <Message title="This agent was deleted" text="Nothing is left of what it did. An agent that is started under its id begins anew.">
      <Link to={townPath(town_id)} class="button primary">
        To the town
      </Link>
    </Message>
  );
}
