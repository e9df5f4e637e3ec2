// Requests' bodies, and answers in Townwatch's envelope.

const BODY_BYTES_MAX = 4 << 20;
const HEADERS = { "content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff" };

export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const invalid = (field: string, problem: string) => new Refusal(400, "invalid_request", `${field}: ${problem}`);
export const noSuchPath = () => new Refusal(404, "not_found", "no such path");

/** A success that carries `json`, which is JSON already. */
export const successOf = (status: number, json: string) => new Response(`{"success":true,"data":${json}}`, { status, headers: HEADERS });
export const success = (status: number, data: unknown) => successOf(status, JSON.stringify(data));

export function failure(error: unknown): Response {
  if (!(error instanceof Refusal)) {
    console.error(error instanceof Error ? error.stack : String(error));
    return failure(new Refusal(500, "internal", "internal"));
  }
  const { status, code, message } = error;
  return new Response(JSON.stringify({ success: false, error: { code, message } }), { status, headers: HEADERS });
}

/** Answers with what `work` gives, or with the refusal that it throws. */
export async function answered(work: () => Response | Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    return failure(error);
  }
}

export async function readBody(request: Request): Promise<unknown> {
  const tooLarge = new Refusal(413, "too_large", "the body is too large");
  if (Number(request.headers.get("content-length") ?? 0) > BODY_BYTES_MAX) throw tooLarge;
  const type = request.headers.get("content-type")?.split(";")[0];
  if (type?.trim().toLowerCase() !== "application/json") throw new Refusal(415, "unsupported_media_type", "send JSON");
  const text = await request.text();
  if (text.length > BODY_BYTES_MAX) throw tooLarge;
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("body", "is not JSON");
  }
}
