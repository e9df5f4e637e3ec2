// Which of the agent's runs to look at.

import { useEffect, useState } from "preact/hooks";
import { durationWords, endSentence } from "../client/sentences.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState, RunView } from "../protocol/protocol.ts";
import { clockTime, dayWords } from "./format.ts";
import { usePage } from "./page_context.ts";

/** The agent's runs, newest first; asked again when one begins or ends. */
export function useRuns(agent_id: string, agent: AgentState | undefined): readonly RunView[] {
  const { api, town_id } = usePage();
  const [runs, setRuns] = useState<readonly RunView[]>([]);
  useEffect(() => {
    let isCurrent = true;
    if (agent !== undefined && agent.run_number > 0) {
      // Without the list the page still shows all that is here.
      void api.runs(town_id, agent_id).then((found) => isCurrent && setRuns(newestFirst(found)), () => {});
    }
    return () => {
      isCurrent = false;
    };
  }, [town_id, agent_id, agent?.run_id, agent?.exit?.reason]);
  return runs;
}

function newestFirst(runs: readonly RunView[]): RunView[] {
  return [...runs].sort((one, other) => other.run_number - one.run_number);
}

interface RunMenuProps {
  readonly runs: readonly RunView[];
  readonly chosen: string | null;
  readonly choose: (run_id: string | null) => void;
}

export function RunMenu({ runs, chosen, choose }: RunMenuProps) {
  return (
    <select
      class="run-menu"
      aria-label="Run"
      value={chosen ?? ""}
      onChange={({ currentTarget }) => choose(currentTarget.value === "" ? null : currentTarget.value)}
    >
      <option value="">All {runs.length} runs</option>
      {runs.map((run) => (
        <option key={run.run_id} value={run.run_id}>
          {runWords(run)}
        </option>
      ))}
    </select>
  );
}

function runWords(run: RunView): string {
  const end = run.exit === undefined ? "under way" : endSentence(run.exit, null).text.toLowerCase();
  // Start to end, with all waiting: a list of runs knows no more.
  const span = run.ended_at === undefined ? "" : `, ${durationWords(Date.parse(run.ended_at) - Date.parse(run.started_at))} from start to end`;
  return visibleText(`Run ${run.run_number}: ${dayWords(run.started_at)}, ${clockTime(run.started_at)}${span}, ${end}`);
}
