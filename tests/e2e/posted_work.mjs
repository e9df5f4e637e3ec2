// Agents that work elsewhere and post what they do, each with one thing that a person should see right: questions of
// every kind, calls that nobody answers, work in the background. All of it is made up here.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { must } from "../worker/harness.mjs";
import { untilHolds } from "../worker/until.mjs";

const event = (event_type, data, at) => ({ event_type, data, ...(at === undefined ? {} : { at }) });
const question = (data) => event("agent_question", { options: [], ...data });
const call = (tool_use_id, summary, more = {}) =>
  event("agent_tool_call", { tool_use_id, tool: "Bash", category: "Bash", input: { command: summary }, summary, ...more });
const result = (tool_use_id, content, success = true) =>
  event("agent_tool_result", { tool_use_id, success, content, content_length: content.length, duration_ms: 12 });

/** Nineteen harmless lines, and at the very end what nobody would allow. */
export const LONG_COMMAND = `${Array.from({ length: 19 }, (_, line) => `cp --archive --verbose "assets/pictures/season-${line}" "/srv/www/site/static/pictures/season-${line}" &&`).join("\n")}\nrm -rf /srv/www/backups`;

export const PLAN = "## Move the shop to the new database\n\n1. **Copy** the tables\n2. Switch the *readers*\n3. Delete the old ones\n";

export const DIFFERENCE = "--- a/shop/price.ts\n+++ b/shop/price.ts\n@@ -1,2 +1,2 @@\n-export const vat = 0.19;\n+export const vat = 0.07;\n export const currency = \"EUR\";\n";

export const PARTS = [
  {
    header: "Storage",
    text: "Where should the sessions be kept?",
    options: [
      { label: "In the table", description: "Slower, and survives a restart", preview: "CREATE TABLE sessions (\n  id TEXT PRIMARY KEY\n)" },
      { label: "In memory", description: "Fast, and gone with the process" },
    ],
    multiple: false,
    free_text: true,
  },
  {
    header: "Checks",
    text: "Which checks should run?",
    options: [{ label: "Types" }, { label: "Tests", description: "About four minutes" }, { label: "Links" }],
    multiple: true,
    free_text: false,
  },
];

export const PROMPT = "Move the sessions out of the process.\nKeep those who are signed in signed in, and tell me before anything is deleted.";

export const ASKING = {
  /** The agent asks one thing, its sub-agent another. */
  two_questions: [
    event("user_message", { text: PROMPT, by: "operator", source: "prompt" }),
    event("agent_tool_call", { tool_use_id: "sub", tool: "Agent", category: "Task", input: { description: "Look after the cache" }, summary: "Look after the cache" }),
    call("mine", "npm publish"),
    question({ request_id: "one", kind: "permission", detail: "Run npm publish?", options: ["once", "always", "reject"], subject: { kind: "command", text: "npm publish" }, always: "npm publish *", tool_use_id: "mine" }),
    call("its", "redis-cli flushall", { parent_tool_use_id: "sub" }),
    question({ request_id: "two", kind: "permission", detail: "Run redis-cli flushall?", options: ["once", "reject"], subject: { kind: "command", text: "redis-cli flushall" }, tool_use_id: "its", parent_tool_use_id: "sub" }),
  ],
  parts: [question({ request_id: "parts", kind: "input", detail: "Two things to decide", options: ["In the table", "In memory", "Types", "Tests", "Links"], parts: PARTS })],
  long_command: [question({ request_id: "long", kind: "permission", detail: "Run cp and 19 more commands?", options: ["once", "always", "reject"], subject: { kind: "command", text: LONG_COMMAND } })],
  plan: [question({ request_id: "plan", kind: "permission", detail: "Begin with this plan?", options: ["once", "reject"], subject: { kind: "plan", text: PLAN } })],
  difference: [question({ request_id: "change", kind: "permission", detail: "Change shop/price.ts?", options: ["once", "reject"], subject: { kind: "difference", text: DIFFERENCE } })],
};

export const WORKING = {
  told: [
    event("user_message", { text: PROMPT, by: "operator", source: "prompt" }),
    event("agent_output", { text: "I begin with the readers.", stream: "assistant" }),
    event("user_message", { text: "Leave the **admin** pages alone.", by: "operator", source: "message" }),
    event("user_message", { text: "This conversation goes on from an earlier one that was summed up.", by: "claude_code", source: "message" }),
    event("agent_output", { text: "Understood, I leave", stream: "assistant", broken_off: true }),
  ],
  interrupted: [
    event("agent.status", { status: "running" }),
    call("cut", "npm run a-long-build"),
    event("agent.status", { status: "waiting" }),
    event("agent.status", { status: "running" }),
    event("agent_output", { text: "I go on without it.", stream: "assistant" }),
  ],
  background: [
    event("agent.status", { status: "running" }),
    call("deploy", "./deploy.sh staging"),
    event("agent_task_started", { task_id: "b1", kind: "command", description: "Deploy to staging", tool_use_id: "deploy" }),
    result("deploy", "Running in the background (b1)"),
  ],
  notices: [
    event("agent_notice", { kind: "compaction_ended", level: "info", message: "The conversation was summed up", tokens_before: 155_000, tokens_after: 12_000 }),
    event("agent_notice", { kind: "tool_server", level: "warning", message: "The tool server “maps” did not start" }),
    event("parser_notice", { kind: "redacted", count: 1, sample: "an access key" }),
    ...Array.from({ length: 4 }, (_, turn) => [call(`fail-${turn}`, "make docs"), result(`fail-${turn}`, "make: no rule for docs", false)]).flat(),
  ],
  silent: [event("agent_output", { text: "Back in a moment.", stream: "assistant" }, new Date(Date.now() - 12 * 60_000).toISOString())],
};

/** How the deployment of `background` ends. */
export const DEPLOY_FAILED = event("agent_task_ended", { task_id: "b1", outcome: "failed", summary: "no such host: staging", exit_code: 2, tool_use_id: "deploy" });

/** Registers the agents of one of these and lets them post. */
export async function postWork(world, town, work) {
  for (const [agent_id, events] of Object.entries(work)) {
    await world.registerAgent(town, agent_id);
    must(await world.post(town, agent_id, events), 201);
  }
}

/** So many minutes go by, as far as the town's tables know, in which nothing is heard of an agent. The Worker is started anew. */
export async function passUnheard(world, { rig_id }, agent_id, minutes) {
  const waiting = async () => (await world.api("GET", `/api/rigs/${rig_id}/metrics`)).text;
  await untilHolds("the town has taken what was posted", async () => assert.match(await waiting(), /^townwatch_outbox_events\S* 0$/m));
  await world.worker.kill();
  const state = join(world.directory, "state");
  const files = readdirSync(state, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".sqlite"));
  let changed = 0;
  for (const file of files) {
    const tables = new DatabaseSync(join(state, file));
    const isTown = tables.prepare("SELECT 1 FROM sqlite_master WHERE name = 'town'").get() !== undefined;
    if (isTown) changed += Number(tables.prepare("UPDATE agents SET heard_at_ms = heard_at_ms - ? WHERE agent_id = ?").run(minutes * 60_000, agent_id).changes);
    tables.close();
  }
  assert.equal(changed, 1, `the row of ${agent_id}`);
  await world.worker.start();
}

/** That a posted question was answered, as the program that asked would say it. */
export const answered = (request_id, answer, more = {}) => event("agent_question_answered", { request_id, answer, by: "operator", ...more });
