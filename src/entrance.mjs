// Where requests come in: the Worker, with a limit on how long an answer may take to begin.
//
// This is JavaScript because it has to outlive a panic. A panic ends the instance of the WASM and every future in it: those
// of the object that panicked, and those of the Worker where both share an isolate, its clocks among them. So nobody in
// there would ever tell the caller.

import Worker, { Account, Rig, Town } from "../build/index.js";

export { Account, Rig, Town };

/** An answer has so long to begin, the request's whole body included: twice what a request may wait for the next event. */
const ANSWER_MS = 60_000;
/** The same where a container may have to be started first, which has a minute to be there. */
const START_MS = 120_000;
/** A start by its address, query or not. To take each address apart would cost a small post a twentieth of its time. */
const STARTS = /^[^?#]*\/container\/agents\/start(?:[?#]|$)/;

export default class extends Worker {
  /** What streams behind the beginning of an answer has no limit. */
  async fetch(request) {
    const limit_ms = STARTS.test(request.url) ? START_MS : ANSWER_MS;
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(() => resolve(unavailable(limit_ms)), limit_ms);
    });
    try {
      return await Promise.race([super.fetch(request), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** As src/http.rs makes a failure. */
function unavailable(limit_ms) {
  const message = `no answer within ${limit_ms / 1_000} s: what was asked may have been done or not; look before you ask again`;
  const headers = { "cache-control": "no-store", "x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin", "retry-after": "1" };
  return Response.json({ success: false, error: { code: "town_unavailable", message } }, { status: 503, headers });
}
