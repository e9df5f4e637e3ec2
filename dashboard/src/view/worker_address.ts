// The one place where the page says what runs as a script: its own worker. The page's policy (`trusted-types` in
// public/_headers) allows what has this name, and the browser refuses text anywhere else that would become a script or
// markup.

import address from "../worker/worker.ts?worker&url";

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (text: string) => string }): { createScriptURL(text: string): URL };
}

declare global {
  /** Not in every browser. */
  var trustedTypes: TrustedTypes | undefined;
}

/** Made once: a second policy of one name is refused. It gives the address of the worker, whatever it is asked for. */
const policy = globalThis.trustedTypes?.createPolicy("townwatch-worker", { createScriptURL: () => address });

/** The worker's address, as `new Worker` takes it. */
export const workerAddress = (): string | URL => policy?.createScriptURL(address) ?? address;
