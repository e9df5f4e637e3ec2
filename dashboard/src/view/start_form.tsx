// A small form for an agent of one's own: a program, and what it should do.

import { useState } from "preact/hooks";
import { failureWords } from "../client/api.ts";
import type { Api } from "../client/api.ts";
import { commandWords } from "../client/command_words.ts";
import { startAgent } from "../client/start.ts";
import type { AgentState, ContainerView, Runtime, RuntimeView, StartAgent } from "../protocol/protocol.ts";
import { runtimeName } from "./format.ts";
import { Problem } from "./message.tsx";
import { agentPath, go } from "./route.ts";

interface StartFormProps {
  readonly api: Api;
  readonly town_id: string;
  /** What the container can run; null or without runtimes where that is not known yet. */
  readonly container: ContainerView | null;
  readonly close: () => void;
  readonly started: (agent: AgentState) => void;
}

const offered: readonly Runtime[] = ["claude_code", "codex", "gemini", "opencode", "kilo", "process"];

export function StartForm({ api, town_id, container, close, started }: StartFormProps) {
  const found = new Map<string, RuntimeView>((container?.runtimes ?? []).map((runtime) => [runtime.name, runtime]));
  const missing = (runtime: Runtime): RuntimeView | null => {
    const view = found.get(runtime);
    return view !== undefined && !view.found ? view : null;
  };
  const [runtime, setRuntime] = useState<Runtime>(offered.find((one) => missing(one) === null) ?? "process");
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const isCommand = runtime === "process";

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const agent: Omit<StartAgent, "rig_id"> = { name: name.trim() || runtimeName(runtime), role: "polecat", runtime };
    if (isCommand) {
      const command = commandWords(text);
      if (command === null) return setProblem("A quote in the command is not closed.");
      agent.command = command;
    } else {
      agent.prompt = text;
    }
    setBusy(true);
    setProblem(null);
    try {
      const made = await startAgent(api, town_id, agent);
      started(made.agent);
      go(agentPath(town_id, made.agent.agent_id));
    } catch (failure) {
      setProblem(failureWords(failure));
      setBusy(false);
    }
  }

  return (
    <form class="card start-form" onSubmit={(event) => void submit(event)} aria-label="Start an agent">
      <fieldset>
        <legend>What should run?</legend>
        <div class="choices">
          {offered.map((one) => (
            <label key={one} class={missing(one) === null ? "choice" : "choice missing"}>
              <input
                type="radio"
                name="runtime"
                checked={runtime === one}
                disabled={missing(one) !== null}
                onChange={() => setRuntime(one)}
              />
              <span class="choice-name">{runtimeName(one)}</span>
              <Installed view={found.get(one)} />
            </label>
          ))}
        </div>
        {found.size === 0 && <p class="hint">The container is not awake, so what it has installed shows after the start.</p>}
      </fieldset>
      <label class="field">
        <span>{isCommand ? "Command" : "What should it do?"}</span>
        {isCommand ? (
          <input
            class="mono"
            value={text}
            required
            spellcheck={false}
            autocomplete="off"
            placeholder="npm test"
            onInput={(event) => setText(event.currentTarget.value)}
          />
        ) : (
          <textarea
            rows={4}
            value={text}
            required
            placeholder="Find out why the build fails and fix it."
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
        {isCommand && (
          <span class="hint">
            Runs without a shell. For pipes and variables: <code>sh -c '…'</code>
          </span>
        )}
      </label>
      <label class="field">
        <span>Name</span>
        <input
          value={name}
          maxLength={200}
          autocomplete="off"
          placeholder={runtimeName(runtime)}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <Problem text={problem} />
      <div class="actions">
        <button type="submit" class="button primary" disabled={busy || text.trim() === ""}>
          {busy ? "Starting…" : "Start"}
        </button>
        <button type="button" class="button" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function Installed({ view }: { view: RuntimeView | undefined }) {
  if (view === undefined) return null;
  if (view.found) return <span class="soft">{view.version ?? (view.name === "process" ? "any program" : "installed")}</span>;
  return (
    <span class="soft install">
      Not installed. <code>{view.install}</code>
    </span>
  );
}
