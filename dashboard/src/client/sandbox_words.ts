// Where an agent will run and whether it will ask, before it is started.

import type { Runtime, SandboxKind } from "../protocol/protocol.ts";

const asks = "Runs as you on this machine. Asks here before it changes files or runs commands, unless its settings allow that.";

/** What each does where no sandbox is around it. */
const alone: Readonly<Record<Runtime, string | null>> = {
  claude_code: asks,
  codex:
    "Runs as you on this machine, its commands in Codex's own sandbox: they write in the working directory only and have no network. It can ask nobody, so all else is refused.",
  gemini: "Runs as you on this machine. Edits files of its working directory. It can ask nobody, so commands and all else are refused.",
  opencode: asks,
  kilo: asks,
  process: "Runs as you on this machine, and asks nothing.",
  replay: null,
};

/** The words for a runtime in a container; null where there is nothing to say, or nothing is known. */
export function sandboxWords(runtime: Runtime, sandbox: SandboxKind | undefined): string | null {
  if (runtime === "replay" || sandbox === undefined) return null;
  const words: Readonly<Record<SandboxKind, string | null>> = {
    none: alone[runtime],
    image: "Runs in the container, which is its sandbox: it need not ask before it does things there.",
    bubblewrap:
      "Runs in a sandbox of its own: it sees its working directory, this machine's programs, its own login and the network, and need not ask before it does things there.",
  };
  return words[sandbox];
}
