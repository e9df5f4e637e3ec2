// One town, as long as the tab shows it: the one stream, its store, and the pages that look at them. Going from the
// town to an agent and back keeps all of it.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { browserClock, browserReadText, browserSocket, doubtful, eachFrame } from "../browser.ts";
import type { Api } from "../client/api.ts";
import { ApiFailure, failureWords } from "../client/api.ts";
import { TownStream } from "../client/stream.ts";
import type { ReadPage } from "../client/town_history.ts";
import { TownHistory } from "../client/town_history.ts";
import { townLines } from "../client/town_lines.ts";
import { TownStore } from "../client/town_store.ts";
import type { TownView } from "../protocol/protocol.ts";
import { Connection, Header, NoticesButton } from "./header.tsx";
import { HistoryProvider } from "./history_context.ts";
import { useChanges, useTitleCounts } from "./hooks.ts";
import { useLastLook } from "./last_look.ts";
import { later } from "./later.tsx";
import { Link } from "./link.tsx";
import { Message } from "./message.tsx";
import { useNews } from "./notices.ts";
import type { TownRoute } from "./route.ts";
import { go, townPath } from "./route.ts";
import { useShortcuts } from "./shortcuts.ts";
import { countsText, townCounts, useFavicon } from "./tab_mark.ts";
import { StartForm, TownPage } from "./town_page.tsx";

const AgentPage = later(() => import("./agent_page.tsx").then((module) => module.AgentPage));
const TownActivityPage = later(() => import("./town_activity_page.tsx").then((module) => module.TownActivityPage));

interface TownRoomProps {
  readonly api: Api;
  readonly route: TownRoute;
  readonly signedOut: () => void;
}

export function TownRoom({ api, route, signedOut }: TownRoomProps) {
  const { town_id } = route;
  const [store, stream, history] = useMemo(() => {
    const made = new TownStore(eachFrame);
    const edges = { openSocket: browserSocket, readText: browserReadText, clock: browserClock, origin: location.origin };
    const readPage: ReadPage = (agent_id, query) => (agent_id === null ? api.townEvents(town_id, query) : api.agentEvents(town_id, agent_id, query));
    return [made, new TownStream(townLines(api, town_id, edges), made), new TownHistory(made, readPage, browserClock)] as const;
  }, [api, town_id]);
  const [town, setTown] = useState<TownView | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useChanges(store.connectionChanges);

  const loads = useRef(0);
  async function load(): Promise<void> {
    const load = ++loads.current;
    try {
      const found = await api.town(town_id);
      // One that was asked later knows more, whichever comes first.
      if (load !== loads.current) return;
      for (const agent of found.agents) store.offerAgent(agent);
      setTown(found);
      setProblem(null);
    } catch (failure) {
      if (failure instanceof ApiFailure && failure.status === 401) return signedOut();
      setProblem(failureWords(failure));
    }
  }

  useEffect(() => {
    stream.setOnline(navigator.onLine);
    stream.start();
    void load();
    const end = doubtful({
      online: () => stream.setOnline(true),
      offline: () => stream.setOnline(false),
      doubt: () => stream.probe(),
    });
    return () => {
      end();
      stream.stop();
      history.stop();
    };
  }, [stream]);

  const state = store.connectionState;
  // What the container can run is only asked, never streamed: ask again when a connection came back.
  useEffect(() => {
    if (state.kind !== "live") return;
    void load();
    // What the reader looked for is here; now what they may look for next.
    for (const part of [AgentPage, TownActivityPage, StartForm]) part.prepare();
  }, [state.kind === "live"]);

  const look = useLastLook(town_id, store, stream);
  useNews(store, town_id);
  useShortcuts({ t: () => go(townPath(town_id)) });

  if (state.kind === "denied") {
    return (
      <>
        <Header>
          <Connection store={store} retry={() => stream.retryNow()} />
        </Header>
        {state.status === 401 ? (
          <Message title="You are signed out" text={state.message}>
            <button type="button" class="button primary" onClick={signedOut}>
              Sign in
            </button>
          </Message>
        ) : (
          <Message title={state.status === 404 ? "There is no such town" : "This town is closed to you"} text={state.message}>
            <Link to="/" class="button">
              To your towns
            </Link>
          </Message>
        )}
      </>
    );
  }

  const trail = (
    <Link to={townPath(town_id)} class="trail-town">
      {town?.name ?? "Town"}
    </Link>
  );
  return (
    <HistoryProvider value={history}>
      <TabMark store={store} />
      <Header trail={trail}>
        <NoticesButton />
        <Connection store={store} retry={() => stream.retryNow()} />
      </Header>
      {route.page === "town" && <TownPage api={api} store={store} town_id={town_id} town={town} look={look} problem={problem} reload={load} />}
      {route.page === "activity" && <TownActivityPage api={api} store={store} town_id={town_id} />}
      {route.page === "agent" && <AgentPage key={route.agent_id} api={api} store={store} town_id={town_id} agent_id={route.agent_id} archived_count={town?.archived_agents ?? 0} />}
    </HistoryProvider>
  );
}

/** Apart from the room, so that a change of a count draws nothing else. */
function TabMark({ store }: { store: TownStore }) {
  useChanges(store.agentsChanges);
  const counts = townCounts(store.agents());
  useTitleCounts(countsText(counts));
  useFavicon(counts);
  return null;
}
