// The Worker and its objects, as the platform calls them, over an instance of the WASM that a panic ends: the next call gets
// a new instance, and an object is made anew in it.
//
// `scripts/lib/worker_build.mjs` bundles this with what wasm-bindgen writes, to `build/index.js`. The state that the two share
// is that of the crate `worker`, in the version of Cargo.lock.

import { WorkerEntrypoint } from "cloudflare:workers";
import * as bound from "wasm-bindings";

// A panic says where it was, which is deep.
Error.stackTraceLimit = 100;

/** `criticalError`: an instance has ended. `instanceId`: which one this is; the WASM counts it up when it starts. */
const state = bound.__worker_init_state();

addEventListener("error", ({ error }) => note(error));

/** @param {unknown} problem */
function note(problem) {
  if (!(problem instanceof WebAssembly.RuntimeError)) return;
  console.error("Critical", problem);
  state.criticalError = true;
}

/** Calls into an instance that works. */
function call(work) {
  if (state.criticalError) {
    console.log("Reinitializing Wasm application");
    bound.__wbg_reset_state();
    state.criticalError = false;
  }
  try {
    return work();
  } catch (problem) {
    note(problem);
    throw problem;
  }
}

export default class extends WorkerEntrypoint {
  fetch(request) {
    return call(() => bound.fetch(request, this.env, this.ctx));
  }
}

/** A class of objects as the platform knows it. It is no `DurableObject`, so none of its methods can be called from afar. */
const hosted = (Bound) =>
  class {
    #given;
    #object;
    #instance;

    constructor(...given) {
      this.#given = given;
      this.#call(() => {});
    }

    #call(work) {
      return call(() => {
        if (this.#instance !== state.instanceId) {
          this.#object = new Bound(...this.#given);
          this.#instance = state.instanceId;
        }
        return work(this.#object);
      });
    }

    fetch(request) {
      return this.#call((object) => object.fetch(request));
    }

    alarm() {
      return this.#call((object) => object.alarm());
    }

    webSocketMessage(socket, message) {
      return this.#call((object) => object.webSocketMessage(socket, message));
    }

    webSocketClose(socket, code, reason, wasClean) {
      return this.#call((object) => object.webSocketClose(socket, code, reason, wasClean));
    }

    webSocketError(socket, error) {
      return this.#call((object) => object.webSocketError(socket, error));
    }
  };

export const Account = hosted(bound.Account);
export const Rig = hosted(bound.Rig);
export const Town = hosted(bound.Town);
