// Plain HTTP for tests: any method, any header, any body, a connection of its own, and the raw text that came back.

import http from "node:http";

/**
 * Resolves to `{status, headers, bytes, text, json}`; `json` is undefined where the text is none.
 *
 * @param {string | URL} url
 * @param {{ method?: string, headers?: { [name: string]: any }, body?: string | Buffer, timeout_ms?: number }} [options]
 * @returns {Promise<any>}
 */
export function request(url, { method = "GET", headers = {}, body, timeout_ms = 60_000 } = {}) {
  return new Promise((resolve, reject) => {
    const wire = http.request(url, { method, headers, agent: false }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString("utf8");
        resolve({ status: answer.statusCode, headers: answer.headers, bytes, text, json: parsed(text) });
      });
    });
    wire.setTimeout(timeout_ms, () => wire.destroy(new Error(`${method} ${url}: no answer within ${timeout_ms} ms`)));
    wire.on("error", reject);
    if (body !== undefined) wire.write(body);
    wire.end();
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * A caller of the REST API as `token` (the operator's key, an agent's token, or null for nobody).
 *
 * `api(method, path, body, {token, headers})` sends a text body as it is and anything else as JSON, and adds
 * `data` (of a success) and `error` (of a failure) to the answer.
 */
export function apiAt(base, operatorKey) {
  return async (method, path, body, { token = operatorKey, headers = {} } = {}) => {
    const text = body === undefined || typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const answer = await request(base() + path, {
      method,
      body: text,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(text === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
    });
    return { ...answer, data: answer.json?.data, error: answer.json?.error };
  };
}
