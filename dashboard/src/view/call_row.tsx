// A tool call and its result in one row: the sentence, how it went, and both in full on demand.

import { QUIET_CALL_MS } from "../client/attention.ts";
import { LOOP_MIN } from "../client/failing_calls.ts";
import type { CallRow as Call, CallOutcome, Task } from "../client/row.ts";
import { hasFailed } from "../client/row.ts";
import { countWords, durationWords, fileSentence, taskWords } from "../client/sentences.ts";
import { withoutEscapes } from "../client/terminals.ts";
import { visibleText } from "../client/visible_text.ts";
import { Attachments } from "./attachments.tsx";
import { CallDetail } from "./call_detail.tsx";
import { minutesText } from "./format.ts";
import { useNow } from "./hooks.ts";
import { Icon, toolIcon } from "./icons.tsx";
import { Fold, RowFrame } from "./row_frame.tsx";

export function CallRow({ row, inside, inGroup }: { row: Call; inside: InsideProps | null; inGroup: boolean }) {
  const failed = typeof row.outcome === "object" && !row.outcome.success;
  return (
    <RowFrame row={row} icon={toolIcon(row.category)} tone={hasFailed(row) ? "bad" : "plain"} extra={`${row.category}${inGroup ? " in-group" : ""}`}>
      <Fold
        name={row.key}
        sentence={
          <>
            <span class="summary">{visibleText(row.summary)}</span> <Outcome outcome={row.outcome} />
            {/* What a sub-agent is at, its own calls say. */}
            {row.outcome === "open" && row.category !== "Task" && <Quiet since={row.at} />}
          </>
        }
      >
        {() => <CallDetail row={row} />}
      </Fold>
      {failed && typeof row.outcome === "object" && <p class="failure">{visibleText(firstLine(row.outcome.content))}</p>}
      {row.failures >= LOOP_MIN && <p class="failure">This has failed {countWords(row.failures, "time", "times")} in a row</p>}
      {row.tasks.map((task) => (
        <TaskLine key={task.task_id} task={task} />
      ))}
      {typeof row.outcome === "object" && row.outcome.attachments !== undefined && (
        <Attachments name={`${row.key}/attachments`} agent_id={row.agent_id} attachments={row.outcome.attachments} />
      )}
      {row.files.map((file) => (
        <p key={file.path} class="file-line">
          {visibleText(fileSentence(file))}
        </p>
      ))}
      {inside !== null && (
        <button type="button" class="text-button inside-button" aria-expanded={!inside.closed} onClick={inside.toggle}>
          {inside.closed ? "Show what its sub-agent did" : "Hide what its sub-agent did"}
        </button>
      )}
    </RowFrame>
  );
}

/** How what it left running stands: "runs in the background: Deploy". */
export function TaskLine({ task }: { task: Task }) {
  const { end, description } = task;
  const tone = end?.outcome === "failed" ? "failure" : end === null ? "task-line running" : "task-line";
  return (
    <p class={tone}>
      {visibleText(description)} <span class="task-stands">{visibleText(taskWords(task))}</span>
    </p>
  );
}

/** Says of a call that has had no result for long how long that is. */
function Quiet({ since }: { since: string }) {
  const now_ms = useNow(true);
  if (now_ms - Date.parse(since) < QUIET_CALL_MS) return null;
  return <span class="quiet-call">no result for {minutesText(since, now_ms)}</span>;
}

/** The rows of a call's sub-agent, and whether they are hidden. */
export interface InsideProps {
  readonly closed: boolean;
  readonly toggle: () => void;
}

export function Outcome({ outcome }: { outcome: CallOutcome }) {
  if (outcome === "open") return <span class="outcome open">running</span>;
  if (outcome === "interrupted") return <span class="outcome">interrupted</span>;
  if (outcome === "abandoned") return <span class="outcome">no result</span>;
  return (
    <span class={outcome.success ? "outcome good" : "outcome bad"}>
      <Icon name={outcome.success ? "check" : "cross"} />
      <span class="hidden">{outcome.success ? "succeeded" : "failed"}</span>
      {outcome.duration_ms > 0 && <span class="duration">{durationWords(outcome.duration_ms)}</span>}
    </span>
  );
}

function firstLine(content: string): string {
  const line = withoutEscapes(content.slice(0, 2_000)).trim().split("\n", 1)[0] ?? "";
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
