// A world in which the real Claude Code works. In a sandbox it need not ask for anything but `touch`.

import { answer } from "../models/messages.mjs";
import { startWork } from "./work.mjs";

const SETTINGS = JSON.stringify({ permissions: { ask: ["Bash(touch:*)"] } });

/**
 * Starts it all, with the program in `bin`.
 *
 * @param {string} bin
 * @param {{ sandbox?: string }} [options]
 */
export function startClaudeCode(bin, { sandbox } = {}) {
  process.env.CONTROL_WAITING_SECONDS = "2";
  const env_vars = { ANTHROPIC_BASE_URL: "$MODEL", ANTHROPIC_API_KEY: "key", CLAUDE_CODE_MAX_RETRIES: "0" };
  return startWork({ runtime: "claude_code", bin, answer, files: () => ({ ".claude/settings.json": SETTINGS }), env_vars, sandbox });
}
