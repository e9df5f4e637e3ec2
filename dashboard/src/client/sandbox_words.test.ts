import assert from "node:assert/strict";
import { test } from "node:test";

import type { Runtime } from "../protocol/protocol.ts";
import { sandboxWords } from "./sandbox_words.ts";

const agents: readonly Runtime[] = ["claude_code", "codex", "gemini", "opencode", "kilo", "process"];

test("says where each agent would run, and whether it would ask", () => {
  for (const runtime of agents) {
    assert.ok(/^Runs as you on this machine[.,]/.test(sandboxWords(runtime, "none") ?? ""), runtime);
    assert.ok(/sandbox: it need not ask/.test(sandboxWords(runtime, "image") ?? ""), runtime);
    assert.ok(/^Runs in a sandbox of its own/.test(sandboxWords(runtime, "bubblewrap") ?? ""), runtime);
    assert.equal(sandboxWords(runtime, undefined), null, "nothing is known");
  }
  const askers = agents.filter((runtime) => sandboxWords(runtime, "none")?.includes("Asks here before"));
  assert.deepEqual(askers, ["claude_code", "opencode", "kilo"]);
  assert.equal(sandboxWords("replay", "none"), null, "a recording does nothing");
});
