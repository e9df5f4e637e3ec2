// All agents of a town at a glance.

import { useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { atWork } from "../client/town_store.ts";
import type { TownStore } from "../client/town_store.ts";
import { countWords } from "../client/sentences.ts";
import type { TownView } from "../protocol/protocol.ts";
import { AgentCard } from "./agent_card.tsx";
import { useChanges, useNow, useTitle } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { Problem } from "./message.tsx";
import { StartForm } from "./start_form.tsx";
import { DemoButton, Welcome } from "./welcome.tsx";

interface TownPageProps {
  readonly api: Api;
  readonly store: TownStore;
  readonly town_id: string;
  /** Null until it was read; agents are shown from the stream even before. */
  readonly town: TownView | null;
  readonly problem: string | null;
}

const containerWords = {
  running: "container running",
  asleep: "container asleep, wakes with the next start",
  unreachable: "container out of reach",
} as const;

export function TownPage({ api, store, town_id, town, problem }: TownPageProps) {
  useChanges(store.agentsChanges);
  const [starting, setStarting] = useState(false);
  const agents = store.agents();
  const working = agents.filter(atWork).length;
  const now_ms = useNow(working > 0);
  useTitle(town?.name ?? "");

  const known = town !== null || agents.length > 0;
  const demo = <DemoButton api={api} town_id={town_id} started={(agent) => store.offerAgent(agent)} />;
  const custom = (
    <button type="button" class="button" aria-expanded={starting} onClick={() => setStarting(!starting)}>
      <Icon name="plus" />
      Start an agent…
    </button>
  );
  return (
    <main class="page">
      <Problem text={problem} />
      {agents.length > 0 && (
        <div class="page-head">
          <div>
            <h1>{town?.name ?? "Town"}</h1>
            <p class="soft">
              {working > 0 ? `${countWords(working, "agent", "agents")} at work` : "No agent at work"}
              {town === null ? "" : ` · ${containerWords[town.container.status]}`}
            </p>
          </div>
          <div class="actions">
            {custom}
            {demo}
          </div>
        </div>
      )}
      {known && agents.length === 0 && !starting && (
        <Welcome>
          <div class="actions">
            {demo}
            {custom}
          </div>
        </Welcome>
      )}
      {starting && (
        <StartForm
          api={api}
          town_id={town_id}
          container={town?.container ?? null}
          close={() => setStarting(false)}
          started={(agent) => store.offerAgent(agent)}
        />
      )}
      <ul class="agents" aria-label="Agents">
        {agents.map((agent) => (
          <li key={agent.agent_id}>
            <AgentCard api={api} town_id={town_id} agent={agent} now_ms={now_ms} />
          </li>
        ))}
      </ul>
    </main>
  );
}
