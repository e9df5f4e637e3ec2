// Starts an agent of any kind: what runs, what it should do, and who it is in the town.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { failureWords } from "../client/api.ts";
import { commandWords } from "../client/command_words.ts";
import { sandboxWords } from "../client/sandbox_words.ts";
import { startAgent } from "../client/start.ts";
import type { AgentState, ContainerView, Role, Runtime, RuntimeView, StartAgent } from "../protocol/protocol.ts";
import { RUNTIMES } from "../protocol/runtimes.ts";
import { Amount, amountOf } from "./day_budget.tsx";
import { runtimeName } from "./format.ts";
import { Problem } from "./message.tsx";
import { agentPath, go } from "./route.ts";

interface StartFormProps {
  readonly api: Api;
  readonly town_id: string;
  /** What the container can run; null or without runtimes where that is not known yet. */
  readonly container: ContainerView | null;
  /** What is chosen at first. */
  readonly role: Role;
  readonly close: () => void;
  readonly started: (agent: AgentState) => void;
}

type Order = Omit<StartAgent, "rig_id">;

const offered = Object.keys(RUNTIMES) as readonly Runtime[];

const roles: readonly (readonly [Role, string])[] = [
  ["polecat", "polecat: does one piece of work"],
  ["mayor", "mayor: coordinates, and has a chat"],
  ["refinery", "refinery: brings work together"],
  ["witness", "witness: watches the others"],
];

const speeds: readonly (readonly [string, string])[] = [
  ["0.06", "slowly, to follow it"],
  ["1", "as fast as it was"],
  ["0", "all at once"],
];

export function StartForm({ api, town_id, container, role, close, started }: StartFormProps) {
  const found = new Map<string, RuntimeView>((container?.runtimes ?? []).map((runtime) => [runtime.name, runtime]));
  const isMissing = (runtime: Runtime): boolean => found.get(runtime)?.found === false;
  // What can be started stands first.
  const choices = [...offered].sort((one, other) => Number(isMissing(one)) - Number(isMissing(other)));
  const [runtime, setRuntime] = useState<Runtime>(choices[0] ?? "process");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const where = sandboxWords(runtime, container?.sandbox);
  const model = RUNTIMES[runtime].model_example;
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => form.current?.querySelector<HTMLInputElement>("input:checked")?.focus(), []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (form.current === null) return;
    const order = orderOf(runtime, new FormData(form.current));
    if (typeof order === "string") return setProblem(order);
    setBusy(true);
    setProblem(null);
    try {
      const made = await startAgent(api, town_id, order);
      started(made.agent);
      close();
      go(agentPath(town_id, made.agent.agent_id));
    } catch (failure) {
      setProblem(failureWords(failure));
      setBusy(false);
    }
  }

  return (
    <form
      class="card start-form"
      ref={form}
      onSubmit={(event) => void submit(event)}
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
      aria-label="Start an agent"
    >
      <fieldset>
        <legend>What should run?</legend>
        <div class="choices">
          {choices.map((one) => (
            <label key={one} class={isMissing(one) ? "choice absent" : "choice"}>
              <input type="radio" name="runtime" checked={runtime === one} disabled={isMissing(one)} onChange={() => setRuntime(one)} />
              <span class="choice-name">{runtimeName(one)}</span>
              <Installed view={found.get(one)} />
            </label>
          ))}
        </div>
        {where !== null && <p class="hint">{where}</p>}
        {container?.agents_apart === false && (
          <p class="hint">
            Agents run here as the control server's own user: each can read that user's files and keys, and end or alter what
            else runs as it. Start none that you would not run yourself.
          </p>
        )}
        {found.size === 0 && <p class="hint">The container is not awake, so what it has installed shows after the start.</p>}
      </fieldset>
      <Work runtime={runtime} recordings={found.get("replay")?.recordings ?? []} />
      <div class="fields">
        <Field name="Name">
          <input name="name" maxLength={200} autocomplete="off" placeholder={runtimeName(runtime)} />
        </Field>
        <Field name="Role">
          <select name="role">
            {roles.map(([one, words]) => (
              <option key={one} value={one} selected={one === role}>
                {words}
              </option>
            ))}
          </select>
        </Field>
        {model !== undefined && (
          <Field name="Model" hint="Empty: the program's own choice.">
            <input name="model" class="mono" maxLength={200} autocomplete="off" spellcheck={false} placeholder={model} />
          </Field>
        )}
        {model !== undefined && (
          <Field name="Branch" hint="Empty: the rig's default branch.">
            <input name="branch" class="mono" maxLength={200} autocomplete="off" spellcheck={false} placeholder="main" />
          </Field>
        )}
        <Amount name="max_cost_usd" title="At most, in US dollars" />
        <Amount name="max_tokens" title="At most, in tokens" />
        <Amount name="timeout_seconds" title="At most, in seconds" />
      </div>
      <Problem text={problem} />
      <div class="actions">
        <button type="submit" class="button primary" disabled={busy}>
          {busy ? "Starting…" : "Start"}
        </button>
        <button type="button" class="button" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  );
}

/** The order that the form says, or what is wrong with it. */
function orderOf(runtime: Runtime, form: FormData): Order | string {
  const text = (name: string): string => String(form.get(name) ?? "").trim();
  const role = roles.find(([one]) => one === text("role"))?.[0] ?? "polecat";
  const order: Order = { name: text("name") || runtimeName(runtime), role, runtime, ...boundsOf(form) };
  if (runtime === "replay") return { ...order, transcript: text("transcript") || "demo", speed: Number(text("speed")) };
  const work = text("work");
  if (work === "") return runtime === "process" ? "Which command should run?" : "Say what it should do.";
  if (runtime === "process") {
    const command = commandWords(work);
    return command === null ? "A quote in the command is not closed." : { ...order, command };
  }
  const [model, branch] = [text("model"), text("branch")];
  return { ...order, prompt: work, ...(model === "" ? {} : { model }), ...(branch === "" ? {} : { branch }) };
}

/** What the run may take at most; what is left empty is not in it. */
function boundsOf(form: FormData): Pick<Order, "max_cost_usd" | "max_tokens" | "timeout_seconds"> {
  const bounds = ["max_cost_usd", "max_tokens", "timeout_seconds"].map((name) => [name, amountOf(form, name)] as const);
  return Object.fromEntries(bounds.filter(([, amount]) => amount !== undefined));
}

/** What it should do: a prompt, a command, or a recording. */
function Work({ runtime, recordings }: { runtime: Runtime; recordings: readonly string[] }) {
  if (runtime === "replay") {
    return (
      <div class="fields">
        <Field name="Recording">
          {recordings.length === 0 ? (
            <input name="transcript" class="mono" autocomplete="off" spellcheck={false} placeholder="demo" />
          ) : (
            <select name="transcript">
              {recordings.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
        </Field>
        <Field name="Played">
          <select name="speed">
            {speeds.map(([speed, words]) => (
              <option key={speed} value={speed}>
                {words}
              </option>
            ))}
          </select>
        </Field>
      </div>
    );
  }
  if (runtime === "process") {
    return (
      <Field
        name="Command"
        hint={
          <>
            Runs without a shell. For pipes and variables: <code>sh -c '…'</code>
          </>
        }
      >
        <input name="work" class="mono" required spellcheck={false} autocomplete="off" placeholder="npm test" />
      </Field>
    );
  }
  return (
    <Field name="What should it do?">
      <textarea name="work" rows={4} required placeholder="Find out why the build fails and fix it." />
    </Field>
  );
}

function Field({ name, hint, children }: { name: string; hint?: ComponentChildren; children: ComponentChildren }) {
  return (
    <label class="field">
      <span>{name}</span>
      {children}
      {hint !== undefined && <span class="hint">{hint}</span>}
    </label>
  );
}

function Installed({ view }: { view: RuntimeView | undefined }) {
  if (view === undefined) return null;
  if (view.found) return <span class="soft">{view.version ?? foundWords(view)}</span>;
  return (
    <span class="soft install">
      Not installed. <code>{view.install}</code>
    </span>
  );
}

function foundWords({ name }: RuntimeView): string {
  if (name === "process") return "any program";
  return name === "replay" ? "of a real agent" : "installed";
}
