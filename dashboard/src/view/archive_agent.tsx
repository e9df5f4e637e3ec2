// Putting an agent away, and bringing it back: it takes nothing from anybody, so nobody is asked.

import { useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { failureWords } from "../client/api.ts";
import { atWork } from "../client/town_store.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState } from "../protocol/protocol.ts";
import { Icon } from "./icons.tsx";
import { Problem } from "./message.tsx";

interface ArchiveButtonProps {
  readonly api: Api;
  readonly town_id: string;
  readonly agent: AgentState;
  /** Is told once the town has done it. */
  readonly done?: (agent: AgentState) => void;
}

/** The town's own word moves the card, in this tab and in each other one. */
export function ArchiveButton({ api, town_id, agent, done }: ArchiveButtonProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  if (atWork(agent)) return null;
  const isArchived = agent.archived_at !== undefined;
  const verb = isArchived ? "Bring back" : "Archive";

  async function move(): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      const moved = await (isArchived ? api.bringAgentBack(town_id, agent.agent_id) : api.archiveAgent(town_id, agent.agent_id));
      done?.(moved);
    } catch (failure) {
      setProblem(failureWords(failure));
    }
    setBusy(false);
  }

  return (
    <span class="archive">
      <button
        type="button"
        class="button small plain"
        disabled={busy}
        onClick={() => void move()}
        title={isArchived ? undefined : "It leaves the town's list; all that it did stays, and it can be brought back."}
        aria-label={`${verb} ${visibleText(agent.name)}`}
      >
        <Icon name={isArchived ? "up" : "archive"} />
        {verb}
      </button>
      <Problem text={problem} />
    </span>
  );
}
