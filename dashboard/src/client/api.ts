// The REST routes that the dashboard calls. Every answer is in the envelope
// {"success":true,"data":…} | {"success":false,"error":{code,message,details?}}.

import type {
  AgentState,
  RigRequest,
  RigView,
  StartAgent,
  StopAgent,
  TicketView,
  TownSummary,
  TownView,
} from "../protocol/protocol.ts";
import type { Fetch } from "./edges.ts";

/** A call that did not succeed. `status` is 0 and `code` `unreachable` where no answer came at all. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string;
  /** What the answer asked to wait, 0 where it said nothing. */
  readonly retry_after_ms: number;

  constructor(status: number, code: string, message: string, retry_after_ms = 0) {
    super(message);
    this.name = "ApiFailure";
    this.status = status;
    this.code = code;
    this.retry_after_ms = retry_after_ms;
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
  session(): Promise<unknown> {
    return this.#call("GET", "/api/session");
  }

  signIn(key: string): Promise<unknown> {
    return this.#call("POST", "/api/session", { key });
  }

  signOut(): Promise<unknown> {
    return this.#call("DELETE", "/api/session");
  }

  towns(): Promise<TownSummary[]> {
    return this.#call("GET", "/api/towns");
  }

  createTown(name: string): Promise<TownSummary> {
    return this.#call("POST", "/api/towns", { name });
  }

  town(town_id: string): Promise<TownView> {
    return this.#call("GET", `/api/towns/${encodeURIComponent(town_id)}`);
  }

  createRig(town_id: string, rig: RigRequest): Promise<RigView> {
    return this.#call("POST", `/api/towns/${encodeURIComponent(town_id)}/rigs`, rig);
  }

  startAgent(town_id: string, agent: StartAgent): Promise<AgentState> {
    return this.#call("POST", `/api/towns/${encodeURIComponent(town_id)}/container/agents/start`, agent);
  }

  stopAgent(town_id: string, agent_id: string, stop: StopAgent): Promise<unknown> {
    const path = `/api/towns/${encodeURIComponent(town_id)}/container/agents/${encodeURIComponent(agent_id)}/stop`;
    return this.#call("POST", path, stop);
  }

  streamTicket(town_id: string): Promise<TicketView> {
    return this.#call("POST", `/api/towns/${encodeURIComponent(town_id)}/stream-ticket`, {});
  }

  // The one place where an answer gets its type: both sides are generated from the same Rust types.
  async #call<Data>(method: string, path: string, body?: unknown): Promise<Data> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    let status: number;
    let text: string;
    let retry_after_ms: number;
    try {
      const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
      const answer = await this.#fetch(path, init);
      status = answer.status;
      retry_after_ms = (Number(answer.headers.get("retry-after")) || 0) * 1000;
      text = await answer.text();
    } catch {
      throw new ApiFailure(0, "unreachable", "The server can not be reached. Is it running?");
    }
    if (status === 204) return undefined as Data;
    const envelope = parseEnvelope(text);
    if (envelope?.success === true) return envelope.data as Data;
    const code = typeof envelope?.error?.code === "string" ? envelope.error.code : "internal";
    const message =
      typeof envelope?.error?.message === "string" ? envelope.error.message : `The server answered ${status} without a reason.`;
    throw new ApiFailure(status, code, message, retry_after_ms);
  }
}

interface Envelope {
  success?: unknown;
  data?: unknown;
  error?: { code?: unknown; message?: unknown };
}

function parseEnvelope(text: string): Envelope | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Envelope) : null;
  } catch {
    return null;
  }
}
