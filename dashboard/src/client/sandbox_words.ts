// Where an agent will run and whether it will ask, before it is started.

import type { Runtime, SandboxKind } from "../protocol/protocol.ts";
import { RUNTIMES } from "../protocol/runtimes.ts";

/** The words for a runtime in a container; null where there is nothing to say, or nothing is known. */
export function sandboxWords(runtime: Runtime, sandbox: SandboxKind | undefined): string | null {
  if (runtime === "replay" || sandbox === undefined) return null;
  const words: Readonly<Record<SandboxKind, string | null>> = {
    none: RUNTIMES[runtime].without_sandbox ?? null,
    image: "Runs in the container, which is its sandbox: it need not ask before it does things there.",
    bubblewrap:
      "Runs in a sandbox of its own: it sees its working directory, this machine's programs, its own login and the network, and need not ask before it does things there.",
  };
  return words[sandbox];
}
