// The part of workerd's interface that the rival uses and that browsers do not have.

type SqlValue = string | number | null;

interface SqlCursor<Row> extends Iterable<Row> {
  toArray(): Row[];
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

interface SqlStorage {
  exec<Row>(statements: string, ...parameters: SqlValue[]): SqlCursor<Row>;
}

interface DurableObjectStorage {
  readonly sql: SqlStorage;
  transactionSync<Result>(work: () => Result): Result;
  setAlarm(at_ms: number): Promise<void>;
  deleteAlarm(): Promise<void>;
}

interface DurableObjectState {
  readonly storage: DurableObjectStorage;
  acceptWebSocket(socket: WebSocket, tags: string[]): void;
  getWebSockets(tag: string): WebSocket[];
  setWebSocketAutoResponse(pair: WebSocketRequestResponsePair): void;
}

interface DurableObjectNamespace {
  getByName(name: string): { fetch(input: Request | string, init?: RequestInit): Promise<Response> };
}

declare class WebSocketRequestResponsePair {
  constructor(request: string, response: string);
}

declare class WebSocketPair {
  readonly 0: WebSocket;
  readonly 1: WebSocket;
}

interface ResponseInit {
  /** The client's end of a pair, with status 101. */
  webSocket?: WebSocket;
}

interface SubtleCrypto {
  timingSafeEqual(one: ArrayBufferView, other: ArrayBufferView): boolean;
}

interface Env {
  readonly TOWN: DurableObjectNamespace;
  readonly RIG: DurableObjectNamespace;
  readonly TOWNWATCH_API_KEY: string;
  readonly CONTAINER_URL: string;
}

declare module "cloudflare:workers" {
  export abstract class DurableObject {
    protected readonly ctx: DurableObjectState;
    protected readonly env: Env;
    constructor(ctx: DurableObjectState, env: Env);
  }
}
