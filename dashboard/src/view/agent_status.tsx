// Where an agent stands, the same on its card and on its page.

import { useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { failureWords } from "../client/api.ts";
import { silentSince } from "../client/attention.ts";
import { questionsSentence } from "../client/questions.ts";
import type { Tone } from "../client/row.ts";
import { countWords, endSentence, statusSentence } from "../client/sentences.ts";
import { atWork } from "../client/town_store.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState } from "../protocol/protocol.ts";
import { minutesText, remainingText, sinceText } from "./format.ts";
import { Icon } from "./icons.tsx";
import { Problem } from "./message.tsx";

interface Standing {
  /** One word, or two. */
  readonly word: string;
  readonly tone: Tone | "working" | "quiet";
}

const words = {
  idle: { word: "Idle", tone: "quiet" },
  starting: { word: "Starting", tone: "working" },
  running: { word: "Running", tone: "working" },
  waiting: { word: "Waiting", tone: "quiet" },
  stopping: { word: "Stopping", tone: "warning" },
  exited: { word: "Ended", tone: "quiet" },
  failed: { word: "Failed", tone: "bad" },
} as const satisfies Record<AgentState["status"], Standing>;

const endings = {
  completed: { word: "Finished", tone: "good" },
  failed: { word: "Failed", tone: "bad" },
  stopped: { word: "Stopped", tone: "quiet" },
  timeout: { word: "Timed out", tone: "bad" },
  budget_exceeded: { word: "Over budget", tone: "bad" },
  lost: { word: "Lost", tone: "bad" },
} as const satisfies Record<string, Standing>;

export function standing(agent: AgentState): Standing {
  if (!atWork(agent) && agent.exit !== null) return endings[agent.exit.reason];
  const asked = agent.questions.length;
  if (asked > 0) return { word: asked === 1 ? "Needs an answer" : countWords(asked, "question", "questions"), tone: "warning" };
  if (silentSince(agent) !== null) return { word: "Silent", tone: "warning" };
  if (agent.activity?.kind === "background" && agent.status !== "stopping") return { word: "In the background", tone: "working" };
  return words[agent.status];
}

export function StatusPill({ agent }: { agent: AgentState }) {
  const { word, tone } = standing(agent);
  return (
    <span class={`pill ${tone}`}>
      <span class="dot" aria-hidden="true" />
      {word}
    </span>
  );
}

/** What the agent is at, or how it ended: one sentence. */
export function activitySentence(agent: AgentState, now_ms: number): string {
  if (!atWork(agent) && agent.exit !== null) return endSentence(agent.exit, null).text;
  if (agent.questions.length > 0) return questionsSentence(agent.questions);
  const { activity, runtime } = agent;
  const silent = silentSince(agent);
  if (silent !== null) {
    return runtime === null ? `Nothing heard for ${minutesText(silent, now_ms)}` : `Nothing heard from its container for ${sinceText(silent, now_ms)}`;
  }
  if (activity === null) return statusSentence(agent.status);
  switch (activity.kind) {
    case "thinking":
      return activity.detail ?? (runtime === "process" ? "Running its command" : "Thinking");
    case "tool":
      return activity.detail ?? "Using a tool";
    case "background": {
      const tasks = agent.background_tasks.map(({ description }) => description).join(", ");
      return `Working in the background${tasks === "" ? "" : `: ${tasks}`}`;
    }
    case "waiting":
      return activity.detail ?? (agent.takes_messages ? "Waiting for a message" : "Done for now");
    default:
      return activity.detail ?? statusSentence(agent.status);
  }
}

/** Stops politely; where that is under way already, offers to end it at once. Who posts from elsewhere is told at its next post. */
export function StopButton({ api, town_id, agent }: { api: Api; town_id: string; agent: AgentState }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  if (!atWork(agent)) return null;
  const hint = agent.runtime === null ? "Ends its run here at once. The agent itself is told at its next post, wherever it runs." : undefined;
  const stopping = agent.status === "stopping";

  async function stop(): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      await api.stopAgent(town_id, agent.agent_id, stopping ? { signal: "SIGKILL" } : {});
    } catch (failure) {
      setProblem(failureWords(failure));
    }
    setBusy(false);
  }

  return (
    <span class="stop">
      <button type="button" class="button small" disabled={busy} onClick={() => void stop()} title={hint} aria-label={`${stopping ? "Kill" : "Stop"} ${agent.name}`}>
        <Icon name="stop" />
        {stopping ? "Kill" : "Stop"}
      </button>
      <Problem text={problem} />
    </span>
  );
}

/** How far the run is, where that is known. */
export function ProgressBar({ agent }: { agent: AgentState }) {
  const percentage = agent.progress?.percentage ?? null;
  if (percentage === null || !atWork(agent)) return null;
  return (
    <div
      class="progress"
      role="progressbar"
      aria-label={visibleText(agent.progress?.current_phase ?? "Progress")}
      aria-valuenow={Math.round(percentage)}
      aria-valuemin={0}
      aria-valuemax={100}
      title={remainingText(agent)}
    >
      <div style={{ width: `${Math.min(100, Math.max(0, percentage))}%` }} />
    </div>
  );
}
