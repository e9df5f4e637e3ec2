// What is missing here and why; what the log still has fills itself in.

import { useEffect, useState } from "preact/hooks";
import { failureWords } from "../client/api.ts";
import { fillGap } from "../client/history.ts";
import type { GapRow as Gap } from "../client/row.ts";
import { visibleText } from "../client/visible_text.ts";
import { Problem } from "./message.tsx";
import { usePage } from "./page_context.ts";
import { RowFrame } from "./row_frame.tsx";

export function GapRow({ row }: { row: Gap }) {
  const { api, town_id, log } = usePage();
  const gap = row.fillable ? log.gaps.find(({ agent_id, from }) => agent_id === row.agent_id && from === row.id) : undefined;
  const [problem, setProblem] = useState<string | null>(null);

  async function fill(): Promise<void> {
    if (gap === undefined) return;
    setProblem(null);
    await fillGap({ api, town_id, log, agent_id: row.agent_id }, gap).catch((failure: unknown) => setProblem(failureWords(failure)));
  }

  useEffect(() => void fill(), [gap]);

  return (
    <RowFrame row={row} icon="gap" tone="warning" extra="gap-row">
      <p class="sentence">{visibleText(row.text)}</p>
      {gap !== undefined && problem === null && <p class="soft">Fetching it from the log…</p>}
      <Problem text={problem} />
      {problem !== null && (
        <button type="button" class="text-button" onClick={() => void fill()}>
          Try again
        </button>
      )}
    </RowFrame>
  );
}
