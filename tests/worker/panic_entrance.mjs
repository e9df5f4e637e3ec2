// The Worker with two requests more: `/end` ends the instance of its WASM as a panic does, and `/trap` lets it run into what
// WebAssembly itself refuses, while the platform waits for it.

import Worker from "../../src/entrance.mjs";

export { Account, Rig, Town } from "../../src/entrance.mjs";

/** A request whose address the entrance reads, and the WASM no more. */
function trapping() {
  let reads = 0;
  return {
    method: "GET",
    get url() {
      reads += 1;
      if (reads > 1) throw new WebAssembly.RuntimeError("unreachable");
      return "https://town/health";
    },
  };
}

export default class extends Worker {
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/end") {
      globalThis.__worker_init_state.criticalError = true;
      return new Response(`${globalThis.__worker_init_state.instanceId}`);
    }
    if (pathname === "/trap") {
      this.ctx.waitUntil(super.fetch(trapping()).catch(() => {}));
      return new Response(`${globalThis.__worker_init_state.instanceId}`);
    }
    return super.fetch(request);
  }
}
