// Other agents side by side with this one, each with its own list that follows; who they are is in the address.

import type { Api } from "../client/api.ts";
import type { TownStore } from "../client/town_store.ts";
import { visibleText } from "../client/visible_text.ts";
import { StatusPill } from "./agent_status.tsx";
import { AgentStream } from "./agent_stream.tsx";
import { useChanges } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { Link } from "./link.tsx";
import { agentPath } from "./route.ts";
import { BESIDE_MAX } from "./view_query.ts";

interface BesideProps {
  readonly api: Api;
  readonly store: TownStore;
  readonly town_id: string;
  readonly beside: readonly string[];
  readonly setBeside: (beside: readonly string[]) => void;
}

export function Beside({ api, store, town_id, beside, setBeside }: BesideProps) {
  useChanges(store.agentsChanges);
  return (
    <>
      {beside.map((agent_id) => {
        const agent = store.agent(agent_id);
        const name = visibleText(agent?.name ?? agent_id);
        return (
          <section key={agent_id} class="beside" aria-label={name}>
            <header>
              <h2>
                <Link to={agentPath(town_id, agent_id)}>{name}</Link>
              </h2>
              {agent !== undefined && <StatusPill agent={agent} />}
              <button
                type="button"
                class="icon-button"
                aria-label={`Close ${name}`}
                onClick={() => setBeside(beside.filter((other) => other !== agent_id))}
              >
                <Icon name="cross" />
              </button>
            </header>
            <AgentStream api={api} store={store} town_id={town_id} agent_id={agent_id} />
          </section>
        );
      })}
    </>
  );
}

interface BesideMenuProps {
  readonly store: TownStore;
  readonly agent_id: string;
  readonly beside: readonly string[];
  readonly setBeside: (beside: readonly string[]) => void;
}

/** Chooses one more agent to see beside this one; nothing where there is none, or no room. */
export function BesideMenu({ store, agent_id, beside, setBeside }: BesideMenuProps) {
  const others = store.agents().filter((agent) => agent.agent_id !== agent_id && !beside.includes(agent.agent_id));
  if (others.length === 0 || beside.length >= BESIDE_MAX) return null;
  return (
    <select
      class="run-menu beside-menu"
      aria-label="Another agent side by side"
      value=""
      onChange={({ currentTarget }) => {
        if (currentTarget.value !== "") setBeside([...beside, currentTarget.value]);
        currentTarget.value = "";
      }}
    >
      <option value="">Side by side…</option>
      {others.map((agent) => (
        <option key={agent.agent_id} value={agent.agent_id}>
          {visibleText(agent.name)}
        </option>
      ))}
    </select>
  );
}
