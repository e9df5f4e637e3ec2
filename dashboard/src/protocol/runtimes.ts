// Generated from crates/protocol/src/runtime.rs by `npm run types`; do not edit.

import type { Runtime } from "./protocol.ts";

export interface RuntimeFacts {
  /** The name that people see. */
  readonly title: string;
  /** An example of a model's name; absent for a runtime without models. */
  readonly model_example?: string;
  /** The behaviour of a run that has no sandbox around it. */
  readonly without_sandbox?: string;
}

/** All runtimes, in the order in which people see them. */
export const RUNTIMES: Readonly<Record<Runtime, RuntimeFacts>> = {
  claude_code: {
    title: "Claude Code",
    model_example: "opus",
    without_sandbox: "Runs as you on this machine. Asks here before it changes files or runs commands, unless its settings allow that.",
  },
  codex: {
    title: "Codex",
    model_example: "gpt-5-codex",
    without_sandbox: "Runs as you on this machine, its commands in Codex's own sandbox: they write in the working directory only and have no network. It can ask nobody, so all else is refused.",
  },
  gemini: {
    title: "Gemini CLI",
    model_example: "gemini-2.5-pro",
    without_sandbox: "Runs as you on this machine. Edits files of its working directory. It can ask nobody, so commands and all else are refused.",
  },
  opencode: {
    title: "OpenCode",
    model_example: "anthropic/claude-sonnet-4-5",
    without_sandbox: "Runs as you on this machine. Asks here before it changes files or runs commands, unless its settings allow that.",
  },
  kilo: {
    title: "Kilo",
    model_example: "anthropic/claude-sonnet-4-5",
    without_sandbox: "Runs as you on this machine. Asks here before it changes files or runs commands, unless its settings allow that.",
  },
  process: {
    title: "Command",
    without_sandbox: "Runs as you on this machine, and asks nothing.",
  },
  replay: {
    title: "Recording",
  },
};
