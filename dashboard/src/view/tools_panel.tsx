// Every call: which tool, what about, how it went and how long it took; the rest on demand.

import type { CallRow, Row } from "../client/row.ts";
import { hasFailed } from "../client/row.ts";
import { visibleText } from "../client/visible_text.ts";
import { CallDetail } from "./call_detail.tsx";
import { Outcome, TaskLine } from "./call_row.tsx";
import { Earlier, useIsWhole } from "./earlier.tsx";
import { clockTime } from "./format.ts";
import { useGrowing } from "./hooks.ts";
import { Icon, toolIcon } from "./icons.tsx";
import { useOpen } from "./open_parts.ts";
import { usePage } from "./page_context.ts";
import { VirtualList } from "./virtual_list.tsx";

interface ToolsPanelProps {
  readonly rows: readonly Row[];
  readonly chosen: readonly string[];
  readonly choose: (tools: readonly string[]) => void;
}

export function ToolsPanel({ rows, chosen, choose }: ToolsPanelProps) {
  const isWhole = useIsWhole();
  const calls = rows.filter((row) => row.kind === "call");
  const counts = new Map<string, number>();
  for (const { tool } of calls) counts.set(tool, (counts.get(tool) ?? 0) + 1);
  const tools = [...new Set([...chosen, ...counts.keys()])];
  return (
    <VirtualList
      items={useGrowing(calls)}
      guess={() => 41}
      render={(row) => <ToolCall row={row} />}
      following={false}
      follow={() => {}}
      name="Tools"
      live={null}
      above={
        <>
        <Earlier />
        {tools.length > 0 && (
          <div class="chips" role="group" aria-label="Only these tools">
            {tools.map((tool) => {
              const isChosen = chosen.includes(tool);
              const next = isChosen ? chosen.filter((one) => one !== tool) : [...chosen, tool];
              return (
                <button key={tool} type="button" class="chip" aria-pressed={isChosen} onClick={() => choose(next)}>
                  {visibleText(tool)} <span class="soft">{counts.get(tool) ?? 0}</span>
                </button>
              );
            })}
          </div>
        )}
        </>
      }
      below={isWhole && calls.length === 0 && <p class="nothing">The calls of the agent's tools appear here.</p>}
    />
  );
}

function ToolCall({ row }: { row: CallRow }) {
  const { parts, show } = usePage();
  const [open, toggle] = useOpen(parts, `tool-${row.key}`);
  const failed = hasFailed(row);
  return (
    <div class={`tool-call ${failed ? "bad" : "plain"}`}>
      <button type="button" class="tool-head" aria-expanded={open} onClick={toggle}>
        <Icon name={toolIcon(row.category)} />
        <strong>{visibleText(row.tool)}</strong>
        <span class="tool-about">{visibleText(row.summary)}</span>
        <Outcome outcome={row.outcome} />
        {row.tasks.some(({ end }) => end === null) && <span class="soft">in the background</span>}
        <Icon name="chevron" class="chevron" />
      </button>
      {open && (
        <div class="folded">
          {row.tasks.map((task) => (
            <TaskLine key={task.task_id} task={task} />
          ))}
          <CallDetail row={row} />
          <button type="button" class="text-button" onClick={() => show(row.id, row.agent_id)}>
            Show in the activity, {clockTime(row.at)}
          </button>
        </div>
      )}
    </div>
  );
}
