// All agents of a town at a glance, those first who need a person.

import { useRef, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import type { Attention } from "../client/attention.ts";
import { ATTENTIONS, attention, atWork } from "../client/attention.ts";
import type { LastLook } from "../client/last_look.ts";
import type { TownStore } from "../client/town_store.ts";
import type { AgentState, Role, TownView } from "../protocol/protocol.ts";
import { AgentCard } from "./agent_card.tsx";
import { ArchivedAgents } from "./archived_agents.tsx";
import { DayBudgetControl } from "./day_budget.tsx";
import { useLookAtTown } from "./history_context.ts";
import { useChanges, useNow, useTitle } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { later } from "./later.tsx";
import { Link } from "./link.tsx";
import { MAYOR_BOX, MayorPanel } from "./mayor_panel.tsx";
import { Problem } from "./message.tsx";
import { activityPath } from "./route.ts";
import { useShortcuts } from "./shortcuts.ts";
import { SincePanel } from "./since_panel.tsx";
import { DemoButton, Welcome } from "./welcome.tsx";

export const StartForm = later(() => import("./start_form.tsx").then((module) => module.StartForm));

interface TownPageProps {
  readonly api: Api;
  readonly store: TownStore;
  readonly town_id: string;
  /** Null until it was read; agents are shown from the stream even before. */
  readonly town: TownView | null;
  /** Null at this browser's first look. */
  readonly look: LastLook | null;
  readonly problem: string | null;
  /** Reads the town anew. */
  readonly reload: () => Promise<void>;
}

const containerWords = {
  running: "container running",
  asleep: "container asleep, wakes with the next start",
  unreachable: "container out of reach",
} as const;

const standingWords: Readonly<Record<Attention, (count: number) => string>> = {
  asks: (count) => (count === 1 ? "1 waits for you" : `${count} wait for you`),
  failed: (count) => `${count} failed`,
  lost: (count) => `${count} lost`,
  silent: (count) => `${count} silent`,
  running: (count) => `${count} at work`,
  ended: (count) => `${count} not at work`,
};

export function TownPage({ api, store, town_id, town, look, problem, reload }: TownPageProps) {
  useChanges(store.agentsChanges);
  useLookAtTown();
  /** As whom the next agent is about to be started; null while none is. */
  const [starting, setStarting] = useState<Role | null>(null);
  const page = useRef<HTMLElement>(null);
  const agents = store.agents();
  // How long ago a run ended is worth a look now and then, too.
  const now_ms = Math.floor(useNow(agents.length > 0) / 1000) * 1000;
  const mayor = mayorOf(agents);
  useTitle(town?.name ?? "");
  useShortcuts({
    j: () => moveToCard(page.current, 1),
    k: () => moveToCard(page.current, -1),
    s: () => setStarting(starting ?? "polecat"),
    Escape: () => (starting === null ? false : setStarting(null)),
    m: () => document.getElementById(MAYOR_BOX)?.focus() ?? (mayor === null ? setStarting("mayor") : undefined),
  });

  const known = town !== null || agents.length > 0;
  const started = (agent: AgentState): void => store.offerAgent(agent);
  const demo = <DemoButton api={api} town_id={town_id} isFirst={agents.length === 0} started={started} />;
  const custom = (
    <button type="button" class={agents.length > 0 ? "button primary" : "button"} aria-expanded={starting !== null} onClick={() => setStarting(starting === null ? "polecat" : null)}>
      <Icon name="plus" />
      Start an agent…
    </button>
  );
  return (
    <main class={mayor === null ? "page" : "page with-mayor"} ref={page}>
      <Problem text={problem} />
      {agents.length > 0 && (
        <div class="page-head">
          <div>
            <h1>{town?.name ?? "Town"}</h1>
            <p class="soft">{[...standings(agents), ...(town === null ? [] : [containerWords[town.container.status]])].join(" · ")}</p>
            {town !== null && (
              <DayBudgetControl whose="this town" budget={town.day_budget} save={(change) => api.changeTown(town_id, change).then(reload)} />
            )}
          </div>
          <div class="actions">
            <Link to={activityPath(town_id)} class="button">
              <Icon name="lines" />
              All activity
            </Link>
            {custom}
            {demo}
          </div>
        </div>
      )}
      {!known && (
        <div class="page-head">
          <div>
            <h1>Town</h1>
            <p class="soft">Reading what is in it…</p>
          </div>
        </div>
      )}
      {known && agents.length === 0 && starting === null && (
        <Welcome>
          <div class="actions">
            {demo}
            {custom}
          </div>
        </Welcome>
      )}
      <div class="columns">
        <div class="column">
          {starting !== null && (
            <StartForm
              key={starting}
              api={api}
              town_id={town_id}
              container={town?.container ?? null}
              role={starting}
              close={() => setStarting(null)}
              started={started}
            />
          )}
          {look !== null && <SincePanel api={api} store={store} town_id={town_id} look={look} />}
          <ul class="agents" aria-label="Agents">
            {agents.map((agent) => (
              <li key={agent.agent_id}>
                <AgentCard api={api} town_id={town_id} agent={agent} lastError={store.lastError(agent.agent_id)} now_ms={now_ms} />
              </li>
            ))}
          </ul>
          <ArchivedAgents api={api} store={store} town_id={town_id} count={town?.archived_agents ?? 0} now_ms={now_ms} reload={reload} />
          {agents.length > 0 && mayor === null && starting === null && (
            <p class="soft offer">
              This town has no mayor, who could coordinate the others and whom you could talk to from here.{" "}
              <button type="button" class="text-button" onClick={() => setStarting("mayor")}>
                Appoint one
              </button>
            </p>
          )}
        </div>
        {mayor !== null && <MayorPanel key={mayor.agent_id} api={api} store={store} town_id={town_id} mayor={mayor} />}
      </div>
    </main>
  );
}

/** "1 waits for you", "3 at work": only what there is. */
function standings(agents: readonly AgentState[]): string[] {
  const counted = ATTENTIONS.map((kind) => [kind, agents.filter((agent) => attention(agent) === kind).length] as const);
  return counted.filter(([, count]) => count > 0).map(([kind, count]) => standingWords[kind](count));
}

/** The mayor in office: of several the one at work, else the latest. */
function mayorOf(agents: readonly AgentState[]): AgentState | null {
  const mayors = agents.filter(({ role }) => role === "mayor");
  return mayors.find(atWork) ?? mayors.sort((one, other) => (other.started_at ?? "").localeCompare(one.started_at ?? ""))[0] ?? null;
}

/** Moves the keyboard from card to card; from elsewhere to the first or the last. */
function moveToCard(page: HTMLElement | null, step: 1 | -1): void {
  const cards = [...(page?.querySelectorAll<HTMLElement>(".agent .cover") ?? [])];
  const at = cards.indexOf(document.activeElement as HTMLElement);
  const next = at < 0 ? (step === 1 ? 0 : cards.length - 1) : Math.min(Math.max(at + step, 0), cards.length - 1);
  cards[next]?.focus();
  cards[next]?.scrollIntoView({ block: "nearest" });
}
