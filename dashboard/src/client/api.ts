// The REST routes that the dashboard calls. Every answer is in the envelope
// {"success":true,"data":…} | {"success":false,"error":{code,message,details?}}.

import type {
  AgentState,
  AgentTokens,
  AnswerAgent,
  BrowserSession,
  BudgetChange,
  EventsPage,
  RigRequest,
  RigView,
  RunView,
  StartAgent,
  StopAgent,
  TicketView,
  TownChange,
  TownEvent,
  TownSummary,
  TownView,
} from "../protocol/protocol.ts";
import type { Fetch } from "./edges.ts";
import { keepSources } from "./event_source.ts";

/** What signs a browser in: the key, or the code of a link. */
export type Proof = { readonly key: string } | { readonly code: string };

/** Where an answer has a page's events. */
const PAGE = ["data", "events"];

/** A call that did not succeed. `status` is 0 and `code` `unreachable` where no answer came at all. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string;
  /** What the answer asked to wait, 0 where it said nothing. */
  readonly retry_after_ms: number;
  /** What else the refusal says. */
  readonly details: Readonly<Record<string, unknown>> | null;

  constructor(status: number, code: string, message: string, retry_after_ms = 0, details: Readonly<Record<string, unknown>> | null = null) {
    super(message);
    this.name = "ApiFailure";
    this.status = status;
    this.code = code;
    this.retry_after_ms = retry_after_ms;
    this.details = details;
  }
}

/** What to show of anything thrown. */
export function failureWords(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

export class Api {
  readonly #fetch: Fetch;

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  /** Resolves if the browser is signed in; 401 otherwise. */
  session(): Promise<{ readonly session_id?: string }> {
    return this.#call("GET", "/api/session");
  }

  signIn(proof: Proof): Promise<unknown> {
    return this.#call("POST", "/api/session", proof);
  }

  /** The browsers that are signed in. */
  sessions(): Promise<BrowserSession[]> {
    return this.#call("GET", "/api/sessions");
  }

  endSession(session_id: string): Promise<unknown> {
    return this.#call("DELETE", `/api/sessions/${encodeURIComponent(session_id)}`);
  }

  endSessions(): Promise<unknown> {
    return this.#call("DELETE", "/api/sessions");
  }

  signOut(): Promise<unknown> {
    return this.#call("DELETE", "/api/session");
  }

  agentTokens(rig_id: string, agent_id: string): Promise<AgentTokens> {
    return this.#call("GET", tokensRoute(rig_id, agent_id));
  }

  revokeAgentToken(rig_id: string, agent_id: string, token_id: string): Promise<unknown> {
    return this.#call("DELETE", `${tokensRoute(rig_id, agent_id)}/${encodeURIComponent(token_id)}`);
  }

  revokeAgentTokens(rig_id: string, agent_id: string): Promise<unknown> {
    return this.#call("DELETE", tokensRoute(rig_id, agent_id));
  }

  towns(): Promise<TownSummary[]> {
    return this.#call("GET", "/api/towns");
  }

  createTown(name: string): Promise<TownSummary> {
    return this.#call("POST", "/api/towns", { name });
  }

  town(town_id: string): Promise<TownView> {
    return this.#call("GET", townPath(town_id));
  }

  changeTown(town_id: string, change: TownChange): Promise<TownSummary> {
    return this.#call("PATCH", townPath(town_id), change);
  }

  changeAgent(town_id: string, agent_id: string, change: BudgetChange): Promise<AgentState> {
    return this.#call("PATCH", agentRoute(town_id, agent_id), change);
  }

  agents(town_id: string): Promise<AgentState[]> {
    return this.#call("GET", `${townPath(town_id)}/agents`);
  }

  agent(town_id: string, agent_id: string): Promise<AgentState> {
    return this.#call("GET", agentRoute(town_id, agent_id));
  }

  /** A page of the archived agents, by id, behind one of them. */
  archivedAgents(town_id: string, after_agent_id: string | null): Promise<AgentState[]> {
    const after = after_agent_id === null ? "" : `&after_agent_id=${encodeURIComponent(after_agent_id)}`;
    return this.#call("GET", `${townPath(town_id)}/agents?archived=true${after}`);
  }

  archiveAgent(town_id: string, agent_id: string): Promise<AgentState> {
    return this.#call("POST", `${agentRoute(town_id, agent_id)}/archive`);
  }

  bringAgentBack(town_id: string, agent_id: string): Promise<AgentState> {
    return this.#call("DELETE", `${agentRoute(town_id, agent_id)}/archive`);
  }

  runs(town_id: string, agent_id: string): Promise<RunView[]> {
    return this.#call("GET", `${agentRoute(town_id, agent_id)}/runs`);
  }

  /** A page of all agents' events; `query` as PROTOCOL.md has it. */
  townEvents(town_id: string, query: string): Promise<EventsPage> {
    return this.#call("GET", `${townPath(town_id)}/events?${query}`, undefined, PAGE);
  }

  createRig(town_id: string, rig: RigRequest): Promise<RigView> {
    return this.#call("POST", `${townPath(town_id)}/rigs`, rig);
  }

  startAgent(town_id: string, agent: StartAgent): Promise<AgentState> {
    return this.#call("POST", `${townPath(town_id)}/container/agents/start`, agent);
  }

  stopAgent(town_id: string, agent_id: string, stop: StopAgent): Promise<unknown> {
    return this.#call("POST", `${townPath(town_id)}/container/agents/${encodeURIComponent(agent_id)}/stop`, stop);
  }

  deleteAgent(town_id: string, agent_id: string): Promise<unknown> {
    return this.#call("DELETE", agentRoute(town_id, agent_id));
  }

  sendMessage(town_id: string, agent_id: string, prompt: string): Promise<unknown> {
    return this.#call("POST", `${townPath(town_id)}/container/agents/${encodeURIComponent(agent_id)}/message`, { prompt });
  }

  answer(town_id: string, agent_id: string, answer: AnswerAgent): Promise<unknown> {
    return this.#call("POST", `${townPath(town_id)}/agents/${encodeURIComponent(agent_id)}/answer`, answer);
  }

  streamTicket(town_id: string): Promise<TicketView> {
    return this.#call("POST", `${townPath(town_id)}/stream-ticket`, {});
  }

  /** A page of an agent's events; `query` as PROTOCOL.md has it. */
  agentEvents(town_id: string, agent_id: string, query: string): Promise<EventsPage> {
    return this.#call("GET", `${agentRoute(town_id, agent_id)}/events?${query}`, undefined, PAGE);
  }

  /** One event, whole. */
  event(town_id: string, id: number): Promise<TownEvent> {
    return this.#call("GET", `${townPath(town_id)}/events/${id}`, undefined, ["data"]);
  }

  /** Why a picture cannot be shown; null where it is there. */
  async imageProblem(path: string): Promise<ApiFailure | null> {
    try {
      const answer = await this.#fetch(path, { method: "GET", headers: { accept: "image/*" } });
      if (answer.status === 200) return null;
      return failureOf(answer.status, await answer.text(), retryAfter_ms(answer.headers.get("retry-after"), Date.now()));
    } catch {
      return new ApiFailure(0, "unreachable", "The server can not be reached. Is it running?");
    }
  }

  // The one place where an answer gets its type: both sides are generated from the same Rust types. `events_at` says
  // where in the answer its events are.
  async #call<Data>(method: string, path: string, body?: unknown, events_at?: readonly string[]): Promise<Data> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    let status: number;
    let text: string;
    let retry_after_ms: number;
    try {
      const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
      const answer = await this.#fetch(path, init);
      status = answer.status;
      retry_after_ms = retryAfter_ms(answer.headers.get("retry-after"), Date.now());
      text = await answer.text();
    } catch {
      throw new ApiFailure(0, "unreachable", "The server can not be reached. Is it running?");
    }
    if (status === 204) return undefined as Data;
    const envelope = parseEnvelope(text);
    if (envelope?.success === true) {
      if (events_at !== undefined) keepSources(text, envelope, events_at);
      return envelope.data as Data;
    }
    throw failureOf(status, text, retry_after_ms);
  }
}

/** The failure that an answer is. */
export function failureOf(status: number, text: string, retry_after_ms: number): ApiFailure {
  const error = parseEnvelope(text)?.error;
  const code = typeof error?.code === "string" ? error.code : "internal";
  const message = typeof error?.message === "string" ? error.message : `The server answered ${status} without a reason.`;
  const details = typeof error?.details === "object" ? (error.details as Readonly<Record<string, unknown>> | null) : null;
  return new ApiFailure(status, code, message, retry_after_ms, details);
}

/** What `Retry-After` asks to wait: seconds or a date; 0 where it says nothing. */
export function retryAfter_ms(header: string | null, now_ms: number): number {
  if (header === null) return 0;
  const seconds = Number(header);
  const wait_ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now_ms;
  return Number.isFinite(wait_ms) ? Math.max(0, wait_ms) : 0;
}

/** Where the town has a picture that a tool gave. */
export function imagePath(town_id: string, agent_id: string, image_id: string): string {
  return `${agentRoute(town_id, agent_id)}/images/${encodeURIComponent(image_id)}`;
}

function townPath(town_id: string): string {
  return `/api/towns/${encodeURIComponent(town_id)}`;
}

function agentRoute(town_id: string, agent_id: string): string {
  return `${townPath(town_id)}/agents/${encodeURIComponent(agent_id)}`;
}

function tokensRoute(rig_id: string, agent_id: string): string {
  return `/api/rigs/${encodeURIComponent(rig_id)}/agents/${encodeURIComponent(agent_id)}/tokens`;
}

interface Envelope {
  success?: unknown;
  data?: unknown;
  error?: { code?: unknown; message?: unknown; details?: unknown };
}

function parseEnvelope(text: string): Envelope | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Envelope) : null;
  } catch {
    return null;
  }
}
