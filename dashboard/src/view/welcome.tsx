import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { failureWords } from "../client/api.ts";
import { startDemo } from "../client/start.ts";
import type { AgentState } from "../protocol/protocol.ts";
import { Icon } from "./icons.tsx";
import { Problem } from "./message.tsx";
import { agentPath, go } from "./route.ts";

/** What a town without agents shows. */
export function Welcome({ children }: { children: ComponentChildren }) {
  return (
    <section class="welcome">
      <Icon name="lantern" class="message-icon" />
      <h1>All quiet in town</h1>
      <p>
        No agent is here yet. Start the demo to watch a recorded coding agent read, think, edit and test, just as a real one
        would. It needs no key and costs nothing.
      </p>
      {children}
    </section>
  );
}

interface DemoButtonProps {
  readonly api: Api;
  /** Null where there is no town yet: one is made. */
  readonly town_id: string | null;
  /** Whether it is what a person should do first here. */
  readonly isFirst: boolean;
  readonly started?: (agent: AgentState) => void;
}

/** One click from nothing to a working agent, and to the page that shows it. */
export function DemoButton({ api, town_id, isFirst, started }: DemoButtonProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  async function start(): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      const made = await startDemo(api, town_id);
      started?.(made.agent);
      go(agentPath(made.town_id, made.agent.agent_id));
    } catch (failure) {
      setProblem(failureWords(failure));
    }
    setBusy(false);
  }

  return (
    <div class="demo">
      <button type="button" class={isFirst ? "button primary" : "button"} disabled={busy} onClick={() => void start()}>
        <Icon name="play" />
        {busy ? "Starting…" : "Start the demo agent"}
      </button>
      <Problem text={problem} />
    </div>
  );
}
