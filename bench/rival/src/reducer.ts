// An agent's state out of its events: those kinds that the measurement posts, and the commonest others.

const TEXT_CHARS_MAX = 200;
const OPEN_CALLS_MAX = 64;

export interface Run {
  run_id: string;
  number: number;
}

// biome-ignore lint/suspicious/noExplicitAny: the data of an event has any form.
type Data = any;

export interface State {
  agent_id: string;
  rig_id: string;
  name: string;
  role: string;
  status: string;
  run_id: string | null;
  run_number: number;
  message_count: number;
  tool_call_count: number;
  outstanding_llm_calls: number;
  outstanding_tool_calls: { tool_use_id: string; tool: string; since: number }[];
  usage: Record<string, number>;
  files_changed: number;
  lines_added: number;
  lines_removed: number;
  todos: unknown[];
  progress: unknown;
  activity: { kind: string; detail?: string | undefined; since: number } | null;
  first_event_id: number | null;
  last_event_id: number | null;
  last_event_at: number | null;
  started_at: number | null;
  ended_at: number | null;
  exit: unknown;
}

export function newState({ agent_id, rig_id, name, role }: Pick<State, "agent_id" | "rig_id" | "name" | "role">): State {
  return {
    agent_id, rig_id, name, role, status: "idle", run_id: null, run_number: 0, message_count: 0, tool_call_count: 0,
    outstanding_llm_calls: 0, outstanding_tool_calls: [], usage: {}, files_changed: 0, lines_added: 0, lines_removed: 0,
    todos: [], progress: null, activity: null, first_event_id: null, last_event_id: null, last_event_at: null,
    started_at: null, ended_at: null, exit: null,
  };
}

const clipped = (text: unknown) => (typeof text === "string" ? text.slice(0, TEXT_CHARS_MAX) : "");

/** The state after the event `id` of a run; it may be the same object, changed. */
export function reduced(before: State, id: number, run: Run, event: string, data: Data, at: number): State {
  const state = run.number > before.run_number ? startedState(before, run, id, at) : before;
  state.last_event_id = id;
  state.last_event_at = at;
  if (run.number === state.run_number) apply(state, event, data, at);
  return state;
}

function startedState(before: State, run: Run, id: number, at: number): State {
  const activity = { kind: "thinking", since: at };
  return { ...newState(before), run_id: run.run_id, run_number: run.number, status: "running", first_event_id: id, started_at: at, activity };
}

function apply(state: State, event: string, data: Data, at: number) {
  const act = (kind: string, detail?: string) => {
    if (state.activity?.kind !== kind || state.activity.detail !== detail) state.activity = { kind, detail, since: at };
  };
  const think = () => {
    if (state.outstanding_tool_calls.length === 0 && state.exit === null) act("thinking");
  };
  switch (event) {
    case "agent_output":
      if (data?.stream === "assistant" || data?.stream === "thinking") state.message_count += 1;
      return think();
    case "agent_tool_call":
      state.tool_call_count += 1;
      state.outstanding_llm_calls = 0;
      if (state.outstanding_tool_calls.length < OPEN_CALLS_MAX) {
        state.outstanding_tool_calls.push({ tool_use_id: clipped(data?.tool_use_id), tool: clipped(data?.tool), since: at });
      }
      return act("tool", clipped(data?.summary));
    case "agent_tool_result":
      state.outstanding_tool_calls = state.outstanding_tool_calls.filter((call) => call.tool_use_id !== data?.tool_use_id);
      if (state.outstanding_tool_calls.length > 0) return;
      state.outstanding_llm_calls = 1;
      return think();
    case "agent_usage":
      for (const [name, value] of Object.entries(data ?? {})) if (typeof value === "number") state.usage[name] = (state.usage[name] ?? 0) + value;
      return;
    case "file_changed":
      state.files_changed += 1;
      state.lines_added += data?.lines_added ?? 0;
      state.lines_removed += data?.lines_removed ?? 0;
      return;
    case "progress_update":
      state.progress = data;
      return;
    case "agent.status":
      state.status = data?.status;
      return;
    case "agent.exited":
      state.status = data?.reason === "completed" ? "exited" : "failed";
      state.exit = data;
      state.ended_at = at;
      return act("ended");
  }
}
