// The agents that were put away, behind one quiet control: they are asked for when somebody wants to see them.

import { useEffect, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { failureWords } from "../client/api.ts";
import { countWords } from "../client/sentences.ts";
import type { TownStore } from "../client/town_store.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState } from "../protocol/protocol.ts";
import { ArchiveButton } from "./archive_agent.tsx";
import { runtimeName, sinceText } from "./format.ts";
import { Icon } from "./icons.tsx";
import { Link } from "./link.tsx";
import { Problem } from "./message.tsx";
import { agentPath } from "./route.ts";

/** As many as a page of them has where nothing else is asked. */
const PAGE_AGENTS = 100;

interface ArchivedAgentsProps {
  readonly api: Api;
  readonly store: TownStore;
  readonly town_id: string;
  /** How many the town has. */
  readonly count: number;
  readonly now_ms: number;
  /** Reads the town anew. */
  readonly reload: () => Promise<void>;
}

export function ArchivedAgents({ api, store, town_id, count, now_ms, reload }: ArchivedAgentsProps) {
  const [isOpen, setOpen] = useState(false);
  const [agents, setAgents] = useState<readonly AgentState[]>([]);
  const [hasMore, setMore] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const moves = store.archiveMoves;

  async function fetchAfter(known: readonly AgentState[]): Promise<void> {
    try {
      const page = await api.archivedAgents(town_id, known[known.length - 1]?.agent_id ?? null);
      setAgents([...known, ...page]);
      setMore(page.length === PAGE_AGENTS);
      setProblem(null);
    } catch (failure) {
      setProblem(failureWords(failure));
    }
  }

  // Somebody, here or elsewhere, put one away or brought one back.
  useEffect(() => {
    if (moves > 0) void reload();
  }, [moves]);
  useEffect(() => {
    if (isOpen) void fetchAfter([]);
  }, [isOpen, count, moves]);

  if (count === 0) return null;
  return (
    <section class="archived">
      <button type="button" class="text-button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <Icon name="chevron" />
        {count} archived
      </button>
      {isOpen && (
        <>
          <Problem text={problem} />
          <ul aria-label="Archived agents">
            {agents.map((agent) => (
              <li key={agent.agent_id}>
                <Link to={agentPath(town_id, agent.agent_id)}>{visibleText(agent.name)}</Link>
                <span class="soft">
                  {[agent.role, runtimeName(agent.runtime), countWords(agent.run_number, "run", "runs")].join(" · ")}
                  {agent.archived_at !== undefined && ` · archived ${sinceText(agent.archived_at, now_ms)} ago`}
                </span>
                <ArchiveButton api={api} town_id={town_id} agent={agent} done={() => void reload()} />
              </li>
            ))}
          </ul>
          {hasMore && (
            <button type="button" class="text-button" onClick={() => void fetchAfter(agents)}>
              Show more
            </button>
          )}
        </>
      )}
    </section>
  );
}
